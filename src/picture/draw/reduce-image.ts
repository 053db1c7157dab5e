/** Makes photos smaller for being drawn on. A network's input is resized elsewhere, as its library does it. */
import type { RgbImage } from '../../image/image.js'
import { areaResize } from '../../numerics/area-resize.js'

/** Gives an image whose longer side is `side` pixels at most: the image itself where it is no longer. */
export function reducedTo(image: RgbImage, side: number): RgbImage {
  const longest = Math.max(image.height, image.width)
  if (longest <= side) return image
  const shorter = (pixels: number) => Math.max(1, Math.round((pixels * side) / longest))
  return resized(image, shorter(image.height), shorter(image.width))
}

/** Gives an image of this size; where a side grows, pixels are repeated. */
export function resized({ height, width, data }: RgbImage, newHeight: number, newWidth: number): RgbImage {
  const size = [newHeight, newWidth] as const
  return { height: newHeight, width: newWidth, data: areaResize(data, [height, width], size) }
}
