/** Finds the right answer, as near as it can be had here, and how far a system is from it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dist } from './dist.mjs'
import { loadNetwork } from './load-network.mjs'
import { folder, modelFile, pixelFile, runPython } from './model-files.mjs'
import { absenceOf, SYSTEMS } from './systems.mjs'

/** So many images are enough to notice a mistake in batches. */
const IMAGES = 2
/** The reference engine takes a minute for a hundred times this. */
const MOST_FLOP_FOR_REFERENCE = 2e10

/**
 * Takes PyTorch in float64 where it is installed, else the reference engine where the network is small; else it is null.
 *
 * @returns {Promise<{ source: string, embeddings: number[][] } | null>} the embeddings of the first images
 */
export async function findTruth(network, side, flop) {
  const path = join(folder, `${network}_${side}.truth.json`)
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8'))
  const model = await modelFile(network, side, 'safetensors')
  const pixels = pixelFile(side)
  const pytorch = SYSTEMS.find(({ id }) => id === 'pytorch-float32')
  let truth = null
  if (absenceOf(pytorch) === null) {
    const text = runPython('truth.py', [network, side, model, pixels, IMAGES])
    truth = JSON.parse(text.trim().split('\n').at(-1))
  } else if (flop <= MOST_FLOP_FOR_REFERENCE) truth = await referenceTruth(network, side, model, pixels)
  if (truth !== null) writeFileSync(path, JSON.stringify(truth))
  return truth
}

async function referenceTruth(name, side, model, pixels) {
  const { createReferenceEngine } = await dist('engine/reference/reference-engine.js')
  const task = { network: name, side }
  const { network, grid, slots } = await loadNetwork(model, task, createReferenceEngine())
  const bytes = Uint8Array.from(readFileSync(pixels).subarray(0, 4 * 3 * side * side))
  const outputs = [slots.embedding]
  const embedding = (await network.run(new Float32Array(bytes.buffer), { grid, outputs })).get(
    slots.embedding,
  )
  return { source: "Plumage's reference engine (float64 sums)", embeddings: [Array.from(embedding)] }
}

/**
 * Compares the images that the truth has; the worst of them counts.
 *
 * @returns {{ cosine: number, error: number }} the largest difference is told as a share of the largest value
 */
export function compare(embedding, { embeddings }) {
  let [cosine, error] = [1, 0]
  for (const [image, expected] of embeddings.entries()) {
    const actual = embedding.subarray(image * expected.length, (image + 1) * expected.length)
    if (actual.length === 0) break
    let [ab, aa, bb, difference, largest] = [0, 0, 0, 0, 0]
    for (const [i, b] of expected.entries()) {
      const a = actual[i]
      ab += a * b
      aa += a * a
      bb += b * b
      difference = Math.max(difference, Math.abs(a - b))
      largest = Math.max(largest, Math.abs(b))
    }
    cosine = Math.min(cosine, ab / Math.sqrt(aa * bb))
    error = Math.max(error, difference / largest)
  }
  return { cosine, error }
}
