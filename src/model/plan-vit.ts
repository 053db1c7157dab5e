/**
 * Plans a vision transformer: which steps run in which order on which weights. Slots and weights carry the names of Birder's modules;
 * the order of tokens is class token, registers, patches.
 */
import type { Constant, ConstantName, Plan, SlotName } from '../engine/plan.js'
import { POSITIONS } from './grid-tables.js'
import type { Inspection, PlannedInspection, PlannedQueries, PlannedWeights } from './inspection.js'
import type { Overlap } from './overlap.js'
import { planBlock } from './plan-block.js'
import { PlanBuilder } from './plan-builder.js'
import { planHead } from './plan-head.js'
import { type Masking, planOmission, planRetention, tablesOfKept } from './plan-masking.js'
import { planNeck } from './plan-neck.js'
import { planPooling } from './plan-pooling.js'
import { planStem } from './plan-stem.js'
import { toGrid, toWindows } from './plan-windows.js'
import type { PatchGrid } from './positions.js'
import { type EmbeddingKind, specialTokens, tokenWidth, type VitConfig } from './vit-config.js'

/** Is a vision transformer's plan for one patch grid, and where to find what in it. */
export interface VitPlan {
  /** Is what an engine runs. */
  readonly plan: Plan
  /** Is the patch grid that it is for. */
  readonly grid: PatchGrid
  /** Tells where to find what. Token slots are [T, D]; `embedding` is [1, D]; `logits` is [1, N]. */
  readonly slots: {
    /** Holds the tokens after the final norm and the head behind it, or the last block's output where there is none. */
    readonly tokens: SlotName
    /** Hold each block's output, before any final norm. */
    readonly blocks: readonly SlotName[]
    /** Hold the layers that a backbone hands out, in their order; the last block's output where it names none. */
    readonly taps: readonly SlotName[]
    /** Names what stands for the image as the library that wrote the file has it, [1, D], or [rows, D] where several tokens do. */
    readonly embedding: SlotName
    /** Names every embedding that the network has, by its kind. */
    readonly embeddings: ReadonlyMap<EmbeddingKind, SlotName>
    /** Names the class scores, [1, N]; null without a classifier. */
    readonly logits: SlotName | null
  }
  /** Tells where lies what was asked for within the network. */
  readonly inspected: PlannedInspection
}

/** Says what of a plan is not as usual. */
export interface PlanVariant {
  /** Says what of the image is masked; default: nothing. */
  readonly masking?: Masking
  /** Says how patches overlap; default: they lie side by side. */
  readonly overlap?: Overlap
  /** Says what is looked at within the network; default: nothing. */
  readonly inspection?: Inspection
}

/**
 * Writes the plan of a vision transformer for one patch grid.
 *
 * @param grid patches of the input; its pixels are grid times patch size, unless patches overlap
 * @param tables what `gridTables` makes for this grid; null for a plan that is asked for shapes only, and leaves out what rests on tables
 * @param variant what is masked, overlaps or is looked at; default: nothing
 */
export function planVit(
  config: VitConfig,
  grid: PatchGrid,
  tables: ReadonlyMap<ConstantName, Constant> | null,
  { masking, overlap, inspection = {} }: PlanVariant = {},
): VitPlan {
  const builder = new PlanBuilder()
  const { width, patchSize } = config
  const [height, across] = overlap?.size ?? [grid.rows * patchSize, grid.columns * patchSize]
  const input = builder.slot('pixels', [config.channels, height, across])
  const stem = planStem(builder, config, input, overlap?.stride)
  const patches = masking?.kind === 'retention' ? planRetention(builder, masking, stem) : stem
  const kept = masking?.kind === 'omission' ? masking.kept : null

  const { windows, neck } = config
  const areWindowed = windows?.around === 'blocks'
  const attention = new Map<number, PlannedWeights>()
  const projected = new Map<number, PlannedQueries>()
  const seen = { taps: inspection.attention ?? [], attention, projected }
  const context = { builder, config, grid, hasTables: tables !== null, seen }
  const whole = (slot: SlotName, output: SlotName) =>
    areWindowed ? toGrid(context, windows, slot, output) : slot
  const tokens = specialTokens(config) + grid.rows * grid.columns
  const used = kept === null || tables === null ? tables : tablesOfKept(config, tables, kept)
  for (const [name, table] of used ?? []) builder.constants.set(name, table)
  let current = builder.step(
    {
      op: 'assembleTokens',
      input: patches,
      output: areWindowed ? 'encoder.grid' : 'encoder.input',
      classToken: config.classToken ? builder.weight('class_token', [1, width]) : null,
      registers: config.registers > 0 ? builder.weight('reg_tokens', [config.registers, width]) : null,
      positions: tables?.has(POSITIONS) ? POSITIONS : null,
    },
    [tokens, width],
  )
  if (kept !== null) current = planOmission(builder, config, kept, current)
  if (config.preNorm) {
    const weights = builder.normWeights('encoder.pre_block.0', width, config.norm, config.epsilon)
    current = builder.norm(current, 'encoder.pre_block', weights)
  }
  const entering = current
  if (areWindowed) current = toWindows(context, windows, current, 'encoder.input')
  const blocks: SlotName[] = []
  for (let index = 0; index < config.depth; index++) {
    current = planBlock(context, index, current)
    blocks.push(whole(current, `${current}.grid`))
  }
  const last = blocks.at(-1) ?? entering
  const finish = (slot: SlotName, output: SlotName) => {
    if (neck !== null) return planNeck(builder, config, neck, grid, slot, output)
    if (config.finalNorm !== 'tokens') return slot
    return builder.norm(slot, output, builder.normWeights('norm', width, config.norm, config.epsilon))
  }
  const normed = new Map<number, SlotName>()
  for (const block of inspection.normed ?? []) {
    const slot = blocks[block] ?? entering
    normed.set(block, finish(slot, `${slot}.inspected`))
  }
  current = finish(last, neck === null ? 'norm' : 'neck')
  const taps = (config.taps ?? [{ layer: config.depth, isNormed: false }]).map(({ layer, isNormed }) => {
    const tapped = layer === 0 ? entering : (blocks[layer - 1] ?? entering)
    if (!isNormed) return tapped
    if (neck !== null) return layer === config.depth ? current : finish(tapped, `${tapped}.neck`)
    if (layer === config.depth && config.finalNorm === 'tokens') return current
    const weights = builder.normWeights('norm', width, config.norm, config.epsilon)
    return builder.norm(tapped, `${tapped}.normed`, weights)
  })
  if (config.head !== null) {
    const normedOf = (block: number) => finish(blocks[block] ?? entering, `encoder.block.${block}.normed`)
    current = planHead(context, config.head, { tokens: current, normed: normedOf })
  }
  const pooled = { ...config, width: tokenWidth(config) }
  const { embedding, embeddings, logits, probe } = planPooling(
    builder,
    pooled,
    current,
    blocks,
    inspection.probe,
  )
  return {
    plan: {
      slots: builder.slots,
      steps: builder.steps,
      inputs: [{ kind: 'pixels', slot: input }],
      weights: builder.weights,
      constants: builder.constants,
    },
    grid,
    slots: { tokens: current, blocks, taps, embedding, embeddings, logits },
    inspected: { projected, attention, probe, normed },
  }
}
