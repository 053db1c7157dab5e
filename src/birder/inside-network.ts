/** Runs a network and hands out what happens within it: whom tokens attend to, and which experts they go to. */
import type { OptionNames } from '../check-option-names.js'
import { type Network, type PlanChoice, slotValues } from '../encoder/network.js'
import { EngineError } from '../engine/engine-error.js'
import type { HeadFusion, Route, SlotName } from '../engine/plan.js'
import { linear } from '../kernels/linear.js'
import type { VitPlan } from '../model/plan-vit.js'
import type { PatchGrid, PositionRule } from '../model/positions.js'
import { birderOrder } from '../model/token-layout.js'
import { specialTokens, tokenWidth, type VitConfig } from '../model/vit-config.js'
import { sizeAt } from '../tensor/shape.js'
import { imageShape, type NdArray, ndArray } from './nd-array.js'

/** Says how the attention of layers is handed out. */
export interface AttentionOptions {
  /** Makes one matrix of a layer's heads, value by value: their `mean`, `max` or `min`; default `none`, each on its own. */
  readonly headFusion?: HeadFusion
  /** Ends the run, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export const ATTENTION_OPTIONS = { headFusion: true, signal: true } satisfies OptionNames<AttentionOptions>

/** Holds the attention of every layer, and what the network made of the image. */
export interface ForwardWithAttention {
  /** [B, H, T, T] for each layer, first layer first, or [B, 1, T, T] where heads were made one; rows are queries. Tokens are in Birder's order. */
  readonly attentions: readonly NdArray[]
  /** [B, N], or the embedding [B, D] without a classifier. */
  readonly logits: NdArray
  /** Counts rows and columns of the patches. */
  readonly grid: PatchGrid
}

/** Holds what a layer of routed experts has done with tokens, in the order class token, registers, patches; a layer whose experts take tokens in turn has its own. */
export interface RoutedLayer {
  /** Is the number of the block. */
  readonly block: number
  /** Says how experts were chosen. */
  readonly choice: Route['choice']
  /** [T, E] holds the products of tokens and gate, of which choices are made. */
  readonly scores: Float32Array
  /** [T, E] holds the weights of the experts' answers; 0 where a token did not go. */
  readonly weights: Float32Array
}

/** Holds the routing of every layer that has any, and what the network made of the image. */
export interface ForwardWithRouting {
  /** Lists the layers, first layer first. */
  readonly layers: readonly RoutedLayer[]
  /** [1, N], or the embedding [1, D] without a classifier. */
  readonly logits: NdArray
  /** Counts rows and columns of the patches. */
  readonly grid: PatchGrid
}

/** Is a network with the grid and the rule of positions that its size gives. */
export interface PlacedNet {
  readonly network: Network
  readonly grid: PatchGrid
  readonly rule: PositionRule
}

export async function attendAll(
  net: PlacedNet,
  x: NdArray,
  { headFusion = 'none', signal }: AttentionOptions,
): Promise<ForwardWithAttention> {
  const { config } = net.network
  const blocks = Array.from({ length: config.depth }, (_, block) => block)
  const attention = blocks.map((block) => ({ block, tokens: null, heads: null, fusion: headFusion }))
  const { plan, values, batch, logits } = await run(net, x, { inspection: { attention } }, wholeMatrices, signal)
  const tokens = specialTokens(config) + plan.grid.rows * plan.grid.columns
  const attentions = wholeMatrices(plan).map((slot) => {
    const matrices = inBirderOrder(slotValues(values, slot), tokens, config)
    return ndArray(matrices, [batch, matrices.length / (batch * tokens * tokens), tokens, tokens])
  })
  return { attentions, logits, grid: plan.grid }
}

export async function routeAll(
  net: PlacedNet,
  x: NdArray,
  signal: AbortSignal | undefined,
): Promise<ForwardWithRouting> {
  const routes = ({ plan }: VitPlan) => plan.steps.filter((step): step is Route => step.op === 'route')
  const wanted = (plan: VitPlan) => routes(plan).flatMap(({ input, output }) => [input, output])
  const { batch } = imageShape(x)
  if (batch !== 1) throw new EngineError('wrong-size', `Routing is seen of one image at a time, got ${batch}.`)
  const { plan, values, logits } = await run(net, x, {}, wanted, signal)
  const steps = routes(plan)
  if (steps.length === 0)
    throw new EngineError('unsupported', 'This network has no layers whose experts are chosen by a router.')
  const layers: RoutedLayer[] = []
  for (const step of steps) {
    const [tokens, weights] = [slotValues(values, step.input), slotValues(values, step.output)]
    const experts = sizeAt(plan.plan.slots.get(step.output) ?? [], 1)
    const gate = await net.network.readWeight(step.gate, [experts, net.network.config.width])
    const scores = new Float32Array(weights.length)
    linear(tokens, gate, null, weights.length / experts, scores)
    layers.push({ block: Number(/\d+/.exec(step.output)?.[0]), choice: step.choice, scores, weights })
  }
  return { layers, logits, grid: plan.grid }
}

async function run(
  { network, grid, rule }: PlacedNet,
  x: NdArray,
  variant: PlanChoice,
  inside: (plan: VitPlan) => readonly SlotName[],
  signal: AbortSignal | undefined,
) {
  const { batch } = imageShape(x, network.config.channels)
  const choice = { ...variant, positions: rule }
  const plan = network.planFor(grid, choice)
  const scores = plan.slots.logits ?? plan.slots.embedding
  const outputs = [...new Set([scores, ...inside(plan)])]
  const values = await network.run(x.data, { ...choice, grid, batch, outputs, ...(signal === undefined ? {} : { signal }) })
  const data = slotValues(values, scores)
  await network.assertFinite(data)
  const rows = plan.slots.logits === null ? data.length / (batch * tokenWidth(network.config)) : 1
  const logits = ndArray(data, [batch, ...(rows === 1 ? [] : [rows]), data.length / (batch * rows)])
  return { plan, values, batch, logits }
}

/** Names the slots of the [T, T] matrices, one for each layer. Throws `EngineError` `unsupported` where there are none. */
function wholeMatrices({ slots, inspected }: VitPlan): readonly SlotName[] {
  const found = [...inspected.attention.values()]
  const isWhole = found.every(({ rows }) => rows.every(({ keys }) => keys === null))
  if (isWhole && found.length === slots.blocks.length) return found.map(({ slot }) => slot)
  throw new EngineError(
    'unsupported',
    'The tokens of this network do not all attend to each other (they stand in windows, or several attentions lie side by side): its layers have no one matrix.',
  )
}

/** Puts rows and columns of matrices [..., T, T] in Birder's order of tokens. */
function inBirderOrder(values: Float32Array, tokens: number, config: VitConfig): Float32Array {
  const numbers = Float32Array.from({ length: tokens }, (_, token) => token)
  const order = birderOrder(numbers, 1, { ...config, width: 1 })
  if (order.every((from, to) => from === to)) return values
  const out = new Float32Array(values.length)
  for (let row = 0; row < values.length / tokens; row++) {
    const from = row - (row % tokens) + (order[row % tokens] ?? 0)
    for (const [column, key] of order.entries()) out[row * tokens + column] = values[from * tokens + key] ?? Number.NaN
  }
  return out
}
