/** From decoded pixels to model input, by a recipe; and from places in the input back to the original image. */
import { resamplePillow } from '../kernels/resample-pillow.js'
import type { Box, DecodedImage, RgbImage } from './image.js'
import { ImageError } from './image-error.js'
import type { Recipe, Resize } from './recipe.js'

export interface PreparedImage {
  /** Normalised, float32 [3, height, width]. */
  readonly pixels: Float32Array
  readonly height: number
  readonly width: number
  /** Height and width of the image as used, pixels. */
  readonly imageSize: readonly [height: number, width: number]
  readonly orientation: { readonly found: number; readonly applied: boolean }
  /** A box of the input, in pixels of the original image. */
  sourceBox(top: number, left: number, bottom: number, right: number): Box
}

/** Throws `ImageError` `too-large` for a shape that no recipe can make sense of. */
export function prepareImage(image: DecodedImage, recipe: Recipe): PreparedImage {
  const { resized, crop } = geometry(image, recipe)
  const { data, height, width } = resizeAndCrop(image, recipe)
  const scaleY = image.height / resized[0]
  const scaleX = image.width / resized[1]
  return {
    pixels: normalise(data, recipe),
    height,
    width,
    imageSize: [image.height, image.width],
    orientation: { found: image.orientation, applied: image.upright },
    sourceBox: (top, left, bottom, right) => ({
      top: (top + crop.top) * scaleY,
      left: (left + crop.left) * scaleX,
      bottom: (bottom + crop.top) * scaleY,
      right: (right + crop.left) * scaleX,
    }),
  }
}

/** The 8-bit stage: what Pillow's resize and the crop give. */
export function resizeAndCrop(
  image: RgbImage & Pick<DecodedImage, 'transparentColour'>,
  recipe: Recipe,
): RgbImage {
  const { resized, crop } = geometry(image, recipe)
  const source = recipe.transparentColour === 'white' ? onWhite(image) : image.data
  const data = resamplePillow(source, [image.height, image.width], resized, recipe.passOrder)
  return cropped({ data, height: resized[0], width: resized[1] }, crop)
}

/** Every pixel of the transparent colour made white, as Pillow's way from RGB with a transparent colour over RGBA ends. */
function onWhite({
  data,
  transparentColour,
}: RgbImage & Pick<DecodedImage, 'transparentColour'>): Uint8Array {
  if (transparentColour === undefined) return data
  const [r, g, b] = transparentColour
  const out = new Uint8Array(data)
  for (let i = 0; i < out.length; i += 3) {
    if (out[i] === r && out[i + 1] === g && out[i + 2] === b) out.fill(255, i, i + 3)
  }
  return out
}

interface Crop {
  /** May be negative where the image is smaller than the crop: zeros are put around it. */
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
}

type Size = readonly [height: number, width: number]

/** No recipe asks for more; a strip of 1 x 100,000 pixels with its short side at 256 would. */
const MOST_PIXELS = 2 ** 28

function geometry(image: RgbImage, { resize, size, cropRounding }: Recipe): { resized: Size; crop: Crop } {
  const resized = resizedSize(image, resize)
  if (resized[0] * resized[1] > MOST_PIXELS) {
    throw new ImageError(
      'too-large',
      `An image of ${image.height} x ${image.width} pixels would be resized to ${resized[0]} x ${resized[1]}: it is too narrow for a recipe ` +
        'that keeps the aspect ratio. Use the recipe birder, which does not.',
    )
  }
  if (resize.kind === 'patches')
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

function resizedSize({ height, width }: RgbImage, resize: Resize): Size {
  switch (resize.kind) {
    case 'squash':
      return resize.size
    case 'short-side': {
      const { side } = resize
      return width <= height
        ? [Math.trunc((side * height) / width), side]
        : [side, Math.trunc((side * width) / height)]
    }
    case 'cover': {
      const [h, w] = resize.size
      return width * h >= height * w
        ? [h, Math.max(w, Math.trunc((h * width) / height))]
        : [Math.max(h, Math.trunc((w * height) / width)), w]
    }
    case 'patches': {
      const { patchSize, maxPatches } = resize
      const shrink = Math.min(1, Math.sqrt((maxPatches * patchSize ** 2) / (height * width)))
      let [rows, columns] = [height, width].map((side) =>
        Math.max(1, Math.round((side * shrink) / patchSize)),
      )
      // Rounding up may overshoot the bound, and a very long strip keeps one row: the longer side gives way.
      while (rows * columns > maxPatches && rows * columns > 1) {
        if (rows >= columns) rows = Math.max(1, Math.min(rows - 1, Math.floor(maxPatches / columns)))
        else columns = Math.max(1, Math.min(columns - 1, Math.floor(maxPatches / rows)))
      }
      return [rows * patchSize, columns * patchSize]
    }
  }
}

/** torchvision's CenterCrop: an image smaller than the crop is padded first, the odd pixel behind. */
function cropStart(side: number, crop: number, rounding: Recipe['cropRounding']): number {
  if (side < crop) return -Math.floor((crop - side) / 2)
  const margin = (side - crop) / 2
  const floor = Math.floor(margin)
  return margin === floor || rounding === 'down' || floor % 2 === 0 ? floor : floor + 1
}

function cropped(image: RgbImage, { top, left, height, width }: Crop): RgbImage {
  if (top === 0 && left === 0 && height === image.height && width === image.width) return image
  const data = new Uint8Array(height * width * 3)
  const firstColumn = Math.max(0, -left)
  const columns = Math.min(width, image.width - left) - firstColumn
  for (let y = Math.max(0, -top); y < Math.min(height, image.height - top); y++) {
    const from = ((y + top) * image.width + left + firstColumn) * 3
    data.set(image.data.subarray(from, from + columns * 3), (y * width + firstColumn) * 3)
  }
  return { data, height, width }
}

/** Rescale and normalise as torchvision and Hugging Face do: every operation rounds to float32. [H, W, 3] to [3, H, W]. */
function normalise(data: Uint8Array, { rescale, rgbStats: { mean, std } }: Recipe): Float32Array {
  const step = Math.fround(1 / 255)
  const plane = data.length / 3
  const out = new Float32Array(data.length)
  for (let c = 0; c < 3; c++) {
    const [m, s] = [Math.fround(mean[c]), Math.fround(std[c])]
    const unit = (level: number) => Math.fround(rescale === 'multiply' ? level * step : level / 255)
    const levels = Float32Array.from({ length: 256 }, (_, level) => Math.fround(unit(level) - m) / s)
    for (let i = 0, from = c; i < plane; i++, from += 3) out[c * plane + i] = levels[data[from]]
  }
  return out
}
