/** Puts a photo and what was drawn on it together. */
import type { RgbImage } from '../../../image/image.js'
import { sideBySide } from '../../../picture/draw/layout.js'
import type { PictureOptions } from './picture-options.js'

export function composed(
  photo: RgbImage,
  drawn: RgbImage,
  { layout }: Pick<PictureOptions, 'layout'>,
): RgbImage {
  return layout === 'beside' ? sideBySide([photo, drawn]) : drawn
}
