/** Makes what is asked of attention into rows and heads of a network, and attention weights of what an engine gives for them. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { EngineError } from '../engine/engine-error.js'
import { addParts, type PartSizes, partRows, type WeightParts } from '../kernels/part-weights.js'
import type { ChosenWeights, Inspection, PlannedWeights } from '../model/inspection.js'
import type { VitPlan } from '../model/plan-vit.js'
import type { PatchGrid } from '../model/positions.js'
import { specialTokens, type VitConfig } from '../model/vit-config.js'
import { type Attending, attendingOf } from './attending.js'
import { blockIndex } from './block-index.js'
import type {
  AttendingToken,
  AttentionChoice,
  AttentionFrom,
  AttentionHeads,
  AttentionMap,
  PatchPlace,
} from './inspected.js'
import type { EncoderDescription } from './types.js'

export const ATTENTION_OPTIONS = {
  layers: true,
  heads: true,
  from: true,
  maxBytes: true,
  inexact: true,
} satisfies OptionNames<AttentionChoice>

/** So many bytes of weights are made of an image unless more are asked for. */
const DEFAULT_MAX_BYTES = 2 ** 30

/** Is a choice of attention with everything settled but the grid. */
interface SettledAttention {
  /** Numbers the blocks; null for the query of a pooling head. */
  readonly blocks: readonly number[] | null
  readonly heads: AttentionHeads
  readonly headCount: number
  readonly from: AttentionFrom
}

/** Settles what was left open. Throws RangeError for a layer or head that is not there, and for tokens that the network has not. */
export function settleAttention(choice: AttentionChoice, attending: Attending): SettledAttention {
  const { depth, attends } = attending
  const from = choice.from ?? (attends.classToken || attends.probeHeads === null ? 'class' : 'probe')
  assertAttends(from, attending)
  const isProbe = from === 'probe'
  if (isProbe && choice.layers !== undefined) {
    throw new RangeError(
      'The query of a pooling head (attention.from probe) stands behind the last block: leave attention.layers out.',
    )
  }
  const heads = choice.heads ?? 'each'
  const count = (isProbe ? attends.probeHeads : attends.heads) ?? 0
  const blocks = isProbe
    ? null
    : [...new Set((choice.layers ?? [-1]).map((layer) => blockIndex(layer, depth)))]
  return { blocks, heads, headCount: countHeads(heads, count), from }
}

function assertAttends(from: AttentionFrom, { registers, attends }: Attending): void {
  const { classToken, probeHeads } = attends
  const instead =
    "Give the places of patches ({ row, column }), or 'patches' for all of them, as attention.from."
  if (from === 'class' && !classToken)
    throw new RangeError(`This network has no class token whose attention could be seen. ${instead}`)
  if (from === 'registers' && registers === 0)
    throw new RangeError(`This network has no registers whose attention could be seen. ${instead}`)
  if (from === 'special' && registers === 0 && !classToken)
    throw new RangeError(`This network has neither class token nor registers. ${instead}`)
  if (from === 'probe' && probeHeads === null) {
    throw new RangeError(
      `This network has no pooling head whose query attends to the tokens head by head. ${classToken ? "Take the class token's attention, from 'class'." : instead}`,
    )
  }
  if (typeof from !== 'string' && from.length === 0)
    throw new RangeError(`The option attention.from lists no patch. ${instead}`)
}

function countHeads(heads: AttentionHeads, count: number): number {
  if (heads === 'each') return count
  if (typeof heads === 'string') return 1
  if (heads.length === 0) throw new RangeError('The option attention.heads lists no head.')
  for (const head of heads) {
    if (Number.isInteger(head) && head >= 0 && head < count) continue
    throw new RangeError(
      `There is no attention head ${head}: this network has ${count} in a block, numbered 0 to ${count - 1}.`,
    )
  }
  return heads.length
}

/**
 * Tells how many bytes the attention weights of one image have, as they are handed out: M heads of N tokens to all T, for each layer. While they are made twice as
 * many are needed.
 *
 * @param encoder is an encoder, or its description
 * @param grid counts the patches of the image
 * @throws RangeError for a layer or head that is not there, a patch outside the grid, and tokens that the network has not
 */
export function attentionBytes(
  encoder: Pick<EncoderDescription, 'depth' | 'registers' | 'attends'>,
  grid: PatchGrid,
  choice: AttentionChoice,
): number {
  checkOptionNames(choice, ATTENTION_OPTIONS)
  const { blocks, headCount, from } = settleAttention(choice, encoder)
  const special = encoder.registers + (encoder.attends.classToken ? 1 : 0)
  const tokens = special + grid.rows * grid.columns
  const rows = tokensOf(from, encoder, grid)?.length ?? tokens
  return 4 * (blocks?.length ?? 1) * headCount * rows * tokens
}

/** Throws RangeError where the weights of an image would be more than is allowed. */
export function assertAllowed(attending: Attending, grid: PatchGrid, choice: AttentionChoice): number {
  const { maxBytes = DEFAULT_MAX_BYTES } = choice
  const bytes = attentionBytes(attending, grid, choice)
  if (bytes <= maxBytes) return Math.max(1, Math.floor(maxBytes / bytes))
  const mib = (count: number) => `${Math.ceil(count / 2 ** 20).toLocaleString('en')} MiB`
  throw new RangeError(
    `The attention that is asked for has ${mib(bytes)} for an image of ${grid.rows} x ${grid.columns} patches, and ${mib(maxBytes)} are allowed. ` +
      `Ask for fewer layers, join heads (heads: 'mean'), take the rows of single tokens (from: 'class'), or raise attention.maxBytes to ${bytes}.`,
  )
}

/** Numbers the tokens that attend; null for all. The probe is no token, and counts as one. */
function tokensOf(
  from: AttentionFrom,
  { registers, attends }: Attending,
  grid: PatchGrid,
): readonly number[] | null {
  const first = attends.classToken ? 1 : 0
  const special = first + registers
  const range = (start: number, end: number) => Array.from({ length: end - start }, (_, at) => start + at)
  switch (from) {
    case 'class':
    case 'probe':
      return [0]
    case 'registers':
      return range(first, special)
    case 'special':
      return range(0, special)
    case 'patches':
      return range(special, special + grid.rows * grid.columns)
    case 'all':
      return null
    default:
      return from.map((place) => special + patchIndex(place, grid))
  }
}

function patchIndex({ row, column }: PatchPlace, { rows, columns }: PatchGrid): number {
  const isInside = (at: number, count: number) => Number.isInteger(at) && at >= 0 && at < count
  if (isInside(row, rows) && isInside(column, columns)) return row * columns + column
  throw new RangeError(
    `There is no patch (${row}, ${column}) in a grid of ${rows} x ${columns}: rows are numbered 0 to ${rows - 1}, columns 0 to ${columns - 1}.`,
  )
}

/** Says what a plan is asked for. Throws RangeError for a patch outside the grid. */
export function attentionInspection(
  choice: AttentionChoice,
  config: VitConfig,
  grid: PatchGrid,
): Pick<Inspection, 'attention' | 'probe'> {
  const attending = attendingOf(config)
  const { blocks, heads, from } = settleAttention(choice, attending)
  const chosen: ChosenWeights =
    typeof heads === 'string'
      ? { heads: null, fusion: heads === 'each' ? 'none' : heads }
      : { heads, fusion: 'none' }
  if (blocks === null) return { probe: chosen }
  const tokens = tokensOf(from, attending, grid)
  return { attention: blocks.map((block) => ({ block, tokens, ...chosen })) }
}

/** Lists where the attention that was asked for lies in the plan. Throws `unsupported` where the plan has none. */
export function plannedAttention(
  choice: AttentionChoice,
  { inspected }: VitPlan,
  config: VitConfig,
): readonly (readonly [layer: number, planned: PlannedWeights])[] {
  const { blocks } = settleAttention(choice, attendingOf(config))
  const found = blocks?.map((block) => [block, inspected.attention.get(block)] as const) ?? [
    [config.depth, inspected.probe ?? undefined] as const,
  ]
  return found.map(([layer, planned]) => {
    if (planned !== undefined) return [layer, planned] as const
    throw new EngineError(
      'unsupported',
      `A block of this network attends ${config.branches} times side by side, so that there is no attention of the block as such.`,
    )
  })
}

/**
 * Takes the weights of one image apart.
 *
 * @param values float32 [M * rows, keys], as the plan has them; they are used up
 */
export function attentionMapOf(
  choice: AttentionChoice,
  [layer, planned]: readonly [layer: number, planned: PlannedWeights],
  values: Float32Array,
  config: VitConfig,
  grid: PatchGrid,
): AttentionMap {
  const attending = attendingOf(config)
  const { heads, from } = settleAttention(choice, attending)
  const tokens = tokensOf(from, attending, grid) ?? everyToken(config, grid)
  const sizes = {
    classTokens: config.classToken ? 1 : 0,
    registers: config.registers,
    patches: grid.rows * grid.columns,
  }
  const isWhole = planned.rows.every(({ keys }) => keys === null)
  return {
    layer,
    heads,
    headCount: planned.heads,
    rows: tokens.map((token) => attendingToken(token, from, config, grid)),
    ...(isWhole ? partRows(values, sizes) : gatheredParts(planned, tokens, values, sizes)),
  }
}

/** Puts rows together that have keys of their own, of tokens that may have several rows. */
function gatheredParts(
  { heads, rows }: PlannedWeights,
  tokens: readonly number[],
  values: Float32Array,
  sizes: PartSizes,
): WeightParts {
  const count = heads * tokens.length
  const parts = {
    toPatches: new Float32Array(count * sizes.patches),
    toClass: new Float32Array(count * sizes.classTokens),
    toRegisters: new Float32Array(count * sizes.registers),
  }
  const places = placesOf(tokens)
  const copies = new Map<number, number>()
  for (const { token } of rows) copies.set(token, (copies.get(token) ?? 0) + 1)
  const width = values.length / (heads * rows.length)
  for (let head = 0; head < heads; head++) {
    for (const [row, { token, keys }] of rows.entries()) {
      const start = (head * rows.length + row) * width
      const weights = values.subarray(start, start + width)
      for (const at of places.get(token) ?? [])
        addParts(weights, keys, 1 / (copies.get(token) ?? 1), sizes, parts, head * tokens.length + at)
    }
  }
  return parts
}

/** Leads from a token to its places among those that were asked for, which may name one twice. */
function placesOf(tokens: readonly number[]): ReadonlyMap<number, readonly number[]> {
  const places = new Map<number, number[]>()
  for (const [at, token] of tokens.entries()) places.set(token, [...(places.get(token) ?? []), at])
  return places
}

function everyToken(config: VitConfig, { rows, columns }: PatchGrid): readonly number[] {
  return Array.from({ length: specialTokens(config) + rows * columns }, (_, token) => token)
}

function attendingToken(
  token: number,
  from: AttentionFrom,
  config: VitConfig,
  { columns }: PatchGrid,
): AttendingToken {
  if (from === 'probe') return { kind: 'probe' }
  const first = config.classToken ? 1 : 0
  if (token < first) return { kind: 'class' }
  const patch = token - specialTokens(config)
  if (patch < 0) return { kind: 'register', index: token - first }
  return { kind: 'patch', row: Math.floor(patch / columns), column: patch % columns }
}
