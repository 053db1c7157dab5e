/** Defines a table of embeddings before it has a format. */

/** Is one image's line in an output, whatever the format. */
export interface EmbeddingRow {
  /** Names the image as the person gave it. */
  readonly path: string
  /** Counts pixels of the image as used, as `width` does. */
  readonly height: number
  readonly width: number
  /** [...shape], row-major. It is valid until the next row is asked for. */
  readonly values: Float32Array
}

/** Says what made the numbers, as text. */
export interface TableMetadata extends Readonly<Record<string, string>> {
  readonly model: string
  readonly recipe: string
  /** Is equal where numbers may be compared. */
  readonly identity: string
}

/** Holds rows to be written, all of one shape. */
export interface EmbeddingTable {
  readonly rows: AsyncIterable<EmbeddingRow>
  /** Is the shape of one row's values: [D] for embeddings, [rows, columns, D] for patch maps. */
  readonly shape: readonly number[]
  /** Goes into the file where the format has a place for it. */
  readonly metadata: TableMetadata
  /** Are what each row has, in formats with named columns; default: the format's own. */
  readonly columns?: readonly Column[]
}

/** Is a table whose rows are known by name before the first of them is read. */
export interface NamedTable extends EmbeddingTable {
  /** Counts the rows. */
  readonly count: number
  /** Names each row, in their order. */
  readonly paths: Iterable<string> | AsyncIterable<string>
}

/** Are the things that a column can hold; the last three are the same in every row. */
export const COLUMN_CONTENTS = [
  'path',
  'embedding',
  'height',
  'width',
  'model',
  'recipe',
  'identity',
] as const
export type ColumnContent = (typeof COLUMN_CONTENTS)[number]

export interface Column {
  readonly name: string
  readonly holds: ColumnContent
}

/** Gives columns that are called as what they hold. */
function columnsOf(contents: readonly ColumnContent[]): readonly Column[] {
  return contents.map((holds) => ({ name: holds, holds }))
}

/** Are what the formats with named columns have, unless others are chosen: a line of JSON has no place of its own for what made it. */
export const PARQUET_COLUMNS = columnsOf(['path', 'embedding', 'height', 'width'])
export const JSON_LINES_COLUMNS = columnsOf(COLUMN_CONTENTS)

/** Tells how many numbers a row has, for a format that knows no more than one axis. Throws RangeError. */
export function rowWidth({ shape }: Pick<EmbeddingTable, 'shape'>, format: string): number {
  const [width, ...more] = shape
  if (width !== undefined && more.length === 0) return width
  throw new RangeError(`${format} holds rows of one axis, and these are [${shape.join(', ')}]: choose npy.`)
}
