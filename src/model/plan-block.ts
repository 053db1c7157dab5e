/**
 * Plans one transformer block: x + scale(attention(norm x)), then x + scale(feed-forward(norm x)), or with its norms behind the branches, or with both
 * branches on one norm; and each with one branch or several side by side.
 */
import type { NormWeights, SelfAttention, SlotName } from '../engine/plan.js'
import { biasName, rotaryName } from './grid-tables.js'
import {
  type AttentionTap,
  indexConstant,
  type PlannedQueries,
  type PlannedWeights,
  planHeads,
  rowsOf,
  rowsOfTokens,
} from './inspection.js'
import type { PlanBuilder } from './plan-builder.js'
import { hasExperts, planExperts } from './plan-experts.js'
import { planWindowed, type Seeing } from './plan-windows.js'
import type { PatchGrid } from './positions.js'
import type { VitConfig } from './vit-config.js'

/** Holds what all blocks of a plan are made with. */
export interface BlockContext {
  readonly builder: PlanBuilder
  readonly config: VitConfig
  readonly grid: PatchGrid
  /** Tells whether the plan has its tables, so that steps may name them. */
  readonly hasTables: boolean
  /** Stands in front of a block's number in the names of slots and weights; default `encoder.block`. */
  readonly blocks?: string
  /** Says of which blocks attention is wanted, and keeps where that and what it is made of lies; absent for blocks that are nobody's to look into. */
  readonly seen?: {
    readonly taps: readonly AttentionTap[]
    readonly attention: Map<number, PlannedWeights>
    readonly projected: Map<number, PlannedQueries>
  }
}

type PlanBranch = (context: BlockContext, index: number, name: string, input: SlotName) => SlotName

/** Says of one half of a block how its norm, its branch and its layer scale are called. */
interface Half {
  readonly norm: string
  readonly branch: string
  readonly scale: string
  readonly plan: PlanBranch
}

const ATTENTION: Half = { norm: 'norm1', branch: 'attn', scale: 'layer_scale_1', plan: planAttention }
const FEED_FORWARD: Half = { norm: 'norm2', branch: 'mlp', scale: 'layer_scale_2', plan: planMlp }

export function planBlock(context: BlockContext, index: number, input: SlotName): SlotName {
  const name = nameOf(context, index)
  if (context.config.block === 'parallel') return planParallelBlock(context, index, input)
  const middle = planHalf(context, index, ATTENTION, input, `${name}.middle`)
  return planHalf(context, index, FEED_FORWARD, middle, name)
}

function nameOf({ blocks = 'encoder.block' }: BlockContext, index: number): string {
  return `${blocks}.${index}`
}

function planHalf(
  context: BlockContext,
  index: number,
  half: Half,
  input: SlotName,
  output: SlotName,
): SlotName {
  const { builder, config } = context
  const block = nameOf(context, index)
  let current = input
  for (let branch = 0; branch < config.branches; branch++) {
    const name = config.branches === 1 ? block : `${block}.branch.${branch}`
    const isLast = branch === config.branches - 1
    const added = planBranch(context, index, half, name, input)
    const sum = isLast ? output : `${name}.${half.branch}.sum`
    current = builder.step({ op: 'add', input: current, branch: added, output: sum }, builder.shapeOf(input))
  }
  return current
}

function planBranch(
  context: BlockContext,
  index: number,
  half: Half,
  name: string,
  input: SlotName,
): SlotName {
  const { builder, config } = context
  const norm = (of: SlotName) =>
    builder.norm(
      of,
      `${name}.${half.norm}`,
      builder.normWeights(`${name}.${half.norm}`, config.width, config.norm, config.epsilon),
    )
  const isPost = config.block === 'postNorm'
  const branch = half.plan(context, index, `${name}.${half.branch}`, isPost ? input : norm(input))
  return scaled(context, `${name}.${half.scale}`, isPost ? norm(branch) : branch)
}

/** Both branches read one norm, and share one layer scale. */
function planParallelBlock(context: BlockContext, index: number, input: SlotName): SlotName {
  const { builder, config } = context
  const name = nameOf(context, index)
  const shape = builder.shapeOf(input)
  const weights = builder.normWeights(`${name}.norm1`, config.width, config.norm, config.epsilon)
  const normed = builder.norm(input, `${name}.norm1`, weights)
  const attended = planAttention(context, index, `${name}.attn`, normed)
  const branch = planMlp(context, index, `${name}.mlp`, normed)
  const sum = builder.step({ op: 'add', input: attended, branch, output: `${name}.sum` }, shape)
  return builder.step(
    { op: 'add', input, branch: scaled(context, `${name}.layer_scale_1`, sum), output: name },
    shape,
  )
}

function scaled({ builder, config }: BlockContext, name: string, branch: SlotName): SlotName {
  if (!config.layerScale) return branch
  const gamma = builder.weight(`${name}.gamma`, [config.width])
  return builder.step({ op: 'scale', input: branch, output: name, gamma }, builder.shapeOf(branch))
}

function planAttention(context: BlockContext, index: number, name: string, input: SlotName): SlotName {
  const { config, grid, hasTables } = context
  const { bias, windows } = config
  const attend = (of: SlotName, seeing: Seeing) => planAttending(context, index, name, of, seeing)
  if (windows !== null) return planWindowed(context, windows, index, input, attend)
  const relative =
    bias === null || !hasTables
      ? null
      : ({ kind: 'relative', table: biasName(config, index), ...grid } as const)
  return attend(input, { groups: 1, mask: null, bias: relative, tokens: null })
}

function planAttending(
  context: BlockContext,
  index: number,
  name: string,
  input: SlotName,
  { tokens, ...seeing }: Seeing,
): SlotName {
  const { builder, config, hasTables } = context
  const { width, heads, rotary } = config
  const headWidth = width / heads
  const qkv = builder.linear(input, `${name}.qkv`, `${name}.qkv`, 3 * width, config.qkvBias)
  const headNorm = (part: string): NormWeights | null =>
    config.queryKeyNorm
      ? builder.normWeights(`${name}.${part}`, headWidth, config.norm, config.epsilon)
      : null
  const scores: SelfAttention = {
    input: qkv,
    heads,
    scale: headWidth ** -0.5,
    queryNorm: headNorm('q_norm'),
    keyNorm: headNorm('k_norm'),
    rotary: rotary === null || !hasTables ? null : { table: rotaryName(config, index), pairs: rotary.pairs },
    ...seeing,
  }
  planWeights(context, index, name, scores, tokens)
  let merged = builder.step(
    { op: 'attention', output: config.attentionNorm ? `${name}.merged` : `${name}.heads`, ...scores },
    builder.shapeOf(input),
  )
  if (config.attentionNorm) {
    merged = builder.norm(
      merged,
      `${name}.heads`,
      builder.normWeights(`${name}.norm`, width, config.norm, config.epsilon),
    )
  }
  return builder.linear(merged, `${name}.proj`, `${name}.proj`, width)
}

/** Gives the weights of the same attention where they are asked for. */
function planWeights(
  { builder, config, seen }: BlockContext,
  index: number,
  name: string,
  scores: SelfAttention,
  tokens: readonly number[] | null,
): void {
  // What several attentions side by side see is none of one block.
  if (seen === undefined || config.branches > 1) return
  seen.projected.set(index, { slot: scores.input, tokens })
  const tap = seen.taps.find(({ block }) => block === index)
  if (tap === undefined) return
  const count = rowsOf(builder, scores.input)
  const { rows, of } = rowsOfTokens(tap.tokens, tokens, count, scores.groups)
  const output = `${name}.weights`
  const { chosen, fusion, given } = planHeads(builder, output, tap, scores.heads)
  const named = rows === null ? null : indexConstant(builder, `${output}.rows`, rows)
  builder.step({ op: 'attentionWeights', ...scores, output, rows: named, chosen, fusion }, [
    given * of.length,
    count / scores.groups,
  ])
  seen.attention.set(index, { slot: output, heads: given, rows: of })
}

function planMlp(context: BlockContext, index: number, name: string, input: SlotName): SlotName {
  const { builder, config } = context
  const { width, hidden, activation } = config
  if (hasExperts(config, index)) return planExperts(context, name, input)
  const norm = () => builder.normWeights(`${name}.norm`, hidden, config.norm, config.epsilon)
  if (config.mlp !== 'swiglu' && config.mlp !== 'normSwiglu') {
    const sizes = { hidden, width, kind: activation }
    return builder.feedForward(input, name, sizes, config.mlp === 'normFfn' ? norm() : null)
  }
  const sizes = { hidden, width, kind: activation }
  return builder.gatedFeedForward(input, name, sizes, config.mlp === 'normSwiglu' ? norm() : null)
}
