/** Decodes each photo once: the encoder gets its pixels, and of them a small copy is kept to draw on. */
import { given } from '../../../encoder/choose-recipe.js'
import type { EncodeAllOptions, EncodeResult, Features, StoppedFeatures } from '../../../encoder/types.js'
import type { RgbImage } from '../../../image/image.js'
import { parseJsonOrNull } from '../../../plain-value.js'
import type { DecodeOptions } from '../../../platform/node/decode-image.js'
import type { FileEncoder, FileSource, ManyEncoder } from '../../../work/file-encoder.js'
import type { PairOptions } from './picture-options.js'

/** So many photos are decoded while the engine computes others. */
const AHEAD = 2
/** Bounds the bytes of whole photos that are in memory at a time. */
const MOST_BYTES = 256 * 2 ** 20

/** Decodes a photo, and gives the small copy of it that is kept. */
export interface PhotoTools {
  decode(source: FileSource): Promise<RgbImage>
  reduce(photo: RgbImage): Promise<RgbImage>
}

export class PhotoEncoder<Found extends StoppedFeatures = Features> implements ManyEncoder<Found> {
  readonly #encoder: ManyEncoder<Found>
  readonly #tools: PhotoTools
  readonly #photos = new WeakMap<Found, RgbImage>()

  constructor(encoder: ManyEncoder<Found>, tools: PhotoTools) {
    this.#encoder = encoder
    this.#tools = tools
  }

  /** Gives the small copy of the photo that these features were found in. */
  photoOf(features: Found): RgbImage {
    const photo = this.#photos.get(features)
    if (photo === undefined) throw new Error('these features are of no photo that was decoded here')
    return photo
  }

  async *encodeAll(
    sources: AsyncIterable<FileSource>,
    options: EncodeAllOptions = {},
  ): AsyncGenerator<EncodeResult<unknown, Found>> {
    const room = new Room(MOST_BYTES)
    const photos = new Map<number, { readonly photo: RgbImage; readonly bytes: number }>()
    const decoded = this.#photosOf(sources, async (index, { source, photo }) => {
      const bytes = source.data.byteLength
      await room.take(bytes)
      photos.set(index, { photo, bytes })
    })
    // Whoever stops reading must not wait for a photo that waits for room.
    const closing = {
      [Symbol.asyncIterator]: () => ({
        next: () => decoded.next(),
        return: () => {
          room.open()
          return decoded.return()
        },
      }),
    }
    for await (const result of this.#encoder.encodeAll(closing, options)) {
      const kept = photos.get(result.index)
      photos.delete(result.index)
      room.give(kept?.bytes ?? 0)
      if (result.features !== undefined && kept !== undefined) this.#photos.set(result.features, kept.photo)
      // What was given to the encoder is not handed on: it holds the whole photo.
      yield { ...result, source: null }
    }
  }

  async *#photosOf(
    sources: AsyncIterable<FileSource>,
    keep: (index: number, decoded: Decoded) => Promise<void>,
  ): AsyncGenerator<FileSource, void, undefined> {
    let index = 0
    for await (const { source, decoded } of ahead(sources, (source) => this.#decoded(source), AHEAD)) {
      if (decoded !== null) await keep(index, decoded)
      index++
      yield decoded?.source ?? source
    }
  }

  /** What cannot be decoded goes to the encoder as it came, which then says why in its own words. */
  async #decoded(source: FileSource) {
    try {
      const whole = await this.#tools.decode(source)
      return { source, decoded: { source: whole, photo: await this.#tools.reduce(whole) } }
    } catch {
      return { source, decoded: null }
    }
  }
}

interface Decoded {
  /** Is the whole photo. */
  readonly source: RgbImage
  /** Is the small copy. */
  readonly photo: RgbImage
}

/** Does work on the next few items before they are asked for, in their order. */
async function* ahead<Item, Result>(
  items: AsyncIterable<Item>,
  work: (item: Item) => Promise<Result>,
  count: number,
): AsyncGenerator<Result> {
  const waiting: Promise<Result>[] = []
  for await (const item of items) {
    waiting.push(work(item))
    const first = waiting.length > count ? waiting.shift() : undefined
    if (first !== undefined) yield await first
  }
  for (const result of waiting) yield await result
}

/** Lets as much in as there is room for; the first comes in however large it is. */
class Room {
  #free: number
  readonly #all: number
  #wake: () => void = () => {}

  constructor(bytes: number) {
    this.#all = bytes
    this.#free = bytes
  }

  async take(bytes: number): Promise<void> {
    while (this.#free < bytes && this.#free < this.#all) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#free -= bytes
  }

  give(bytes: number): void {
    this.#free += bytes
    this.#wake()
  }

  /** Lets everything in from now on. */
  open(): void {
    this.give(Number.POSITIVE_INFINITY)
  }
}

/** Says how photos are decoded, so that the one that is drawn on is the one that the model saw. */
export function decodeOptionsOf(
  options: PairOptions,
  { identity }: Pick<FileEncoder, 'identity'>,
): Omit<DecodeOptions, 'signal'> {
  const settings = parseJsonOrNull(identity.settings) as {
    readonly recipe?: { readonly transparency?: unknown }
  } | null
  // The recipe of a model says what becomes of transparent pixels.
  const transparency = settings?.recipe?.transparency === 'white' ? 'white' : 'drop'
  const orientation = options.exif ? 'apply' : 'ignore'
  return { orientation, transparency, ...decodeLimitsOf(options) }
}

/** Says how much may be decoded and fetched. */
export function decodeLimitsOf(
  options: PairOptions,
): Omit<DecodeOptions, 'signal' | 'orientation' | 'transparency'> {
  const { maxPixels, maxFileBytes, fetchTimeoutMs, allowPrivateAddresses, offline } = options
  return given({ maxPixels, maxFileBytes, fetchTimeoutMs, allowPrivateAddresses, offline })
}
