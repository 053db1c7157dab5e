/** A network of real size with hashed weights: samples of its activations, since all of them would be too many to store. */
import { join } from 'node:path'
import { Network } from '../../../encoder/network.js'
import { prepareImage } from '../../../image/prepare-image.js'
import { birderRecipe } from '../../../image/recipe.js'
import { readVit } from '../../../model/read-vit.js'
import { specialTokens } from '../../../model/vit-config.js'
import { arrange } from '../../../verify/activations.js'
import { type Comparison, type GoldenCase, readTensors } from '../../../verify/case.js'
import { hashedCheckpoint } from '../../../verify/hashed-checkpoint.js'
import { judge } from '../../../verify/judge.js'
import { decodeImage } from '../decode-image.js'
import { openFile } from '../open-file.js'
import type { FolderContext } from './folder-context.js'

export async function* runLargeCase(
  golden: GoldenCase,
  context: FolderContext,
): AsyncGenerator<Comparison, void, undefined> {
  if (context.engine.name === 'reference') return
  const { root, engine, signal } = context
  const checkpoint = hashedCheckpoint(
    golden.network ?? '',
    golden.stored_size as [number, number],
    String(golden.seed),
  )
  const vit = readVit(checkpoint, { network: golden.network ?? '' })
  const { config } = vit
  using network = await Network.load(vit, engine, signal === undefined ? {} : { signal })

  const size = golden.run?.size ?? config.size
  const images = golden.images as readonly { path: string }[]
  const pixels = new Float32Array(images.length * 3 * size[0] * size[1])
  for (const [index, { path }] of images.entries()) {
    const image = await decodeImage(join(root, path), { orientation: 'ignore' })
    pixels.set(
      prepareImage(image, birderRecipe(size, config.rgbStats)).pixels,
      (index * pixels.length) / images.length,
    )
  }
  const batch = images.length
  const grid = network.gridOf(size)
  const plan = network.planFor(grid, 'antialias')
  const { slots } = plan
  const outputs = [...new Set([slots.embedding, slots.tokens, ...(batch === 1 ? slots.blocks : [])])]
  const values = await network.run(pixels, {
    grid,
    batch,
    outputs,
    positions: 'antialias',
    ...(signal === undefined ? {} : { signal }),
  })

  const of = (slot: string) => values.get(slot) ?? new Float32Array()
  const { width, registers } = config
  const perImage = (specialTokens(config) + grid.rows * grid.columns) * width
  const rows = (from: number, count: number) =>
    joined(
      images.map((_, b) =>
        of(slots.tokens).subarray(b * perImage + from * width, b * perImage + (from + count) * width),
      ),
    )
  const blockRow = (row: number) =>
    joined(slots.blocks.map((slot) => of(slot).subarray(row * width, (row + 1) * width)))
  const expected = await readTensors(await openFile(join(root, golden.expected?.path ?? '')))
  const probabilities = arrange(
    of(slots.embedding),
    { slot: slots.embedding, layout: 'softmax' },
    plan,
    config,
    'birder',
    batch,
  )
  const last = slots.blocks[slots.blocks.length - 1]
  const map =
    batch > 1
      ? new Float32Array()
      : arrange(of(last), { slot: last, layout: 'tokens as map' }, plan, config, 'birder', 1)
  const groups = statistics(map, (16 * map.length) / width)
  const indexes = expected.get('detection_features.stage1.sample_indexes') ?? new Float32Array()
  const actual: Readonly<Record<string, () => Float32Array>> = {
    embedding: () => of(slots.embedding),
    'probabilities.first16': () =>
      joined(images.map((_, b) => probabilities.subarray(b * width, b * width + 16))),
    registers: () => rows(1, registers),
    'blocks.class_token': () => blockRow(0),
    'blocks.first_patch': () => blockRow(specialTokens(config)),
    'detection_features.stage1.sampled': () => Float32Array.from(indexes, (index) => map[index]),
    'detection_features.stage1.mean_of_16_channels': () => groups.means,
    'detection_features.stage1.std_of_16_channels': () => groups.deviations,
  }
  for (const [tensor, make] of Object.entries(actual)) {
    if (!expected.has(tensor)) continue
    const comparison = judge(engine.precision, golden, tensor, make(), expected.get(tensor))
    if (comparison !== null)
      yield engine.precision === 'float32' ? withinPromise(golden, comparison) : comparison
  }
}

/** What float32 promises on a network of real size: at most four times the library's own float32 error. */
const PROMISE = 4

/**
 * Probabilities keep the golden's own tolerance: one rounding of the largest score moves them all together, so that their error is a single draw, and
 * PyTorch's is no measure of its spread.
 */
function withinPromise(golden: GoldenCase, comparison: Comparison): Comparison {
  if (comparison.tensor.startsWith('probabilities')) return comparison
  const tolerance = PROMISE * (golden.tensors?.[comparison.tensor]?.noise ?? 0)
  return {
    ...comparison,
    tolerance,
    passed: comparison.error <= tolerance,
    note: `${PROMISE} x PyTorch's own float32 error`,
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => Array.from(part)))
}

/** Mean and standard deviation (dividing by the count) of each run of `length` values. */
function statistics(values: Float32Array, length: number): { means: Float32Array; deviations: Float32Array } {
  const count = length === 0 ? 0 : values.length / length
  const means = new Float32Array(count)
  const deviations = new Float32Array(count)
  for (let g = 0; g < count; g++) {
    const run = values.subarray(g * length, (g + 1) * length)
    const mean = run.reduce((sum, value) => sum + value, 0) / length
    means[g] = mean
    deviations[g] = Math.sqrt(run.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length)
  }
  return { means, deviations }
}
