/**
 * Says what is looked at within a network, beside what every plan gives: attention of blocks and of the pooling head, layers behind the final norm. It is
 * planned where the block is, on the same queries and keys, so that what is seen is what was computed with.
 */
import type { HeadFusion, SlotName } from '../engine/plan.js'
import { sizeAt } from '../tensor/shape.js'
import type { PlanBuilder } from './plan-builder.js'

/** Asks a plan for more than it gives by itself. Nothing of it costs anything where it is not among the outputs of a run. */
export interface Inspection {
  /** Asks for the attention of blocks, at most once of each. */
  readonly attention?: readonly AttentionTap[]
  /** Asks for the attention of the query with which the pooling head looks at the tokens. */
  readonly probe?: ChosenWeights
  /** Numbers the blocks whose tokens are wanted behind the final norm. */
  readonly normed?: readonly number[]
}

/** Says of which heads attention is wanted, and whether they are joined. */
export interface ChosenWeights {
  /** Numbers the heads, from 0; null for all. */
  readonly heads: readonly number[] | null
  /** Says what the heads become, value by value; `none` leaves each on its own. */
  readonly fusion: HeadFusion
}

/** Asks for the attention of a block. */
export interface AttentionTap extends ChosenWeights {
  /** Is the block's number, from 0. */
  readonly block: number
  /** Numbers the tokens that attend, in the order class token, registers, patches; null for all. */
  readonly tokens: readonly number[] | null
}

/** Says where attention lies in a plan. */
export interface PlannedWeights {
  /** Names the slot: [M * rows, keys], head by head. */
  readonly slot: SlotName
  /** Counts the heads in it, M: 1 where they are joined. */
  readonly heads: number
  /** Says of each row which token it is of: one that has a copy in each of several windows has several rows. */
  readonly rows: readonly {
    /** Is the token's number; 0 for the query of a pooling head. */
    readonly token: number
    /** Numbers the token that each key is, and -1 where a window is empty; null where keys are all tokens in their order. */
    readonly keys: readonly number[] | null
  }[]
}

/** Says where the queries, keys and values of a block lie. */
export interface PlannedQueries {
  /** Names the slot: q, k and v side by side, [rows, 3 * D], each head by head. */
  readonly slot: SlotName
  /** Says which token each row is, and -1 for an empty place of a window; null where the rows are all tokens in their order. */
  readonly tokens: readonly number[] | null
}

/** Says where all that was asked for lies, and what can always be had. */
export interface PlannedInspection {
  /** Leads from a block's number to its queries, keys and values, where it attends once. */
  readonly projected: ReadonlyMap<number, PlannedQueries>
  /** Leads from a block's number to its attention. */
  readonly attention: ReadonlyMap<number, PlannedWeights>
  /** Is the attention of the pooling head; null where it was not asked for. */
  readonly probe: PlannedWeights | null
  /** Leads from a block's number to its tokens behind the final norm, [T, D]. */
  readonly normed: ReadonlyMap<number, SlotName>
}

/**
 * Finds the rows of tokens among the rows that attend to each other.
 *
 * @param asked numbers the tokens; null for all
 * @param tokens says which token each row is, and -1 for none, in groups of which each attends to itself alone; null where the rows are all tokens in their order
 */
export function rowsOfTokens(
  asked: readonly number[] | null,
  tokens: readonly number[] | null,
  count: number,
  groups: number,
): { readonly rows: readonly number[] | null; readonly of: PlannedWeights['rows'] } {
  if (tokens === null) {
    const of = asked ?? Array.from({ length: count }, (_, token) => token)
    return { rows: asked, of: of.map((token) => ({ token, keys: null })) }
  }
  const each = tokens.length / groups
  const keys = Array.from({ length: groups }, (_, group) => tokens.slice(group * each, (group + 1) * each))
  const isAsked = asked === null ? null : new Set(asked)
  const rows = [...tokens.keys()].filter((row) => {
    const token = tokens[row] ?? -1
    return token >= 0 && (isAsked === null || isAsked.has(token))
  })
  return {
    rows,
    of: rows.map((row) => ({ token: tokens[row] ?? -1, keys: keys[Math.floor(row / each)] ?? null })),
  }
}

/** Makes the constant that names the chosen heads, and counts what comes out. */
export function planHeads(
  builder: PlanBuilder,
  name: string,
  { heads, fusion }: ChosenWeights,
  count: number,
): { readonly chosen: string | null; readonly fusion: HeadFusion; readonly given: number } {
  const given = fusion === 'none' ? (heads?.length ?? count) : 1
  if (heads === null) return { chosen: null, fusion, given }
  return { chosen: indexConstant(builder, `${name}.chosen`, heads), fusion, given }
}

/** Puts whole numbers into the plan, as steps that read an index want them. */
export function indexConstant(builder: PlanBuilder, name: string, numbers: readonly number[]): string {
  builder.constants.set(name, { shape: [numbers.length, 1], values: Float32Array.from(numbers) })
  return name
}

/** Counts the tokens of a slot. */
export function rowsOf(builder: PlanBuilder, slot: SlotName): number {
  return sizeAt(builder.shapeOf(slot), 0)
}
