/**
 * Runs one part of embedding a folder by itself, in a process that is measured: `decode` makes model input of every photo and computes nothing, as many at a
 * time as there are cores; `compute` runs the network so many times on input that is there, in the batches that an encoder makes.
 *
 *     node bench/folder/part.mjs decode MODEL SIDE LIST whole|scaled
 *     node bench/folder/part.mjs compute MODEL SIDE LIST PRECISION
 */
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dist } from '../dist.mjs'

const [part, model, sideText, list, choice] = process.argv.slice(2)
const side = Number(sideText)
const paths = (await readFile(list, 'utf8')).split('\n').filter(Boolean)
await { decode, compute }[part]()

async function decode() {
  const [{ preparingWith }, { createNativeResample }, { openVit }, { recipeFor }] = await Promise.all([
    dist('platform/node/prepare-source.js'),
    dist('platform/node/native/index.js'),
    dist('platform/node/open-vit.js'),
    dist('encoder/choose-recipe.js'),
  ])
  const open = await openVit(model)
  const recipe = recipeFor(open.vit, { size: side, decode: choice })
  await open[Symbol.asyncDispose]()
  const prepare = preparingWith(createNativeResample(), {})
  let next = 0
  const worker = async () => {
    while (next < paths.length) await prepare(paths[next++], recipe, {})
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
}

async function compute() {
  const { loadEncoder } = await dist('platform/node/load-encoder.js')
  const encoder = await loadEncoder(model, { size: side, precision: choice })
  const levels = Uint8Array.from({ length: side * side * 3 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24)
  // Pixels of the input's size are normalised and nothing else: the rest is the network.
  const image = { height: side, width: side, data: levels }
  const results = encoder.encodeAll(paths.map(() => image))
  for await (const { error } of results) if (error !== undefined) throw error
  await encoder[Symbol.asyncDispose]()
}
