/** Reads a stream to its end, as far as is allowed. */
import { Readable } from 'node:stream'
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
  let isWhole = false
  const source = sourceOf(stream, label)
  using abort = abortOf(signal)
  try {
    while (true) {
      const next = await Promise.race([source.next(), abort.happened])
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
    if (!isWhole) source.stop()
  }
  return Buffer.concat(chunks, length)
}

interface Source {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>
  /** Gives the stream up at once: one that hangs must not be waited for. */
  stop(): void
}

function sourceOf(stream: AsyncIterable<unknown>, label: string): Source {
  try {
    if (stream instanceof ReadableStream) {
      const reader = stream.getReader()
      return { next: () => reader.read(), stop: () => void reader.cancel().catch(() => {}) }
    }
    const iterator = stream[Symbol.asyncIterator]()
    const stop =
      stream instanceof Readable
        ? () => void stream.on('error', () => {}).destroy()
        : () => void iterator.return?.()?.catch(() => {})
    return { next: () => iterator.next(), stop }
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
