/** Puts a photo and what was drawn on it together, as the options say. */
import type { RgbImage } from '../../../image/image.js'
import type { HeatOptions } from '../../../picture/draw/draw-patches.js'
import { sideBySide } from '../../../picture/draw/layout.js'
import type { Upsampling } from '../../../picture/upsample.js'
import type { HeatMapOptions, PictureOptions } from './picture-options.js'

export function composed(
  photo: RgbImage,
  drawn: RgbImage,
  { layout }: Pick<PictureOptions, 'layout'>,
): RgbImage {
  return layout === 'beside' ? sideBySide([photo, drawn]) : drawn
}

/** @param beside is the share of the colours beside the photo; over it, it must show through, and alone nothing does */
export function opacityOf(
  { layout, opacity }: Pick<PictureOptions, 'layout' | 'opacity'>,
  beside = 1,
): number {
  return opacity ?? { beside, over: 0.6, alone: 1 }[layout]
}

/** Says how numbers are drawn: the photo shows through a little, beside it too, so that places are found again. */
export function heatOptions(
  options: Pick<HeatMapOptions, 'map' | 'layout' | 'opacity' | 'upsample'>,
  range: readonly [number, number],
): HeatOptions {
  return { map: options.map, range, opacity: opacityOf(options, 0.75), upsample: upsamplingOf(options) }
}

export function upsamplingOf({ upsample }: Pick<PictureOptions, 'upsample'>): Upsampling | undefined {
  return upsample === 'none' ? undefined : upsample
}

/** Is how places that were given are marked in photos. */
export const MARK = { color: [255, 64, 64], width: 3 } as const

/** Gives the radius of a ring that is seen and hides little. */
export function ringOn({ width }: RgbImage): number {
  return Math.max(6, width / 60)
}

/** A few patches draw a hundred times as much as the others: with these at the end of the colours, nothing else would show. */
export function shownRange(values: Float32Array): readonly [number, number] {
  const sorted = values.toSorted()
  return [0, sorted[Math.floor((sorted.length - 1) * 0.99)] ?? 0]
}
