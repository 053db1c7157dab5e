/** Runs Birder's tools on pictures (AttentionRollout, FeaturePCA, MoERouting) and rollouts of networks, and compares all that they give. */
import { classificationTransform } from '../birder/classification-transform.js'
import { AttentionRollout } from '../birder/introspection/attention-rollout.js'
import { FeaturePCA, patchRows, stageOf } from '../birder/introspection/feature-pca.js'
import { MoERouting } from '../birder/introspection/moe-routing.js'
import type { NdArray } from '../birder/nd-array.js'
import { ndArray } from '../birder/nd-array.js'
import { BirderNet } from '../birder/net.js'
import { Network } from '../encoder/network.js'
import type { RgbImage } from '../image/image.js'
import { attentionRollout, type RolloutFusion } from '../numerics/attention-rollout.js'
import { principalComponents } from '../numerics/principal-components.js'
import { projectRows } from '../numerics/projections.js'
import {
  type Comparison,
  type GoldenCase,
  type GoldenContext,
  type GoldenFile,
  readExpected,
  required,
} from './case.js'
import { isNarrow, judgeTogether } from './judge.js'
import { openCase } from './open-case.js'

interface ToolCase extends GoldenCase {
  readonly images?: readonly GoldenFile[]
  readonly network_parameters?: GoldenCase['network_parameters'] & {
    readonly rollouts?: readonly (readonly [fusion: RolloutFusion, ratio: number])[]
  }
}

/** Is what a case is run with. */
interface Tools {
  readonly net: BirderNet
  readonly image: RgbImage
  readonly input: NdArray
  readonly rollouts: readonly (readonly [fusion: RolloutFusion, ratio: number])[]
  readonly rgbStats: { readonly mean: readonly number[]; readonly std: readonly number[] }
}

type Found = ReadonlyMap<string, ArrayLike<number>>

/** Compares what AttentionRollout makes of a picture: the grid, its resized map and the overlay. */
export function runRolloutCase(golden: ToolCase, context: GoldenContext): AsyncIterable<Comparison> {
  return runTool(golden, context, async ({ net, image, input, rollouts, rgbStats }) => {
    const found = new Map<string, ArrayLike<number>>()
    const transform = classificationTransform(net.size, rgbStats)
    for (const [headFusion, discardRatio] of rollouts) {
      const name = nameOf(headFusion, discardRatio)
      const tool = new AttentionRollout(net, transform, rgbStats, { headFusion, discardRatio })
      const { rawOutput, visualization, originalImage } = await tool.call(image)
      found.set(`${name}.raw_output`, rawOutput.data)
      found.set(`${name}.visualization`, visualization.data)
      found.set('original_image', originalImage.data)
    }
    for (const [name, mask] of await rolloutsOf(net, input, rollouts)) found.set(`${name}.grid`, mask)
    return found
  })
}

/** Compares what FeaturePCA makes of a picture, and what lies behind it. */
export function runPcaCase(golden: ToolCase, context: GoldenContext): AsyncIterable<Comparison> {
  return runTool(golden, context, async ({ net, image, input, rgbStats }) => {
    const found = new Map<string, ArrayLike<number>>()
    const transform = classificationTransform(net.size, rgbStats)
    const map = stageOf(await net.detectionFeatures(input))
    for (const [name, normalize] of [
      ['plain', false],
      ['normalized', true],
    ] as const) {
      const { rawOutput, visualization } = await new FeaturePCA(net, transform, rgbStats, { normalize }).call(
        image,
      )
      found.set(`${name}.raw_output`, rawOutput.data)
      found.set(`${name}.visualization`, visualization.data)
      const rows = patchRows(map, normalize)
      const width = map.shape[1] ?? 0
      const components = await principalComponents([rows], width, 3)
      const count = rows.length / width
      // The library divides by one less than there are.
      const variances = components.variances.map((one) => (one * count) / (count - 1))
      found.set(`${name}.features`, rows)
      found.set(`${name}.mean`, components.mean)
      found.set(`${name}.components`, components.components)
      found.set(`${name}.explained_variance`, variances)
      found.set(`${name}.scores`, projectRows(rows, components))
    }
    return found
  })
}

/** Compares scores, choices and weights of the experts of every patch. */
export function runMoeRoutingCase(golden: ToolCase, context: GoldenContext): AsyncIterable<Comparison> {
  return runTool(golden, context, async ({ net, image, rgbStats }) => {
    const transform = classificationTransform(net.size, rgbStats)
    const { logits, layers } = await new MoERouting(net, transform, rgbStats).call(image)
    const found = new Map<string, ArrayLike<number>>([['logits', logits.data]])
    for (const [block, { scores, selected, assignments, weights }] of layers)
      for (const [part, { data }] of Object.entries({ scores, selected, assignments, weights }))
        found.set(`layer.${block}.${part}`, data)
    return found
  })
}

/** Compares the rollouts of a network whose attention is compared elsewhere. */
export async function* runRolloutsOfAttentionCase(
  golden: ToolCase,
  context: GoldenContext,
): AsyncGenerator<Comparison, void, undefined> {
  const { rollouts = [] } = golden.network_parameters ?? {}
  if (rollouts.length === 0) return
  const expected = await readExpected(golden, context.open)
  await using model = await openCase(golden, context)
  using net = new BirderNet(await Network.load(model.vit, context.engine))
  const { size } = required(golden.run, 'run', golden)
  const input = required(expected.get('input'), 'tensor called input', golden)
  net.adjustSize(size)
  const found = await rolloutsOf(net, ndArray(input, [1, 3, ...size]), rollouts)
  yield* compareFound(
    golden,
    context,
    expected,
    new Map(found.map(([name, mask]) => [`rollout.${name}`, mask])),
  )
}

async function* runTool(
  golden: ToolCase,
  context: GoldenContext,
  run: (tools: Tools) => Promise<Found>,
): AsyncGenerator<Comparison, void, undefined> {
  const expected = await readExpected(golden, context.open)
  const [file] = required(golden.images, 'images', golden)
  const image = await context.decode(required(file, 'image', golden).path, { orientation: 'ignore' })
  await using model = await openCase(golden, context)
  using net = new BirderNet(await Network.load(model.vit, context.engine))
  const { size } = required(golden.run, 'run', golden)
  net.adjustSize(size)
  const { rgbStats } = model.vit.config
  const input = ndArray(required(expected.get('input'), 'tensor called input', golden), [1, 3, ...size])
  const found = await run({
    net,
    image,
    input,
    rgbStats,
    rollouts: golden.network_parameters?.rollouts ?? [],
  })
  yield* compareFound(golden, context, expected, found)
}

async function rolloutsOf(net: BirderNet, input: NdArray, rollouts: Tools['rollouts']) {
  const { attentions, grid } = await net.forwardWithAttention(input)
  const special = net.numSpecialTokens
  const tokens = special + grid.rows * grid.columns
  const layers = attentions.map(({ data }) => data)
  return rollouts.map(([headFusion, discardRatio]): readonly [string, Float32Array] => [
    nameOf(headFusion, discardRatio),
    attentionRollout(layers, { special, tokens, headFusion, discardRatio }),
  ])
}

/** Python writes a whole number with a point. */
function nameOf(fusion: RolloutFusion, ratio: number): string {
  return `${fusion}.${Number.isInteger(ratio) ? ratio.toFixed(1) : ratio}`
}

/**
 * Are what narrow precisions promise something of; the others are parts of these, or choices. Directions of components are such choices: where two vary nearly as much,
 * they turn with the smallest difference, and what is drawn along them too.
 */
const CONTINUOUS =
  /(^rollout\..*|^(max|mean|min)\..*\.(grid|raw_output)|\.features|^layer\..*\.scores|^logits)$/

/** Are made of attention, and are as near as it is. */
const OF_ATTENTION = /^(rollout|max|mean|min)\./

/** Every tensor of the case that is of a tool must be there. */
function* compareFound(
  golden: GoldenCase,
  { engine: { precision } }: GoldenContext,
  expected: ReadonlyMap<string, Float32Array>,
  found: Found,
): Generator<Comparison, void, undefined> {
  for (const [tensor, wanted] of expected) {
    const isOfNetwork = tensor === 'input' || /^(blocks\.|tokens$)/.test(tensor)
    if (isOfNetwork || (isNarrow(precision) && !CONTINUOUS.test(tensor))) continue
    const actual = found.get(tensor)
    const values = actual === undefined ? undefined : Float32Array.from(actual)
    yield judgeTogether(precision, golden, tensor, values, wanted, OF_ATTENTION.test(tensor))
  }
}
