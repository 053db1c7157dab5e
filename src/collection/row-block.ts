/** Holds rows of a collection column by column, as they go to a store and come from it. */
import type { StoredRows } from '../numerics/nearest-rows.js'
import { float16ToFloat32, toHalf } from '../tensor/float16.js'
import type { Value } from './columns.js'

/** Is [N, D]: float32, or the bits of IEEE halves. Each row has length 1; a row that is not embedded is zeros. */
export type Embeddings = Uint16Array | Float32Array

/** Holds N rows. */
export interface RowBlock {
  /** Is N. */
  readonly count: number
  /** Has N values of each column that was asked for. */
  readonly values: Readonly<Record<string, readonly Value[]>>
  /** Is there where it was asked for. */
  readonly embeddings?: Embeddings
}

/** Is one row, without its embedding. */
export type Row = Readonly<Record<string, Value>>

/** Puts rows that have the same columns into a block. */
export function blockOf(rows: readonly Row[], columns: readonly string[], embeddings?: Embeddings): RowBlock {
  const values = Object.fromEntries(columns.map((name) => [name, rows.map((row) => row[name] ?? null)]))
  return { count: rows.length, values, ...(embeddings === undefined ? {} : { embeddings }) }
}

/** Takes a block apart into rows. */
export function rowsOf({ count, values }: RowBlock): Row[] {
  const columns = Object.entries(values)
  return Array.from({ length: count }, (_, at) =>
    Object.fromEntries(columns.map(([name, column]) => [name, column[at] ?? null])),
  )
}

/** Takes the rows out of a block of which something is true. */
export function chosenOf(block: RowBlock, isChosen: (row: Row) => boolean): RowBlock {
  const places = rowsOf(block).flatMap((row, at) => (isChosen(row) ? [at] : []))
  if (places.length === block.count) return block
  const values = Object.entries(block.values).map(([name, column]) => [
    name,
    places.map((at) => column[at] ?? null),
  ])
  return {
    count: places.length,
    values: Object.fromEntries(values) as RowBlock['values'],
    ...(block.embeddings === undefined ? {} : { embeddings: rowsAt(block.embeddings, block.count, places) }),
  }
}

function rowsAt(embeddings: Embeddings, count: number, places: readonly number[]): Embeddings {
  const width = embeddings.length / count
  const found = new (embeddings instanceof Uint16Array ? Uint16Array : Float32Array)(places.length * width)
  for (const [row, at] of places.entries())
    found.set(embeddings.subarray(at * width, (at + 1) * width), row * width)
  return found
}

/** Leaves the other columns out of a block. */
export function withColumns(block: RowBlock, columns: readonly string[]): RowBlock {
  return { ...block, values: Object.fromEntries(columns.map((name) => [name, block.values[name] ?? []])) }
}

/** Gives embeddings as they are looked through: as halves. */
export function halvesOf(embeddings: Embeddings): StoredRows {
  return { dtype: 'F16', bytes: halfBytes(embeddings) }
}

/** Gives embeddings as they are looked through, in float32: rounded to halves, whatever is stored. */
export function wideHalvesOf(embeddings: Embeddings): Float32Array {
  const wide = new Float32Array(embeddings.length)
  float16ToFloat32(halfBits(embeddings), wide)
  return wide
}

/** Gives the bytes of embeddings as halves. */
export function halfBytes(embeddings: Embeddings): Uint8Array {
  const bits = halfBits(embeddings)
  return new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength)
}

function halfBits(embeddings: Embeddings): Uint16Array {
  return embeddings instanceof Uint16Array ? embeddings : toHalf(embeddings)
}
