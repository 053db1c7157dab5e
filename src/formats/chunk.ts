/** Formats hand chunks to whoever keeps their bytes: a format opens no file, and never holds a whole output in memory. */

/** Is a piece of a file; text means its UTF-8 bytes. Bytes may be used anew once the next piece is asked for. */
export type Chunk = string | Uint8Array

/** Are the pieces of one file in order. */
export type Chunks = Iterable<Chunk> | AsyncIterable<Chunk>

/** Is one of the files that make up an output. */
export interface OutputFile {
  readonly path: string
  readonly chunks: Chunks
}

/** Looks at numbers (float32, or bit patterns of float16) as the bytes that all formats here store: little-endian, as every machine that runs this has them. */
export function bytesOf(values: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
