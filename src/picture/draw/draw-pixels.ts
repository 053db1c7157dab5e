/** Lays values of patches over a photo with a value of its own for each pixel, row by row: no more than a row of pixels has its numbers in memory. */
import type { RgbImage } from '../../image/image.js'
import { overlayCells } from '../../numerics/mix-pixels.js'
import type { Placed } from '../patches-at.js'
import { pixelRows, type Upsampling } from '../upsample.js'
import { copyOf, newCanvas, paste } from './canvas.js'
import { type SeenPixels, seenPixels } from './placement.js'

/** Sets the colour of a pixel, bytes of red, green and blue at `to`, from its C values at `at`. */
export type Painter = (
  values: Float64Array | Float32Array,
  at: number,
  colors: Uint8Array,
  to: number,
) => void

/** Says what becomes the colours of pixels. */
export interface PixelPaint {
  /** float32 [rows * columns, C]. */
  readonly values: Float32Array
  readonly paint: Painter
  readonly way: Upsampling
  /** uint8 [rows * columns], 0 or 1: a pixel is drawn where the most of it is 1; null: all are. */
  readonly mask: Uint8Array | null
  readonly opacity: number
  readonly dimmed: number
}

/** Draws a picture a little at a time, and gives it in the end: whoever draws it can do something else in between, or stop. */
export type DrawSteps = Generator<void, RgbImage, void>

/** Draws all of it at once. */
export function drawAll(steps: DrawSteps): RgbImage {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** Draws a row of pixels at a time. Throws `PictureError` `too-large` where C, and one for a mask, is more than can be upsampled. */
export function* drawPixels(photo: RgbImage, placed: Placed, how: PixelPaint): DrawSteps {
  const { paint, way, mask, opacity, dimmed } = how
  const { grid } = placed
  const seen = seenPixels(photo, placed)
  const { top, left } = seen
  const [height, width] = [seen.axes.down.length, seen.axes.across.length]
  const drawn = copyOf(photo)
  const channels = how.values.length / (grid.rows * grid.columns)
  const values = mask === null ? how.values : weighted(how.values, mask)
  const perPixel = mask === null ? channels : channels + 1
  const rowAt =
    height * width === 0 ? null : pixelRows({ values, grid }, guideOf(photo, seen), seen.axes, way)
  const colors = new Uint8Array(width * 3)
  const isDrawn = mask === null ? null : new Uint8Array(width)
  const columns = Int32Array.from({ length: photo.width }, (_, x) =>
    x >= left && x < left + width ? x - left : -1,
  )
  for (let y = 0; y < photo.height; y++) {
    const isSeen = rowAt !== null && y >= top && y < top + height
    if (isSeen) {
      const row = rowAt(y - top)
      if (isDrawn !== null) divideByWeights(row, perPixel, isDrawn)
      for (let x = 0; x < width; x++) paint(row, x * perPixel, colors, x * 3)
    }
    const line = drawn.data.subarray(y * photo.width * 3, (y + 1) * photo.width * 3)
    const rows = Int32Array.of(isSeen ? 0 : -1)
    overlayCells(line, { rows, columns, gridColumns: width, colors, mask: isDrawn, opacity, dimmed })
    yield
  }
  return drawn
}

/** Copies the pixels that the network has seen. */
function guideOf(photo: RgbImage, { top, left, axes }: SeenPixels): RgbImage {
  const guide = newCanvas(axes.down.length, axes.across.length)
  paste(guide, photo, -top, -left)
  return guide
}

/** Gives [rows * columns, C + 1]: values of what is masked weigh nothing, so that none of them runs into what is drawn; the weight comes last. */
function weighted(values: Float32Array, mask: Uint8Array): Float32Array {
  const channels = values.length / mask.length
  const table = new Float32Array(values.length + mask.length)
  for (const [patch, weight] of mask.entries()) {
    if (weight === 0) continue
    const to = patch * (channels + 1)
    table.set(values.subarray(patch * channels, (patch + 1) * channels), to)
    table[to + channels] = 1
  }
  return table
}

/** Makes means of weighted sums, and tells the pixels of which at least half belongs to the mask. */
function divideByWeights(row: Float64Array, perPixel: number, isDrawn: Uint8Array): void {
  for (let x = 0; x < isDrawn.length; x++) {
    const at = x * perPixel
    const weight = row[at + perPixel - 1] ?? 0
    isDrawn[x] = weight >= 0.5 ? 1 : 0
    if (weight >= 0.5) for (let c = 0; c < perPixel; c++) row[at + c] = (row[at + c] ?? 0) / weight
  }
}
