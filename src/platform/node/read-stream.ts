/** Reads a stream to its end, as far as is allowed. */
import { tooLong } from '../../image/decodable.js'
import { ImageError } from '../../image/image-error.js'

export interface StreamOptions {
  /** Bounds the bytes that are taken. */
  readonly maxFileBytes: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Gives the stream up where it is too long or the signal aborts, however long it would have been silent. Throws `ImageError` `too-large`, `unreadable`; the
 * signal's reason; TypeError for a stream of anything but bytes.
 */
export async function readStream(
  stream: AsyncIterable<unknown>,
  label: string,
  { maxFileBytes, signal }: StreamOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  const iterator = iteratorOf(stream, label)
  using abort = abortOf(signal)
  let isWhole = false
  try {
    while (true) {
      const next = await Promise.race([iterator.next(), abort.happened])
      if (next.done === true) break
      const chunk = bytesOf(next.value, label)
      length += chunk.length
      if (length > maxFileBytes) throw tooLong(label, maxFileBytes)
      chunks.push(chunk)
    }
    isWhole = true
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof ImageError || cause instanceof TypeError) throw cause
    throw unreadable(label, cause)
  } finally {
    // A source that hangs must not be waited for.
    if (!isWhole) void iterator.return?.()?.catch(() => {})
  }
  return Buffer.concat(chunks, length)
}

function iteratorOf(stream: AsyncIterable<unknown>, label: string): AsyncIterator<unknown> {
  try {
    return stream[Symbol.asyncIterator]()
  } catch (cause) {
    throw unreadable(label, cause)
  }
}

/** Makes a promise that is rejected when the signal aborts, and that nothing of the signal keeps afterwards. */
function abortOf(signal: AbortSignal | undefined): Disposable & { readonly happened: Promise<never> } {
  let abort = () => {}
  const happened = new Promise<never>((_, reject) => {
    abort = () => reject(signal?.reason)
  })
  // Where nobody waits any more, an abort is no error.
  happened.catch(() => {})
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  return { happened, [Symbol.dispose]: () => signal?.removeEventListener('abort', abort) }
}

function bytesOf(chunk: unknown, label: string): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk)
  throw new TypeError(`${label} gives ${typeof chunk}s, where the bytes of an image file are expected.`)
}

function unreadable(label: string, cause: unknown): ImageError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new ImageError('unreadable', `${label} cannot be read to its end: ${reason}.`, { cause })
}
