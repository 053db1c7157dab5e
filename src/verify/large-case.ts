/** Runs a network of real size with hashed weights, and compares samples of its activations, since all of them would be too many to store. */

import { Network } from '../encoder/network.js'
import type { SlotName } from '../engine/plan.js'
import { prepareImage } from '../image/prepare-image.js'
import { birderRecipe } from '../image/recipe.js'
import type { VitPlan } from '../model/plan-vit.js'
import { readVit } from '../model/read-vit.js'
import { specialTokens, type VitConfig } from '../model/vit-config.js'
import { concatenate } from '../tensor/concatenate.js'
import { arrange } from './activations.js'
import {
  type Comparison,
  type GoldenCase,
  type GoldenContext,
  type GoldenFile,
  readExpected,
  required,
} from './case.js'
import { hashedCheckpoint } from './hashed-checkpoint.js'
import { judge } from './judge.js'

interface LargeCase extends GoldenCase {
  readonly seed?: string
  readonly stored_size?: readonly [height: number, width: number]
  readonly images?: readonly GoldenFile[]
}

/** Is a finished run, with what is needed to find a tensor in it. */
interface Run {
  readonly config: VitConfig
  readonly plan: VitPlan
  /** Is B. */
  readonly batch: number
  /** Gives an activation, float32 [B, ...shape]; throws by name. */
  readonly activation: (slot: SlotName) => Float32Array
  /** Gives a tensor that the golden holds; throws by name. */
  readonly golden: (tensor: string) => Float32Array
}

/** Says which of the stored tensors are compared, and how each is sampled out of a run. */
const SAMPLES: Readonly<Record<string, (run: Run) => Float32Array>> = {
  embedding: ({ activation, plan }) => activation(plan.slots.embedding),
  'probabilities.first16': (run) => eachImage(run, probabilities(run), run.config.width, 0, 16),
  registers: (run) => tokenRows(run, 1, run.config.registers),
  'blocks.class_token': (run) => rowOfEachBlock(run, 0),
  'blocks.first_patch': (run) => rowOfEachBlock(run, specialTokens(run.config)),
  'detection_features.stage1.sampled': (run) => {
    const map = lastMap(run)
    return run.golden('detection_features.stage1.sample_indexes').map((index) => map[index] ?? Number.NaN)
  },
  'detection_features.stage1.mean_of_16_channels': (run) => statistics(run).means,
  'detection_features.stage1.std_of_16_channels': (run) => statistics(run).deviations,
}

export async function* runLargeCase(
  golden: LargeCase,
  context: GoldenContext,
): AsyncGenerator<Comparison, void, undefined> {
  const { engine, open } = context
  // That engine would take an hour.
  if (engine.name === 'reference') return
  const expected = await readExpected(golden, open)
  const run = await runNetwork(golden, context, expected)
  for (const [tensor, sample] of Object.entries(SAMPLES)) {
    if (!expected.has(tensor)) continue
    const comparison = judge(engine.precision, golden, tensor, sample(run), expected.get(tensor))
    if (comparison !== null)
      yield engine.precision === 'float32' ? withinPromise(golden, comparison) : comparison
  }
}

async function runNetwork(
  golden: LargeCase,
  { decode, engine, signal }: GoldenContext,
  expected: ReadonlyMap<string, Float32Array>,
): Promise<Run> {
  const name = required(golden.network, 'network', golden)
  const stored = required(golden.stored_size, 'stored_size', golden)
  const vit = readVit(hashedCheckpoint(name, stored, required(golden.seed, 'seed', golden)), {
    network: name,
  })
  const { config } = vit
  const { size } = required(golden.run, 'run', golden)
  const abort = signal === undefined ? {} : { signal }
  using network = await Network.load(vit, engine, abort)

  const images = required(golden.images, 'images', golden)
  const batch = images.length
  const pixels = new Float32Array(batch * 3 * size[0] * size[1])
  for (const [index, { path }] of images.entries()) {
    const image = await decode(path, { orientation: 'ignore' })
    const prepared = prepareImage(image, birderRecipe(size, config.rgbStats))
    pixels.set(prepared.pixels, (index * pixels.length) / batch)
  }
  const grid = network.gridOf(size)
  const positions = 'antialias'
  const plan = network.planFor(grid, { positions })
  const { slots } = plan
  // All blocks of many images would take gigabytes.
  const outputs = [...new Set([slots.embedding, slots.tokens, ...(batch === 1 ? slots.blocks : [])])]
  const values = await network.run(pixels, { grid, batch, outputs, positions, ...abort })
  return {
    config,
    plan,
    batch,
    activation: (slot) => required(values.get(slot), `activation ${slot}`, golden),
    golden: (tensor) => required(expected.get(tensor), `tensor called ${tensor}`, golden),
  }
}

/** Takes `count` rows of each image's final tokens, [B, count, D]. */
function tokenRows(run: Run, from: number, count: number): Float32Array {
  const { width } = run.config
  const tokens = run.activation(run.plan.slots.tokens)
  return eachImage(run, tokens, tokens.length / run.batch, from * width, count * width)
}

/** Takes the same token of each block, [depth, D]. */
function rowOfEachBlock({ config: { width }, plan, activation }: Run, row: number): Float32Array {
  return concatenate(
    plan.slots.blocks.map((slot) => activation(slot).subarray(row * width, (row + 1) * width)),
  )
}

/** Computes the embedding's softmax, [B, D]. */
function probabilities({ activation, plan, config, batch }: Run): Float32Array {
  const slot = plan.slots.embedding
  return arrange(activation(slot), { slot, layout: 'softmax' }, plan, config, 'birder', batch)
}

/** Gives the last block's patches with channels first, [D, rows, columns]. */
function lastMap({ activation, plan, config }: Run): Float32Array {
  const slot = plan.slots.blocks.at(-1) ?? plan.slots.tokens
  return arrange(activation(slot), { slot, layout: 'tokens as map' }, plan, config, 'birder', 1)
}

/** Takes `count` values from `from` on out of each image's `perImage`, one behind the other. */
function eachImage(
  { batch }: Run,
  values: Float32Array,
  perImage: number,
  from: number,
  count: number,
): Float32Array {
  return concatenate(
    Array.from({ length: batch }, (_, b) =>
      values.subarray(b * perImage + from, b * perImage + from + count),
    ),
  )
}

/** Computes mean and standard deviation (dividing by the count) of each 16 channels of the last map. */
function statistics(run: Run): { means: Float32Array; deviations: Float32Array } {
  const map = lastMap(run)
  const length = (16 * map.length) / run.config.width
  const groups = Array.from({ length: map.length / length }, (_, g) =>
    map.subarray(g * length, (g + 1) * length),
  )
  return {
    means: Float32Array.from(groups, meanOf),
    deviations: Float32Array.from(groups, (group) => {
      const mean = meanOf(group)
      return Math.sqrt(group.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length)
    }),
  }
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** On a network of real size float32 promises at most four times the library's own float32 error. */
const PROMISE = 4

/**
 * Probabilities keep the golden's own tolerance: one rounding of the largest score moves them all together, so that their error is a single draw, and
 * PyTorch's is no measure of its spread.
 */
function withinPromise(golden: GoldenCase, comparison: Comparison): Comparison {
  const { tensor, error } = comparison
  if (tensor.startsWith('probabilities')) return comparison
  const noise = required(golden.tensors?.[tensor]?.noise, `noise of the tensor ${tensor}`, golden)
  const tolerance = PROMISE * noise
  return {
    ...comparison,
    tolerance,
    passed: error <= tolerance,
    note: `${PROMISE} x PyTorch's own float32 error`,
  }
}
