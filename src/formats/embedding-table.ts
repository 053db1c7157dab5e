/** What a table of embeddings is before it has a format. */

/** One image's line in an output, whatever the format. */
export interface EmbeddingRow {
  /** As the person gave it. */
  readonly path: string
  /** Pixels of the image as used. */
  readonly height: number
  readonly width: number
  /** Float32, row-major, `elementCount(shape)` numbers; valid until the next row is asked for. */
  readonly values: Float32Array
}

/** Rows to be written, all of one shape. */
export interface EmbeddingTable {
  /** One for each row, in the order of the rows. */
  readonly paths: readonly string[]
  readonly rows: AsyncIterable<EmbeddingRow>
  /** Of one row's values: [D] for embeddings, [rows, columns, D] for patch maps. */
  readonly shape: readonly number[]
  /** Says what made the numbers, as text; it goes into the file where the format has a place for it. */
  readonly metadata: Readonly<Record<string, string>>
}

/** How many numbers a row has in a format that knows no more than one axis. Throws RangeError. */
export function rowWidth({ shape }: EmbeddingTable, format: string): number {
  const [width, ...more] = shape
  if (width !== undefined && more.length === 0) return width
  throw new RangeError(`${format} holds rows of one axis, and these are [${shape.join(', ')}]: choose npy.`)
}
