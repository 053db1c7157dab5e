/** Decides what an image is that a program gives, in Node: where its bytes come from, or which pixels it is. */
import { fileURLToPath } from 'node:url'
import { types } from 'node:util'
import { tooLong } from '../../image/decodable.js'
import { isPixelImage, type PixelImage } from '../../image/given-pixels.js'
import { ImageError } from '../../image/image-error.js'
import { isAddress } from '../../is-address.js'
import { type FetchImageOptions, labelOf } from './fetch-options.js'
import { readStream } from './read-stream.js'
import { isFileOfThatName, OBJECT } from './storage/object-path.js'
import { WatchedFile } from './watched-file.js'

/** Is what is used of a sharp instance: its own pixels, after whatever it has been told to do. */
export interface SharpLike {
  /** Makes another instance, so that the one given stays as it is. */
  clone(): SharpLike
  /** Asks for bare 8-bit levels. */
  raw(options: { depth: 'uchar' }): SharpLike
  /** Asks for sRGB. */
  toColourspace(space: 'srgb'): SharpLike
  /** Runs the pipeline. What it rejects with becomes the `cause` of an `ImageError`. */
  toBuffer(options: { resolveWithObject: true }): Promise<{
    data: Uint8Array
    info: { width: number; height: number; channels: number }
  }>
}

/**
 * Is a path, a `file:`, `http:`, `https:`, `s3:` or `data:` address (as text or URL), the bytes of a file (of any buffer, view, Blob, File or stream), pixels
 * of one to four channels, a sharp instance, whose pipeline is run, or a function that gives pixels: it is asked once, when the image's turn comes, so that of a
 * long list only those are in memory that are worked on. What an `s3:` address names is read with this process's own rights (as AWS's tools find them), and as
 * text its key is taken as it is, without anything encoded: whoever takes addresses from others sees to it which.
 */
export type ImageSource =
  | string
  | URL
  | ArrayBuffer
  | SharedArrayBuffer
  | ArrayBufferView
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | PixelImage
  | SharpLike
  | (() => PixelImage | Promise<PixelImage>)

/** An image is a file by its path, pixels, or bytes that are still to be had. */
export type OpenSource =
  | { readonly path: string }
  | { readonly pixels: PixelImage }
  | {
      /** Names it in messages. */
      readonly label: string
      read(options: FetchImageOptions): Promise<Uint8Array | PixelImage | WatchedFile>
    }

const TAKEN =
  'a path, a file:, http:, https:, s3:, az:, gs: or data: address, a URL, the bytes of a file (Buffer, typed array, ArrayBuffer, Blob, File or stream), ' +
  'pixels { height, width, data }, a function that gives pixels, or a sharp instance'

/** Reads nothing yet. Throws TypeError for what is no image; `ImageError` `unsupported` for an address of another kind. */
export function openSource(source: ImageSource): OpenSource {
  if (typeof source === 'string') return openText(source)
  if (source instanceof URL) return openUrl(source)
  if (isPixelImage(source)) return { pixels: source }
  if (typeof source === 'function') return { label: THE_IMAGE, read: () => pixelsFrom(source) }
  const bytes = bytesOrNull(source)
  if (bytes !== null) return { label: THE_IMAGE, read: async () => bytes }
  if (source instanceof Blob) return openBlob(source)
  if (isSharp(source)) return { label: 'the sharp instance', read: () => pixelsOf(source) }
  if (isStream(source))
    return { label: 'the stream', read: (options) => readStream(source, 'the stream', options) }
  throw new TypeError(`An image is ${TAKEN}; got ${describe(source)}.`)
}

const THE_IMAGE = 'the image'

/** No system takes a longer one, but for Windows where it is asked to. */
const LONGEST_PATH = 4096

function openText(text: string): OpenSource {
  if (text === '') throw new TypeError(`An image is ${TAKEN}; got an empty text.`)
  if (text.includes('\0'))
    throw new TypeError('A path has no NUL in it. Bytes of a file are given as a Buffer.')
  const isUrl = isAddress(text) && URL.canParse(text)
  if (!isUrl && text.length > LONGEST_PATH) {
    throw new TypeError(
      `An image is ${TAKEN}; got a text of ${text.length} characters, longer than any path. ` +
        "Bytes in base64 are given as Buffer.from(text, 'base64'), or behind data:image/jpeg;base64, as an address.",
    )
  }
  if (!isUrl || isFileOfThatName(text)) return { path: text }
  return OBJECT.test(text) ? openObjectImage(text) : openUrl(new URL(text))
}

function openObjectImage(address: string): OpenSource {
  return {
    label: address,
    async read(options) {
      const { readObjectImage } = await import('./storage/object-address.js')
      return await readObjectImage(address, options)
    },
  }
}

function openUrl(url: URL): OpenSource {
  switch (url.protocol) {
    case 'file:':
      return { path: pathOf(url) }
    case 'http:':
    case 'https:':
      return {
        label: labelOf(url),
        async read(options) {
          const { fetchImage } = await import('./fetch-image.js')
          return await fetchImage(url, options)
        },
      }
    case 's3:':
    case 'az:':
    case 'gs:':
      return openObjectImage(`${url.protocol}//${url.host}${decodeURIComponent(url.pathname)}`)
    case 'data:':
      return { label: 'the data: address', read: () => bytesOfDataUrl(url) }
    default:
      throw new ImageError(
        'unsupported',
        `An image is fetched from file:, http:, https:, s3:, az:, gs: and data: addresses; got ${url.protocol}. Give its bytes instead.`,
      )
  }
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url)
  } catch (cause) {
    throw new ImageError('not-found', `${url.href} names no file on this machine.`, { cause })
  }
}

/** Throws `ImageError` `not-an-image`. */
export async function bytesOfDataUrl(url: URL): Promise<Uint8Array> {
  try {
    const answer = await fetch(url)
    return new Uint8Array(await answer.arrayBuffer())
  } catch (cause) {
    throw new ImageError('not-an-image', 'The data: address holds no data that could be read.', { cause })
  }
}

/**
 * Takes a view as the bytes that it shows, and nothing around them. Decoding reads on other threads, later: until then whoever gave the bytes may write over them, or transfer them away and have them freed. Node has no
 * way to hold memory that is transferred, so it is copied.
 */
function bytesOrNull(source: unknown): Uint8Array | null {
  if (source instanceof Uint8Array) return new Uint8Array(source)
  if (ArrayBuffer.isView(source))
    return new Uint8Array(new Uint8Array(source.buffer, source.byteOffset, source.byteLength))
  return types.isAnyArrayBuffer(source) ? new Uint8Array(new Uint8Array(source)) : null
}

function openBlob(blob: Blob): OpenSource {
  const label = blob instanceof File && blob.name !== '' ? blob.name : THE_IMAGE
  return {
    label,
    read: async ({ maxFileBytes, signal }) => {
      if (blob.size > maxFileBytes) throw tooLong(label, maxFileBytes)
      try {
        return new Uint8Array(await blob.arrayBuffer())
      } catch (cause) {
        signal?.throwIfAborted()
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw new ImageError('unreadable', `${label} cannot be read: ${reason}.`, { cause })
      }
    },
  }
}

/** Throws TypeError for what are no pixels. */
async function pixelsFrom(give: () => PixelImage | Promise<PixelImage>): Promise<PixelImage | WatchedFile> {
  const image: unknown = await give()
  if (isPixelImage(image) || image instanceof WatchedFile) return image
  throw new TypeError(
    `A function that stands for an image gives pixels { height, width, data }; it gave ${describe(image)}.`,
  )
}

function isSharp(source: unknown): source is SharpLike {
  if (typeof source !== 'object' || source === null) return false
  return ['clone', 'raw', 'toBuffer', 'toColourspace'].every(
    (name) => typeof (source as Record<string, unknown>)[name] === 'function',
  )
}

/** The instance stays as it is, and may be given again. */
async function pixelsOf(image: SharpLike): Promise<PixelImage> {
  try {
    const raw = image.clone().toColourspace('srgb').raw({ depth: 'uchar' })
    const { data, info } = await raw.toBuffer({ resolveWithObject: true })
    return { height: info.height, width: info.width, channels: info.channels, data }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ImageError('unreadable', `The sharp instance gives no pixels: ${reason}.`, { cause })
  }
}

function isStream(source: unknown): source is ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof source !== 'object' || source === null) return false
  return source instanceof ReadableStream || Symbol.asyncIterator in source
}

function describe(source: unknown): string {
  if (source === null || source === undefined || typeof source === 'number') return String(source)
  if (source instanceof Promise) return 'a Promise: await it first'
  if (Array.isArray(source)) return `an array of ${source.length}: many images go to encodeAll`
  if (typeof source !== 'object') return `a ${typeof source}`
  const keys = Object.keys(source).slice(0, 5)
  const name = source.constructor?.name ?? 'object'
  return name === 'Object'
    ? `an object with ${keys.length === 0 ? 'no fields' : keys.join(', ')}`
    : `a ${name}`
}
