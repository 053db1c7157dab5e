/** Embeds rows: their images are fetched ahead, and each row ends as an embedding or as a failure. */
import { CodedError } from '../coded-error.js'
import type { Identity } from '../encoder/types.js'
import { EngineError, type EngineErrorCode } from '../engine/engine-error.js'
import type { Fetcher } from './fetcher.js'
import type { RowOutcome } from './part-rows.js'
import { type ReadAheadSettings, readAhead } from './read-ahead.js'
import type { SourceRow } from './row.js'

/** Does what a worker needs of an encoder. */
export interface JobEncoder {
  /** Says what its numbers rest on. */
  readonly identity: Identity
  /** Counts the numbers of an embedding. */
  readonly embeddingWidth: number
  /** Yields what became of each image, with its place among those that were given, in any order. Throws the signal's reason. */
  encodeAll(
    sources: AsyncIterable<Uint8Array>,
    options: { readonly signal: AbortSignal; readonly order: 'ready' },
  ): AsyncIterable<{
    readonly index: number
    readonly features?:
      | { readonly embedding: Float32Array; readonly imageSize: readonly [height: number, width: number] }
      | undefined
    readonly error?: Error | undefined
  }>
}

export interface EncodeRowsParts<Kept> {
  readonly encoder: JobEncoder
  readonly fetcher: Fetcher
  readonly ahead: ReadAheadSettings
  readonly signal: AbortSignal
  /** Makes what is kept of a row, as soon as it is done: embeddings of a whole part would be in memory else. */
  readonly keep: (row: SourceRow, outcome: RowOutcome) => Kept
}

/** These are no image's fault: the worker cannot go on. */
const FATAL: ReadonlySet<EngineErrorCode> = new Set([
  'unsupported',
  'unavailable',
  'out-of-memory',
  'disposed',
  'device-lost',
  'weights-lost',
  'wrong-result',
])

/** Says whether an error that ended a worker may be of the images that it embedded: too large ones run out of memory, and mistakes show with some alone. */
export function mayBeOfImages(error: unknown): boolean {
  if (error instanceof EngineError) return error.code === 'out-of-memory' || !FATAL.has(error.code)
  return !(error instanceof CodedError)
}

/** Gives what is kept of each row. Throws `EngineError` where the engine can do no more; the signal's reason. */
export async function encodeRows<Kept>(
  rows: readonly SourceRow[],
  { encoder, fetcher, ahead, signal, keep }: EncodeRowsParts<Kept>,
): Promise<readonly Kept[]> {
  const outcomes: Kept[] = new Array(rows.length)
  /** Says which row each image is that the encoder was given. */
  const given: number[] = []
  let done = 0
  const settle = (index: number, outcome: RowOutcome) => {
    const row = rows[index]
    if (row === undefined || outcomes[index] !== undefined)
      throw new Error(`the encoder answered twice for row ${index}, or was not asked`)
    outcomes[index] = keep(row, outcome)
    done++
  }
  const images = async function* () {
    for await (const { index, found } of readAhead(rows, fetcher, ahead, signal)) {
      if (!(found instanceof Uint8Array)) settle(index, found)
      else {
        given.push(index)
        yield found
      }
    }
  }
  for await (const { index, features, error } of encoder.encodeAll(images(), { signal, order: 'ready' })) {
    const row = given[index]
    if (row === undefined) throw new Error(`the encoder answered for image ${index}, which it was not given`)
    if (features !== undefined) settle(row, { embedding: features.embedding, size: features.imageSize })
    else settle(row, failureOf(error))
  }
  signal.throwIfAborted()
  if (done !== rows.length) throw new Error(`the encoder left ${rows.length - done} images unanswered`)
  return outcomes
}

function failureOf(error: Error | undefined): RowOutcome {
  if (error instanceof EngineError && FATAL.has(error.code)) throw error
  const code = error instanceof CodedError ? String(error.code) : 'failed'
  return { code, reason: error?.message ?? 'the encoder gave nothing', transient: false }
}
