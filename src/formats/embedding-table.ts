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

/** Holds rows to be written, all of one shape. */
export interface EmbeddingTable {
  /** Names each row, in their order. */
  readonly paths: readonly string[]
  readonly rows: AsyncIterable<EmbeddingRow>
  /** Is the shape of one row's values: [D] for embeddings, [rows, columns, D] for patch maps. */
  readonly shape: readonly number[]
  /** Says what made the numbers, as text; it goes into the file where the format has a place for it. */
  readonly metadata: Readonly<Record<string, string>>
}

/** Tells how many numbers a row has, for a format that knows no more than one axis. Throws RangeError. */
export function rowWidth({ shape }: EmbeddingTable, format: string): number {
  const [width, ...more] = shape
  if (width !== undefined && more.length === 0) return width
  throw new RangeError(`${format} holds rows of one axis, and these are [${shape.join(', ')}]: choose npy.`)
}
