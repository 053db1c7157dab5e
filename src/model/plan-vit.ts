/**
 * Plans a vision transformer: which steps run in which order on which weights. Slots and weights carry the names of Birder's modules;
 * the order of tokens is class token, registers, patches.
 */
import type { Constant, ConstantName, Plan, SlotName } from '../engine/plan.js'
import { POSITIONS } from './grid-tables.js'
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
}

/**
 * Writes the plan of a vision transformer for one patch grid.
 *
 * @param grid patches of the input; its pixels are grid times patch size
 * @param tables what `gridTables` makes for this grid; null for a plan that is asked for shapes only, and leaves out what rests on tables
 * @param masking what of the image is masked; default: nothing
 */
export function planVit(
  config: VitConfig,
  grid: PatchGrid,
  tables: ReadonlyMap<ConstantName, Constant> | null,
  masking: Masking | null = null,
): VitPlan {
  const builder = new PlanBuilder()
  const { width, patchSize } = config
  const input = builder.slot('pixels', [config.channels, grid.rows * patchSize, grid.columns * patchSize])
  const stem = planStem(builder, config, input)
  const patches = masking?.kind === 'retention' ? planRetention(builder, masking, stem) : stem
  const kept = masking?.kind === 'omission' ? masking.kept : null

  const { windows, neck } = config
  const areWindowed = windows?.around === 'blocks'
  const context = { builder, config, grid, hasTables: tables !== null }
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
    const normed = (block: number) => finish(blocks[block] ?? entering, `encoder.block.${block}.normed`)
    current = planHead(context, config.head, { tokens: current, normed })
  }
  const pooled = { ...config, width: tokenWidth(config) }
  const { embedding, embeddings, logits } = planPooling(builder, pooled, current)
  return {
    plan: {
      slots: builder.slots,
      steps: builder.steps,
      input,
      weights: builder.weights,
      constants: builder.constants,
    },
    grid,
    slots: { tokens: current, blocks, taps, embedding, embeddings, logits },
  }
}
