/** Makes images smaller for being looked at. A network's input is resized elsewhere, as its library does it. */
import type { RgbImage } from '../../../image/image.js'
import { loadSharp } from '../sharp-decoder.js'

/** Gives an image that fits into so many pixels, its aspect kept: the image itself where it fits. */
export async function reducedWithin(
  image: RgbImage,
  most: { readonly height: number; readonly width: number },
): Promise<RgbImage> {
  const scale = Math.min(1, most.height / image.height, most.width / image.width)
  if (scale === 1) return image
  const side = (pixels: number) => Math.max(1, Math.round(pixels * scale))
  const [height, width] = [side(image.height), side(image.width)]
  const sharp = await loadSharp()
  const raw = {
    raw: { height: image.height, width: image.width, channels: 3 },
    limitInputPixels: false,
  } as const
  const reduced = sharp(image.data, raw).resize({ height, width, fit: 'fill' }).raw()
  return { height, width, data: new Uint8Array(await reduced.toBuffer()) }
}
