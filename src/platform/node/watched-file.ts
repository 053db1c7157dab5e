/**
 * Lets photos be measured while an encoder decodes them: a JPEG is then decoded once, and never in memory as a whole. A `WatchedFile` is given to the encoder in place of
 * pixels, by a function, when the photo's turn comes.
 */
import type { PixelImage } from '../../image/given-pixels.js'
import type { ReadFile } from './inspect-file.js'
import type { MeasuredPixels } from './measure-pixels.js'

/** Is a file that has been read, whose pixels are measured where they are decoded. */
export class WatchedFile {
  readonly image: ReadFile
  /** Is EXIF's, 1 to 8, where it is another than the file tells; else null. */
  readonly orientation: number | null
  /** Is told what was measured, before the encoder has anything of the photo. */
  readonly onMeasured: (measured: MeasuredPixels) => void

  constructor(image: ReadFile, orientation: number | null, onMeasured: (measured: MeasuredPixels) => void) {
    this.image = image
    this.orientation = orientation
    this.onMeasured = onMeasured
  }
}

const watching = new WeakSet<object>()

/** Says that an encoder takes functions that give a `WatchedFile`. Gives the encoder. */
export function watchesFiles<Encoder extends object>(encoder: Encoder): Encoder {
  watching.add(encoder)
  return encoder
}

/**
 * Gives what a function is to give an encoder in place of pixels; null where the encoder takes pixels alone. Its type is a white lie, so that only an encoder that was
 * said to watch ever gets a file.
 */
export function watchedOrNull(encoder: object, ...given: ConstructorParameters<typeof WatchedFile>) {
  return watching.has(encoder) ? (new WatchedFile(...given) as unknown as PixelImage) : null
}
