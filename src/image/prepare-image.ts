/** Makes model input of decoded pixels by a recipe, and finds places of the input in the original image again. */
import { normaliseLevels } from '../kernels/normalise-levels.js'
import {
  type Passes,
  pillowPasses,
  type Resample,
  resample,
  torchPasses,
} from '../kernels/resample-pillow.js'
import { antialiasTaps, resampleLevels, triangleTaps } from '../kernels/resample-table.js'
import { rgbWithWhiteFor } from '../kernels/to-rgb.js'
import type { Box, DecodedImage, RgbImage } from './image.js'
import { ImageError } from './image-error.js'
import { paddingTo, padWithZeros } from './pad-with-zeros.js'
import type { Recipe } from './recipe.js'
import { hasSizesOfItsOwn } from './resize.js'
import { resizedSize } from './resized-size.js'

/** Holds model input, and where it lies in its image. */
export interface PreparedImage {
  /** float32 [3, height, width], normalised. */
  readonly pixels: Float32Array
  /** Is the input's height in pixels. */
  readonly height: number
  /** Is the input's width in pixels. */
  readonly width: number
  /** Gives the pixels of the image as used: before the resize, and turned where the orientation was applied. */
  readonly imageSize: readonly [height: number, width: number]
  /** Tells the EXIF orientation of the file, and what became of it. */
  readonly orientation: {
    /** Is the orientation, 1 to 8; 1 where there is none. */
    readonly found: number
    /** Tells whether the image was turned upright by it. */
    readonly applied: boolean
  }
  /** Says where the input lies in the image. */
  readonly placement: Placement
  /** Finds a box of the input in the original image; both are in pixels. */
  sourceBox(top: number, left: number, bottom: number, right: number): Box
}

/** Holds what resize and crop leave of an image, before its levels become numbers: a quarter of the bytes of model input. */
export interface PreparedLevels extends Omit<PreparedImage, 'pixels' | 'sourceBox'> {
  /** uint8 [height, width, 3], or float32 where the recipe does not round them. */
  readonly levels: Uint8Array | Float32Array
}

/** Says where the input lies in the image it was made of. */
export interface Placement {
  /** The input's first pixel lies here, in pixels of the resized image; it is negative where the recipe pads. */
  readonly top: number
  /** Is the same from the left. */
  readonly left: number
  /** One pixel of the input is this many pixels of the image high. */
  readonly scaleY: number
  /** One pixel of the input is this many pixels of the image wide. */
  readonly scaleX: number
}

/** Finds a box of the input in the original image; both are in pixels. */
export function boxInImage({ top, left, scaleY, scaleX }: Placement, box: Box): Box {
  return {
    top: (box.top + top) * scaleY,
    left: (box.left + left) * scaleX,
    bottom: (box.bottom + top) * scaleY,
    right: (box.right + left) * scaleX,
  }
}

/** A recipe works on a decoded file, or on pixels from elsewhere, which count as upright. */
export type SourceImage = RgbImage & Partial<DecodedImage>

/**
 * Makes model input of an image by a recipe. Throws `ImageError` `wrong-shape` for pixels that are not RGB, `too-large` for a shape that no recipe
 * can make sense of.
 */
export function prepareImage(image: SourceImage, recipe: Recipe): PreparedImage {
  const work = planResize(image, recipe)
  const resized = isUnrounded(recipe)
    ? unrounded(work, recipe)
    : resample(work.source, work.size, work.passes)
  return normalised(finish(image, work, resized), recipe)
}

/** Does the same as `prepareImage` with another resampler, which may work on other threads. */
export async function prepareImageWith(
  resampler: Resample,
  image: SourceImage,
  recipe: Recipe,
): Promise<PreparedImage> {
  return normalised(await prepareLevelsWith(resampler, image, recipe), recipe)
}

/** Does the same as `prepareImageWith` up to the levels, of which `normalised` makes model input. */
export async function prepareLevelsWith(
  resampler: Resample,
  image: SourceImage,
  recipe: Recipe,
): Promise<PreparedLevels> {
  const work = planResize(image, recipe)
  const resized = isUnrounded(recipe)
    ? unrounded(work, recipe)
    : await resampler(work.source, work.size, work.passes)
  return finish(image, work, resized)
}

/** Tells recipes whose resize never rounds to 8 bits, so that no resampler of bytes can follow them. */
export function isUnrounded({ resampler }: Recipe): boolean {
  return resampler === 'torch-float32'
}

/** Resizing is a weighted sum, so that levels may be rescaled after it as well as before. */
function unrounded({ source, size, resized }: ResizeWork, { filter }: Recipe): Float32Array {
  const tapsOf = { bilinear: triangleTaps, bicubic: antialiasTaps } as const
  if (filter !== 'bilinear' && filter !== 'bicubic')
    throw new RangeError(`torch resizes float32 with antialias by bilinear and bicubic, not by ${filter}.`)
  const taps = tapsOf[filter]
  return resampleLevels(source, size, taps(size[0], resized[0]), taps(size[1], resized[1]))
}

/** Goes as far as the 8-bit stage, which the library's resize and crop give; zeros around what is normalised come later. The result is the image itself where nothing changes. */
export function resizeAndCrop(image: SourceImage, recipe: Recipe): RgbImage {
  assertRounds(recipe)
  const work = planResize(image, recipe)
  return levelsOf(work, resample(work.source, work.size, work.passes))
}

/** Does the same as `resizeAndCrop` with another resampler, which may work on other threads. */
export async function resizeAndCropWith(
  resampler: Resample,
  image: SourceImage,
  recipe: Recipe,
): Promise<RgbImage> {
  assertRounds(recipe)
  const work = planResize(image, recipe)
  return levelsOf(work, await resampler(work.source, work.size, work.passes))
}

function assertRounds(recipe: Recipe): void {
  if (isUnrounded(recipe)) throw new RangeError('This recipe has no 8-bit stage: it resizes float32.')
}

interface ResizePlan {
  readonly passes: Passes
  readonly resized: Size
  readonly crop: Crop
  readonly padding: Recipe['padding']
}

interface ResizeWork extends ResizePlan {
  readonly source: Uint8Array
  readonly size: Size
}

function planResize(image: SourceImage, recipe: Recipe): ResizeWork {
  assertRgb(image)
  const size = [image.height, image.width] as const
  const plan = planPasses(image, size, recipe)
  const source = recipe.transparency === 'white' ? onWhite(image) : image.data
  return { ...plan, source, size }
}

/** @param decoded is the size at which the image has been decoded, of which its own size is `shrink` times or a little more */
function planPasses(image: Sides, decoded: Size, recipe: Recipe, shrink = 1): ResizePlan {
  const { resized, crop } = geometry(image, recipe)
  const { resampler, passOrder, filter, padding } = recipe
  const box = [image.height / shrink, image.width / shrink] as const
  const passes =
    resampler === 'torch-uint8'
      ? torchPasses(decoded, resized, filter, box)
      : pillowPasses(decoded, resized, passOrder, filter, box)
  return { passes, resized, crop, padding }
}

/** Describes an image that is decoded while it is resized. */
export interface StreamedImage extends Sides {
  /** Is the orientation that its file tells, and that has been heeded: the image lies upright as it is, or is to be taken as it lies. */
  readonly orientation: number
  /** Tells whether it was turned upright by it. */
  readonly upright: boolean
  /** Each side has become so many times smaller while it was decoded, rounded down. */
  readonly shrink: Shrink
}

/** Says how an image is to be resized while it is decoded, and makes levels of what comes of that. */
export interface StreamedPlan {
  /** Is the size that the image is decoded at. */
  readonly decoded: Size
  readonly passes: Passes
  /** @param resized uint8, what the passes make of the image */
  finish(resized: Uint8Array): PreparedLevels
}

export function planStreamed(image: StreamedImage, recipe: Recipe): StreamedPlan {
  const decoded = shrunkSize(image, image.shrink)
  const plan = planPasses(image, decoded, recipe, image.shrink)
  return { decoded, passes: plan.passes, finish: (resized) => finish(image, plan, resized) }
}

/** Says how many times smaller an image may be decoded for a recipe: each side stays at least twice as long as it is resized to. */
export function shrinkFor(image: Sides, recipe: Recipe): Shrink {
  if (recipe.decode === 'whole') return 1
  const [height, width] = geometry(image, recipe).resized
  const ratio = Math.min(image.height / height, image.width / width)
  return SHRINKS.find((shrink) => ratio >= 2 * shrink) ?? 1
}

/** Says how many times smaller each side of a JPEG is decoded. */
export type Shrink = 1 | 2 | 4 | 8
const SHRINKS: readonly Shrink[] = [8, 4, 2]

/** Rounds down, as libvips does: a last pixel that the image fills only in part is left out. */
export function shrunkSize({ height, width }: Sides, shrink: Shrink): Size {
  return [Math.floor(height / shrink), Math.floor(width / shrink)]
}

type Sides = Pick<RgbImage, 'height' | 'width'>

function levelsOf<Levels extends Uint8Array | Float32Array>(
  { resized, crop, padding }: ResizePlan,
  data: Levels,
): Sides & { readonly data: Levels } {
  return cropped({ data, height: resized[0], width: resized[1] }, crop, padding)
}

function finish(
  image: Sides & Partial<Pick<DecodedImage, 'orientation' | 'upright'>>,
  work: ResizePlan,
  resizedData: Uint8Array | Float32Array,
): PreparedLevels {
  const { resized, crop } = work
  const { data, height, width } = levelsOf(work, resizedData)
  const placement = {
    top: crop.top,
    left: crop.left,
    scaleY: image.height / resized[0],
    scaleX: image.width / resized[1],
  }
  return {
    levels: data,
    height,
    width,
    imageSize: [image.height, image.width],
    orientation: { found: image.orientation ?? 1, applied: image.upright ?? true },
    placement,
  }
}

/** Makes model input of levels, and puts around it what the recipe pads with zeros. */
export function normalised(prepared: PreparedLevels, { rescale, rgbStats, resize }: Recipe): PreparedImage {
  const { levels, height, width, imageSize, orientation } = prepared
  const margin = paddingTo(resize.kind === 'multiples' ? resize.divisor : 1, { height, width })
  const pixels = normaliseLevels(levels, rescale, rgbStats)
  const placement = {
    ...prepared.placement,
    top: prepared.placement.top - margin.top,
    left: prepared.placement.left - margin.left,
  }
  return {
    ...padWithZeros({ pixels, height, width }, margin),
    imageSize,
    orientation,
    placement,
    sourceBox: (top, left, bottom, right) => boxInImage(placement, { top, left, bottom, right }),
  }
}

/** What was decoded without being told of white has lost its alpha, and may still have a colour that is transparent. */
function onWhite({ data, transparentColour }: SourceImage): Uint8Array {
  return transparentColour === undefined ? data : rgbWithWhiteFor(data, transparentColour)
}

interface Crop {
  /** It is negative where the image is smaller than the crop: the recipe's padding is put around it. */
  readonly top: number
  /** It may be negative as `top` may. */
  readonly left: number
  readonly height: number
  readonly width: number
}

type Size = readonly [height: number, width: number]

/** No recipe asks for more; a strip of 1 x 100,000 pixels with its short side at 256 would. */
const MOST_PIXELS = 2 ** 28

function geometry(image: Sides, recipe: Recipe): { resized: Size; crop: Crop } {
  const { resize, size, cropRounding } = recipe
  const resized = resizedSize(image, resize)
  assertPatches(image, resized, recipe)
  assertFits(image, resized, recipe)
  if (hasSizesOfItsOwn(resize))
    return { resized, crop: { top: 0, left: 0, height: resized[0], width: resized[1] } }
  const [height, width] = size
  return {
    resized,
    crop: {
      top: cropStart(resized[0], height, cropRounding),
      left: cropStart(resized[1], width, cropRounding),
      height,
      width,
    },
  }
}

function assertPatches({ height, width }: Sides, resized: Size, { resize }: Recipe): void {
  if (resize.kind !== 'scaled') return
  const [rows, columns] = [resized[0] / resize.patchSize, resized[1] / resize.patchSize]
  if (rows * columns <= resize.maxPatches) return
  const count = (patches: number) => patches.toLocaleString('en')
  throw new ImageError(
    'too-large',
    `An image of ${height} x ${width} pixels would be resized to ${resized[0]} x ${resized[1]}, which are ${count(rows * columns)} patches, and ${count(resize.maxPatches)} are allowed: ` +
      'the time grows with their square. Choose a smaller size, or allow more: maxTokens where a program loads the model, --max-tokens on the command line.',
  )
}

/** Pillow 13 chooses the order of the passes that keeps what lies between them small; where the order is fixed that may be the larger. */
function assertFits({ height, width }: Sides, resized: Size, { resampler, passOrder }: Recipe): void {
  const fixedOrder = resampler !== 'pillow' || passOrder === 'horizontal-first'
  if (resized[0] * resized[1] > MOST_PIXELS) {
    throw new ImageError(
      'too-large',
      `An image of ${height} x ${width} pixels would be resized to ${resized[0]} x ${resized[1]}: it is too narrow for a recipe ` +
        'that keeps the aspect ratio. Use the recipe birder, which does not.',
    )
  }
  if (fixedOrder && height * resized[1] > MOST_PIXELS) {
    throw new ImageError(
      'too-large',
      `An image of ${height} x ${width} pixels would be ${height} x ${resized[1]} after the horizontal pass: it is too high for a resize ` +
        'with that pass first. Use the order pillow-13, which begins with the other.',
    )
  }
}

function assertRgb({ data, height, width }: RgbImage): void {
  const whole = Number.isInteger(height) && Number.isInteger(width) && height >= 1 && width >= 1
  if (whole && data.length === height * width * 3) return
  throw new ImageError(
    'wrong-shape',
    `${data.length} bytes were given as an image of ${height} x ${width} pixels. An RGB image has height x width x 3 bytes, ` +
      'row by row, without alpha.',
  )
}

/** An image smaller than the crop is padded first: torchvision puts the odd pixel behind, Hugging Face before it. */
function cropStart(side: number, crop: number, rounding: Recipe['cropRounding']): number {
  const floor = Math.floor((side - crop) / 2)
  if (rounding === 'down' || (side - crop) % 2 === 0) return floor
  // A margin to cut off is rounded half to even; a margin to add is counted the other way and rounds down.
  return side < crop || floor % 2 !== 0 ? floor + 1 : floor
}

function cropped<Levels extends Uint8Array | Float32Array>(
  image: Sides & { readonly data: Levels },
  { top, left, height, width }: Crop,
  padding: Recipe['padding'],
): Sides & { readonly data: Levels } {
  if (top === 0 && left === 0 && height === image.height && width === image.width) return image
  const length = height * width * 3
  const data = (
    image.data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length)
  ) as Levels
  if (padding.some((level) => level !== 0)) for (let i = 0; i < data.length; i += 3) data.set(padding, i)
  const firstColumn = Math.max(0, -left)
  const columns = Math.min(width, image.width - left) - firstColumn
  for (let y = Math.max(0, -top); y < Math.min(height, image.height - top); y++) {
    const from = ((y + top) * image.width + left + firstColumn) * 3
    data.set(image.data.subarray(from, from + columns * 3), (y * width + firstColumn) * 3)
  }
  return { data, height, width }
}
