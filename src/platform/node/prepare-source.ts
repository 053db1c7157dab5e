/**
 * Makes levels for model input of whatever a program gives as an image. JPEG is decoded and resized in one go where the addon can: nothing is copied in between, and a
 * photo of many megapixels is never in memory; a file that is watched is measured on that way. All else, and what does not decode so, goes by `decodeImage`, which gives the same pixels.
 */
import type { Prepare } from '../../encoder/types.js'
import { createNativeJpegOn, type DecodeJpeg, isStreamed } from '../../engine/native/native-jpeg.js'
import { decodedFromPixels, giveAway } from '../../image/given-pixels.js'
import type { DecodedImage } from '../../image/image.js'
import { ImageError } from '../../image/image-error.js'
import {
  isUnrounded,
  planStreamed,
  prepareLevelsWith,
  shrinkFor,
  shrunkSize,
} from '../../image/prepare-image.js'
import type { Recipe } from '../../image/recipe.js'
import { turnUpright } from '../../image/turn-upright.js'
import { turnedPasses } from '../../image/turned-passes.js'
import { type Passes, type Resample, resizedSize } from '../../kernels/resample-pillow.js'
import { type DecodeOptions, decodeFile, readImage, type WatchableFile } from './decode-image.js'
import type { ImageSource } from './image-source.js'
import { fastestMeasure, type Measure, measuredFrom, roomFor } from './measure-pixels.js'
import { addonOrReason } from './native/load-addon.js'
import { loadLibvips, loadSharp } from './sharp-decoder.js'

let found: Promise<DecodeJpeg | string> | undefined

/** Gives the way to decode JPEG from the addon, or why there is none, in a few words. It is looked for once. */
export function jpegDecoderOrReason(): Promise<DecodeJpeg | string> {
  found ??= findJpegDecoder()
  return found
}

async function findJpegDecoder(): Promise<DecodeJpeg | string> {
  const addon = addonOrReason()
  if (typeof addon === 'string') return `the native engine cannot run: ${addon}`
  const library = await loadLibvips((path) => addon.hasLibvips(path))
  return library === undefined
    ? 'sharp uses another libvips than its own'
    : createNativeJpegOn(addon, library)
}

/** Loads what decodes JPEG before there is one. Whoever decodes hears why it does not load. */
export function loadDecoder(): void {
  const loading = async () => typeof (await jpegDecoderOrReason()) === 'string' && loadSharp()
  void loading().catch(() => {})
}

/** Throws `ImageError` `unsupported` where a recipe asks for JPEG to be decoded in a way that there is not here. */
export async function assertDecodes({ decode }: { readonly decode?: Recipe['decode'] }): Promise<void> {
  if (decode !== 'scaled') return
  const found = await jpegDecoderOrReason()
  if (typeof found !== 'string') return
  throw new ImageError(
    'unsupported',
    `JPEG cannot be decoded scaled here (${found}). Leave out decode: 'scaled' (--decode scaled), or mend that.`,
  )
}

/** Is the orientation in EXIF whose rows are the upright image's columns. */
const TRANSPOSED = 5

/** @param reading says of every image how it is read */
export function preparingWith(resample: Resample, reading: DecodeOptions): Prepare<ImageSource> {
  const jpegOrNull = async (
    { bytes: file, file: { size, ...told }, watched }: WatchableFile,
    recipe: Recipe,
  ) => {
    const decode = await jpegDecoderOrReason()
    // A header may say that there is no pixel, or leave the height to the end of the file.
    const isSized = size !== null && size.height > 0 && size.width > 0
    if (typeof decode === 'string' || !isSized || isUnrounded(recipe)) return null
    const orientation = watched?.orientation ?? told.orientation
    const upright = recipe.orientation === 'apply'
    const isTurned = upright && orientation !== 1
    const lies = isTurned && orientation > 4 ? { height: size.width, width: size.height } : size
    const shrink = shrinkFor(lies, recipe)
    const { decoded, passes, finish } = planStreamed({ ...lies, orientation, upright, shrink }, recipe)
    const turned = turnedPasses(passes, decoded, isTurned ? orientation : 1)
    if (turned === null) return null
    const stored = shrunkSize(size, shrink)
    // What is decoded smaller is not what is measured.
    const measures = watched === undefined || shrink !== 1 ? null : roomFor(size, orientation)
    const decodeWith = (all: Passes | null) => decode({ file, shrink, size: stored, passes: all, measures })
    const streams = isStreamed(turned.passes)
    const pixels = await decodeWith(streams ? turned.passes : null)
    if (pixels === null) return null
    if (measures !== null) watched?.onMeasured(await measuredFrom(measures, resample))
    const resized = streams ? pixels : await resample(pixels, stored, turned.passes)
    const [height, width] = resizedSize(stored, turned.passes)
    const levels = finish(
      turned.isTransposed ? turnUpright({ height, width, data: resized }, TRANSPOSED).data : resized,
    )
    return { levels, isMeasured: watched === undefined || measures !== null }
  }
  return async (source, recipe, how) => {
    const options = { ...reading, ...how }
    const image = await readImage(source, options)
    if ('pixels' in image) return prepareLevelsWith(resample, image.pixels, recipe)
    const prepared = image.file.format === 'jpeg' ? await jpegOrNull(image, recipe) : null
    options.signal?.throwIfAborted()
    if (prepared?.isMeasured === false) await measureWhole(image, options)
    if (prepared !== null) return prepared.levels
    const decoded =
      image.watched === undefined ? await decodeFile(image, options) : await measureWhole(image, options)
    options.signal?.throwIfAborted()
    return prepareLevelsWith(resample, decoded, recipe)
  }
}

/** Decodes a file that is watched, has it measured, and gives it as it is to be prepared. Throws as `decodeFile`. */
async function measureWhole(
  { watched, ...image }: WatchableFile,
  options: DecodeOptions,
): Promise<DecodedImage> {
  const lies = await decodeFile(image, { ...options, orientation: 'ignore' })
  const decoded = { ...lies, orientation: watched?.orientation ?? lies.orientation }
  measureOnce ??= fastestMeasure()
  watched?.onMeasured(await measureOnce(decoded))
  const { orientation = 'apply', transparency = 'drop' } = options
  return decodedFromPixels(giveAway(decoded), { orientation, transparency })
}

let measureOnce: Measure | undefined
