/** Holds what became of the rows of a part, column by column, in the order of the source. */
import { toHalf } from '../tensor/float16.js'
import type { PartDtype } from './job.js'
import type { RowFailure } from './row.js'

/** Is a row that has an embedding. */
export interface EmbeddedRow {
  /** [D] As the model gave it. */
  readonly embedding: Float32Array
  /** Counts the pixels of the image as it was used. */
  readonly size: readonly [height: number, width: number]
}

export type RowOutcome = EmbeddedRow | RowFailure

/** Is a row of a result as it is read back. */
export interface ResultRow {
  readonly id: string
  readonly name: string
  readonly state: 'embedded' | 'failed'
  /** Says why it failed, for programs; null where it did not. */
  readonly code: string | null
  /** Says why it failed, for people. */
  readonly reason: string | null
  /** Says that it may pass by itself. */
  readonly transient: boolean
  readonly height: number | null
  readonly width: number | null
  /** Is the length that the embedding had as the model gave it. */
  readonly norm: number | null
  /** [D] halves or float32 as they are kept, of length 1; null where there is none. */
  readonly embedding: Uint16Array | Float32Array | null
  /** Names the row of the first round that this one replaces. */
  readonly of: readonly [part: number, row: number] | null
}

export function isEmbedded(outcome: RowOutcome): outcome is EmbeddedRow {
  return 'embedding' in outcome
}

/** Makes a row of what became of it: the embedding gets length 1, and one that has none is a failure. */
export function resultOf(
  { id, name, of }: { readonly id: string; readonly name: string; readonly of?: readonly [number, number] },
  outcome: RowOutcome,
  dtype: PartDtype,
): ResultRow {
  const named = { id, name, of: of ?? null }
  if (!isEmbedded(outcome)) return { ...named, ...failed(outcome) }
  const { embedding, size } = outcome
  let square = 0
  // Of very many rows, a call for each number would take longer than all else.
  for (const value of embedding) square += value * value
  const norm = Math.sqrt(square)
  if (!(norm > 0 && Number.isFinite(norm))) {
    const reason = `its embedding has the length ${norm}, and so no direction that could be compared`
    return { ...named, ...failed({ code: 'no-length', reason, transient: false }) }
  }
  const unit = new Float32Array(embedding)
  for (let at = 0; at < unit.length; at++) unit[at] = (unit[at] ?? 0) / norm
  const [height, width] = size
  return {
    ...named,
    state: 'embedded',
    code: null,
    reason: null,
    transient: false,
    height,
    width,
    norm,
    embedding: dtype === 'float16' ? toHalf(unit) : unit,
  }
}

function failed({ code, reason, transient }: RowFailure) {
  return {
    state: 'failed',
    code,
    reason,
    transient,
    height: null,
    width: null,
    norm: null,
    embedding: null,
  } as const
}

/** Counts failed rows by their code. */
export function failuresOf(rows: readonly ResultRow[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { code } of rows) if (code !== null) counts[code] = (counts[code] ?? 0) + 1
  return counts
}
