/** Decides what an image is that a page gives: bytes of a file, wherever they come from, pixels, or what the page shows. */
import { DEFAULT_MAX_FILE_BYTES, tooLong } from '../../image/decodable.js'
import { isPixelImage, type PixelImage } from '../../image/given-pixels.js'
import { ImageError } from '../../image/image-error.js'
import type { SentImage } from './host/protocol.js'

/**
 * Is an address (text or URL; `http:`, `https:`, `data:`, `blob:`), a photo as dropped or fetched, the bytes of a file (of any buffer, view or stream), pixels of
 * one to four channels, such as ImageData, or what a page shows: an image, a canvas, a frame of a video. Of the latter the page gives what it
 * holds: colours converted, multiplied by transparency and turned as the browser has done it.
 */
export type ImageSource =
  | string
  | URL
  | Blob
  | ArrayBuffer
  | SharedArrayBuffer
  | ArrayBufferView
  | ReadableStream<Uint8Array>
  | PixelImage
  | ImageBitmapSource

export interface ReadSourceOptions {
  readonly maxFileBytes?: number | undefined
  readonly fetchTimeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const TAKEN =
  'a Blob or File, an address, the bytes of a file (typed array, ArrayBuffer or stream), pixels { height, width, data }, ImageData, or an ' +
  'image, canvas, video frame or bitmap of the page'

const FETCH_TIMEOUT_MS = 60_000

/** Makes it something that can be sent to a worker. Throws `ImageError`; the signal's reason; TypeError for what is no image. */
export async function readSource(source: ImageSource, options: ReadSourceOptions): Promise<SentImage> {
  const { maxFileBytes = DEFAULT_MAX_FILE_BYTES, signal } = options
  if (typeof source === 'string' || source instanceof URL) return await fetchImage(addressOf(source), options)
  if (source instanceof Blob) {
    if (source.size > maxFileBytes)
      throw tooLong(source instanceof File ? source.name : 'the image', maxFileBytes)
    return source
  }
  if (isPixelImage(source)) return source
  if (source instanceof Uint8Array) return source
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
  if (isBuffer(source)) return new Uint8Array(source)
  if (source instanceof ReadableStream) return await readStream(source, 'the stream', maxFileBytes, signal)
  return await bitmapOf(source)
}

/** Pages without isolation have no SharedArrayBuffer to ask for. */
function isBuffer(source: object): source is ArrayBuffer | SharedArrayBuffer {
  return ['ArrayBuffer', 'SharedArrayBuffer'].includes(Object.prototype.toString.call(source).slice(8, -1))
}

function addressOf(source: string | URL): URL {
  const base = globalThis.document?.baseURI ?? globalThis.location.href
  if (source === '' || !URL.canParse(source, base)) {
    throw new TypeError(`${JSON.stringify(source)} is no address that an image could be fetched from.`)
  }
  const url = new URL(source, base)
  if (['http:', 'https:', 'data:', 'blob:'].includes(url.protocol)) return url
  throw new ImageError(
    'unsupported',
    `A page fetches images over https, http, blob or data, not over ${url.protocol.slice(0, -1)}. A file on disk is given as a File, chosen or dropped.`,
  )
}

async function fetchImage(url: URL, options: ReadSourceOptions): Promise<Uint8Array> {
  const { maxFileBytes = DEFAULT_MAX_FILE_BYTES, fetchTimeoutMs = FETCH_TIMEOUT_MS, signal } = options
  const label = url.protocol === 'data:' ? 'the data: address' : `${url.origin}${url.pathname}`
  const timeout = AbortSignal.timeout(fetchTimeoutMs)
  const both = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  try {
    const answer = await fetch(url, { signal: both })
    if (!answer.ok || answer.body === null) {
      const code = answer.status === 404 || answer.status === 410 ? 'not-found' : 'download-failed'
      throw new ImageError(code, `${label} cannot be fetched: the server answers ${answer.status}.`)
    }
    return await readStream(answer.body, label, maxFileBytes, both)
  } catch (cause) {
    signal?.throwIfAborted()
    if (timeout.aborted) {
      throw new ImageError(
        'download-failed',
        `${label} took longer than ${fetchTimeoutMs} ms (fetchTimeoutMs). Try again, or fetch it in another way.`,
        { cause },
      )
    }
    if (cause instanceof ImageError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ImageError(
      'download-failed',
      `${label} cannot be fetched (${reason}). Is it there, and does its server let other pages read it (CORS)?`,
      { cause },
    )
  }
}

async function readStream(
  stream: ReadableStream<Uint8Array>,
  label: string,
  maxFileBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const reader = readerOf(stream, label)
  const cancel = () => void reader.cancel(signal?.reason).catch(() => {})
  signal?.addEventListener('abort', cancel, { once: true })
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let length = 0
  try {
    while (true) {
      const { done, value } = await reader.read()
      signal?.throwIfAborted()
      if (done) break
      if (!(value instanceof Uint8Array)) {
        throw new TypeError(`${label} gives ${typeof value}s, where the bytes of an image file are expected.`)
      }
      length += value.length
      if (length > maxFileBytes) throw tooLong(label, maxFileBytes)
      chunks.push(value as Uint8Array<ArrayBuffer>)
    }
    return new Uint8Array(await new Blob(chunks).arrayBuffer())
  } catch (cause) {
    cancel()
    signal?.throwIfAborted()
    if (cause instanceof ImageError || cause instanceof TypeError) throw cause
    throw unreadable(label, cause)
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}

function readerOf(
  stream: ReadableStream<Uint8Array>,
  label: string,
): ReadableStreamDefaultReader<Uint8Array> {
  try {
    return stream.getReader()
  } catch (cause) {
    throw unreadable(label, cause)
  }
}

function unreadable(label: string, cause: unknown): ImageError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new ImageError('unreadable', `${label} cannot be read: ${reason}`, { cause })
}

/** Takes what a page shows as it is now. */
async function bitmapOf(source: ImageBitmapSource): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(source, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' })
  } catch (cause) {
    const found = Object.prototype.toString.call(source).slice(8, -1)
    if (cause instanceof TypeError) throw new TypeError(`An image is ${TAKEN}; got ${found}.`, { cause })
    throw unreadable(`The ${found}`, cause)
  }
}
