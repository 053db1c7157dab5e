/**
 * Writes the network of every family with its matrices in bytes: int8 engines compute the very numbers with it that they compute with its origin, and all
 * others come as near to the origin as int8 promises.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Network } from '../../src/encoder/network.js'
import type { Engine } from '../../src/engine/engine.js'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import { createWebgpuEngineOn } from '../../src/engine/webgpu/webgpu-engine.js'
import { cosineSimilarity } from '../../src/numerics/cosine-similarity.js'
import { convertModel } from '../../src/platform/node/convert/convert-model.js'
import {
  createNativeEngine,
  INSTRUCTION_SETS,
  nativeAvailability,
  nativePrecisions,
} from '../../src/platform/node/native/index.js'
import { type OpenVitHints, openVit } from '../../src/platform/node/open-vit.js'
import { createWasmEngine } from '../../src/platform/node/wasm/index.js'
import { promisedCosine } from '../../src/verify/judge.js'
import { pseudoRandom } from '../conformance/one-step.js'
import { LASTING_GPU } from '../support/gpus.js'
import { packageRoot } from '../support/repository.js'
import { type FamilySource, familySources } from './family-sources.js'

const folder = mkdtempSync(join(tmpdir(), 'plumage-int8-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const wasm = await createWasmEngine({ precision: 'int8', threads: 1 })
afterAll(() => wasm[Symbol.asyncDispose]())
const sets = nativeAvailability().available
  ? INSTRUCTION_SETS.filter((set) => nativePrecisions(set).includes('int8'))
  : []

const LAYOUT = join(packageRoot, 'test/golden/families/more/layouts/dinov2-reg4/hugging-face')

/** The trunk of that golden has a name which no architecture of timm's has: it is refused. */
const FOREIGN = 'open-clip: siglip'
const sources = [...familySources()].filter(([name]) => name !== FOREIGN)

describe.skipIf(LASTING_GPU === null)('on a GPU', () => {
  test('bytes are what they stand for', async () => {
    const out = join(folder, 'on-a-gpu.safetensors')
    await convertModel(LAYOUT, out, { int8: true })
    await using reference = createReferenceEngine()
    await using gpu = await createWebgpuEngineOn(() => LASTING_GPU?.request() ?? expect.unreachable(), {
      verify: false,
    })
    const truth = await outputsOf(out, {}, reference)
    expect(lowestCosine(truth, await outputsOf(out, {}, gpu))).toBeGreaterThan(promisedCosine('float32'))
  })
})

/** The reference takes seconds for more patches. */
const MOST_SIDE = 8

/** Gives the embedding and the tokens of one image at the trained size, or at one of a few patches where that is large. */
async function outputsOf(path: string, told: OpenVitHints, engine: Engine): Promise<readonly Float32Array[]> {
  await using open = await openVit(path, told)
  using network = await Network.load(open.vit, engine)
  const { channels, patchSize, size: trained } = open.vit.config
  const size: [number, number] = [trained[0], trained[1]]
  if (Math.max(...size) > 16 * patchSize) size.fill(MOST_SIDE * patchSize)
  const grid = network.gridOf(size)
  const { slots } = network.planFor(grid)
  const outputs = [slots.embedding, slots.tokens]
  const values = await network.run(pseudoRandom(channels * size[0] * size[1], 7), { grid, outputs })
  return outputs.map((slot) => values.get(slot) ?? expect.unreachable(`${slot} was asked for`))
}

/** Counts the matrices that lie in bytes in the file. */
async function bytesIn(path: string): Promise<{ readonly matrices: number; readonly blocks: number }> {
  await using open = await openVit(path)
  const extents = [...open.checkpoint.tensors].map(([name, { shape }]) =>
    open.checkpoint.extentOf?.(name, shape),
  )
  const matrices = (await Promise.all(extents)).filter((extent) => extent?.dtype === 'I8').length
  return { matrices, blocks: open.vit.config.depth }
}

function lowestCosine(some: readonly Float32Array[], others: readonly Float32Array[]): number {
  const cosines = some.map((values, at) => cosineSimilarity(values, others[at] ?? new Float32Array(0)))
  return Math.min(...cosines)
}

describe.each(sources)('%s', (name, { path, told }: FamilySource) => {
  const out = join(folder, `${name.replace(/\W+/g, '-')}.safetensors`)
  const hints = told as OpenVitHints

  test('all matrices of the blocks become bytes, and nothing has to be told of the file', async () => {
    const converted = await convertModel(path, out, { ...told, int8: true, onWarning: () => {} })
    expect(converted.lossless).toBe(false)
    const { matrices, blocks } = await bytesIn(out)
    expect(matrices).toBeGreaterThanOrEqual(4 * blocks)
  })

  test.each(sets)('int8 on %s gives the very numbers of its origin', async (instructionSet) => {
    await using engine = createNativeEngine({ instructionSet, precision: 'int8' })
    expect(await outputsOf(out, {}, engine)).toEqual(await outputsOf(path, hints, engine))
  })

  test('int8 in WebAssembly does, where it has the steps', async () => {
    const [own, origin] = await Promise.allSettled([outputsOf(out, {}, wasm), outputsOf(path, hints, wasm)])
    if (origin.status === 'fulfilled') expect(own).toEqual(origin)
    else expect(own).toMatchObject({ reason: { code: 'unsupported' } })
  })

  test('other precisions are near to its origin, and to each other as ever', async () => {
    await using reference = createReferenceEngine()
    await using float32 = sets.length > 0 ? createNativeEngine() : await createWasmEngine()
    const truth = await outputsOf(out, {}, reference)
    expect(lowestCosine(truth, await outputsOf(path, hints, reference))).toBeGreaterThan(
      promisedCosine('int8'),
    )
    expect(lowestCosine(truth, await outputsOf(out, {}, float32))).toBeGreaterThan(promisedCosine('float32'))
  })
})
