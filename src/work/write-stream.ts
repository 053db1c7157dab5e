/** Hands each image's row on as soon as it is done. Nothing is kept: what was written has reached whoever reads it. */
import type { Chunk } from '../formats/chunk.js'
import type { Column, EmbeddingRow } from '../formats/embedding-table.js'
import { InputLoop, type InputsOptions, type WorkCounts } from './encode-inputs.js'
import { type StreamFormat, streamChunks } from './output-format.js'
import { workIdentity } from './work-identity.js'

export interface StreamOptions extends InputsOptions {
  /** For csv the inputs must come sorted by path. */
  readonly format: StreamFormat
  readonly columns?: readonly Column[]
  /** Resolves when the reader is ready for more, and the bytes may be used anew: the next image waits for it. */
  readonly write: (chunk: Chunk) => Promise<void>
}

/** Writes embeddings; throws what `write` throws. An abort throws the signal's reason. */
export async function writeStream({
  format,
  columns,
  write,
  ...options
}: StreamOptions): Promise<WorkCounts> {
  const { encoder } = options
  const loop = new InputLoop(options, { has: () => false })
  const metadata = workIdentity(encoder.identity, 'embedding')
  const table = { rows: rowsOf(loop), shape: [encoder.embeddingWidth], metadata }
  const chunks = await streamChunks(format, columns === undefined ? table : { ...table, columns })
  for await (const chunk of chunks) await write(chunk)
  return loop.finish()
}

async function* rowsOf(loop: InputLoop): AsyncGenerator<EmbeddingRow> {
  for await (const { input, features } of loop.found()) {
    const [height, width] = features.imageSize
    yield { path: input.path, height, width, values: features.embedding }
    loop.done(input)
  }
}
