/** Defines a table of columns of several types, with a vector for each row, before it has a format. */

/** Says what a column holds: text, whole numbers, float64, booleans, milliseconds since 1970 (UTC), or lists of text. */
export type ColumnType = 'text' | 'integer' | 'float' | 'boolean' | 'timestamp' | 'texts'

/** Is what a row has in a column; null where it is not known. */
export type Value = string | number | boolean | null | readonly string[]

/** Names a column, and says what it holds. */
export interface TypedColumn {
  /** Is its name. */
  readonly name: string
  /** Says what it holds. */
  readonly type: ColumnType
}

/** Holds N rows, column by column. */
export interface TypedBlock {
  /** Is N. */
  readonly count: number
  /** Has N values of each column. */
  readonly values: Readonly<Record<string, readonly Value[]>>
  /** [N, D]; is there where the table has vectors. */
  readonly vectors?: Float32Array
  /** Says of each row whether it has a vector; default: all have. */
  readonly hasVector?: readonly boolean[]
}

export interface TypedTable {
  readonly columns: readonly TypedColumn[]
  /** Names the column of vectors, and counts their numbers; null where there are none. */
  readonly vector: { readonly name: string; readonly width: number } | null
  /** Says what made it, where the format has a place for that. */
  readonly metadata: Readonly<Record<string, string>>
  readonly blocks: AsyncIterable<TypedBlock>
}

/** Gives what a row has. */
export function valueAt({ values }: TypedBlock, name: string, row: number): Value {
  return values[name]?.[row] ?? null
}

/** Gives a row's vector, or null. */
export function vectorAt(
  { vectors, hasVector }: TypedBlock,
  width: number,
  row: number,
): Float32Array | null {
  if (vectors === undefined || hasVector?.[row] === false) return null
  return vectors.subarray(row * width, (row + 1) * width)
}
