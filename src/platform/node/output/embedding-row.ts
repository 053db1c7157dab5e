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
  readonly rows: AsyncIterable<EmbeddingRow>
  /** How many `rows` yields. */
  readonly count: number
  /** Of one row's values: [D] for embeddings, [rows, columns, D] for patch maps. */
  readonly shape: readonly number[]
  /** What made them, as text: goes into the file where the format has a place for it. */
  readonly metadata: Readonly<Record<string, string>>
}
