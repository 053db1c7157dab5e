/**
 * Reads each photo of a collection once, and takes from it all that its row holds: a hash of the file, what EXIF says, the upright pixels' digest and size, and
 * the embedding. Pixels are decoded once for all of it.
 */
import { webcrypto } from 'node:crypto'
import type { FoundPhoto } from '../../../collection/find-photos.js'
import type { Examination, Examine } from '../../../collection/index-photos.js'
import type { Row } from '../../../collection/row-block.js'
import type { EncodeAllOptions, EncodeResult, Features, Identity } from '../../../encoder/types.js'
import { DEFAULT_MAX_PIXELS } from '../../../image/decodable.js'
import { giveAway, type PixelImage } from '../../../image/given-pixels.js'
import type { DecodedImage } from '../../../image/image.js'
import { perceptualHash } from '../../../numerics/perceptual-hash.js'
import { photoQuality } from '../../../numerics/photo-quality.js'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import { type DecodeOptions, decodeFile } from '../decode-image.js'
import { fastestMeasure, type MeasuredPixels } from '../measure-pixels.js'
import { digestOfOwn } from '../pixel-digest.js'
import type { VideoFrameOptions } from '../video/video-frames.js'
import { watchedOrNull } from '../watched-file.js'
import { beyondPixels } from './beyond-pixels.js'
import { framesOf } from './film-photos.js'
import { type OpenPhoto, openPhoto } from './open-photo.js'
import { isPassing, photoBytes } from './photo-bytes.js'
import { readTold } from './read-told.js'

/** Is what is needed of an encoder. */
export interface PhotoEncoder {
  /** Says what its numbers rest on. */
  readonly identity: Identity
  /** Encodes many photos, as `Encoder.encodeAll`. Throws as that. */
  encodeAll(
    sources: AsyncIterable<() => Promise<PixelImage>>,
    options?: EncodeAllOptions,
  ): AsyncIterable<EncodeResult<unknown>>
}

/** Ends the reading of a photo whose content is that of one that is gone. */
class KnownContent extends Error {
  readonly content: string

  constructor(content: string) {
    super(`the content ${content} is known`)
    this.content = content
  }
}

export interface ExamineOptions {
  readonly maxPixels?: number | undefined
  /** Says which frames of a film are taken. */
  readonly video?: VideoFrameOptions | undefined
  /** Is shown the features of each photo, named by its content. */
  readonly onFeatures?: ((content: string, features: Features) => Promise<void>) | undefined
}

/** Gives what examines photos by this encoder. */
export function examineWith(
  encoder: PhotoEncoder,
  { maxPixels = DEFAULT_MAX_PIXELS, video = {}, onFeatures }: ExamineOptions = {},
): Examine {
  const transparency = transparencyOf(encoder.identity)
  const measure = fastestMeasure()
  return async function* (photos, { isKnown, signal, onProgress }) {
    const underWay = new Map<number, { readonly photo: FoundPhoto; values: Row }>()
    async function* sources() {
      let index = 0
      for await (const photo of photos) {
        if (photo.isFilm) {
          for await (const { frame, get } of framesOf(photo, {
            ...video,
            transparency,
            maxPixels,
            ...(signal ? { signal } : {}),
          })) {
            const work = { photo: frame, values: {} as Row }
            underWay.set(index++, work)
            yield async () => {
              const { image, values } = await get()
              work.values = { ...values, ...measuredValues(await measure(image)) }
              return giveAway(image)
            }
          }
          continue
        }
        const work = { photo, values: {} as Row }
        underWay.set(index++, work)
        yield async () => {
          const bytes = await photoBytes(photo.full, signal)
          const content = await hashOf(bytes)
          if (isKnown(photo, content)) throw new KnownContent(content)
          work.values = { content, ...(await readTold(bytes, photo)) }
          const opened = openPhoto(bytes, photo.path, { maxPixels, transparency })
          const isWhole = (await beyondPixels(opened)) === null
          const onMeasured = ({ digest, ...measured }: MeasuredPixels) => {
            const own = isWhole ? digest : digestOfOwn(digest, content)
            const values = measuredValues({ ...measured, digest: own })
            work.values = { ...work.values, preview: opened.preview, ...values }
          }
          const watched = watchedOrNull(encoder, opened, opened.orientation, onMeasured)
          if (watched !== null) return watched
          const decoded = await decodePhoto(opened, {
            transparency,
            maxPixels,
            ...(signal ? { signal } : {}),
          })
          onMeasured(await measure(decoded))
          return giveAway(decoded)
        }
      }
    }
    const results = encoder.encodeAll(sources(), {
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined
        ? {}
        : { onProgress: ({ seconds }) => onProgress({ seconds: { ...seconds } }) }),
    })
    for await (const { index, features, error } of results) {
      const work = underWay.get(index)
      if (work === undefined)
        throw new Error(`the encoder answered for photo ${index}, which it was not given`)
      underWay.delete(index)
      if (features !== undefined) await onFeatures?.(String(work.values.content), features)
      yield examination(work, features?.embedding, error)
    }
  }
}

/** Leaves the photo as it lies, and says how it is turned upright. */
async function decodePhoto(opened: OpenPhoto, options: DecodeOptions): Promise<DecodedImage> {
  const decoded = await decodeFile(opened, { ...options, orientation: 'ignore' })
  return opened.orientation === null ? decoded : { ...decoded, orientation: opened.orientation }
}

function examination(
  { photo, values }: { readonly photo: FoundPhoto; readonly values: Row },
  embedding: Float32Array | undefined,
  error: Error | undefined,
): Examination {
  if (error instanceof KnownContent) return { photo, content: error.content }
  // Of a server that does not answer nothing is noted: the next run goes on.
  if (isPassing(error)) throw error
  if (error !== undefined) return { photo, error, values }
  if (embedding === undefined) throw new Error(`the encoder gave nothing for ${photo.full}`)
  return { photo, examined: { embedding, values } }
}

/** Gives the columns of what was measured. */
function measuredValues({ height, width, digest, reduced }: MeasuredPixels): Row {
  const quality = photoQuality(reduced)
  return {
    height,
    width,
    pixels: digest,
    perceptual_hash: perceptualHash(reduced).toString(16).padStart(16, '0'),
    sharpness: quality.sharpness,
    brightness: quality.brightness,
    brightness_5: quality.brightness5,
    brightness_99: quality.brightness99,
    clipped_dark: quality.clippedDark,
    clipped_bright: quality.clippedBright,
    entropy: quality.entropy,
    colourfulness: quality.colourfulness,
  }
}

async function hashOf(bytes: Uint8Array): Promise<string> {
  // It is computed on another thread, which the bytes are copied for.
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex')
}

/** Pixels are decoded as the model's recipe says. */
export function transparencyOf({ settings }: Identity): 'drop' | 'white' {
  const found = parseJsonOrNull(settings)
  const recipe = isRecord(found) && isRecord(found.recipe) ? found.recipe : {}
  return recipe.transparency === 'white' ? 'white' : 'drop'
}
