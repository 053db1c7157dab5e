/** Takes frames of a film as photos of a collection. */
import type { FoundPhoto } from '../../../collection/find-photos.js'
import { frameName } from '../../../collection/frame-name.js'
import type { Row } from '../../../collection/row-block.js'
import { decodedFromPixels, type PixelImage } from '../../../image/given-pixels.js'
import type { DecodedImage } from '../../../image/image.js'
import { filmFrames } from '../video/film-frames.js'
import type { VideoFrameOptions } from '../video/video-frames.js'
import { contentOfFrame, hashOfFile } from './content-hash.js'

/** Is a frame, or the film itself where it gives none: then `get` throws why. */
export interface FilmPhoto {
  readonly frame: FoundPhoto
  get(): Promise<{ readonly image: DecodedImage; readonly values: Row }>
}

interface ReadFrame {
  readonly time: string
  readonly image: PixelImage
}

/** Gives the frames in the order of their times; the last one is known by then. Throws the signal's reason. */
export async function* framesOf(film: FoundPhoto, options: VideoFrameOptions): AsyncGenerator<FilmPhoto> {
  const { transparency = 'drop', signal } = options
  const { isFilm: _film, ...place } = film
  try {
    const content = await hashOfFile(film.full, signal)
    const made = ({ time, image }: ReadFrame, isLast: boolean): FilmPhoto => {
      const path = frameName(film, time)
      const values = { content: contentOfFrame(content, path.slice(film.path.length)), preview: false }
      const get = async () => ({
        image: decodedFromPixels(image, { orientation: 'ignore', transparency }),
        values,
      })
      return { frame: { ...place, path, frame: { isLast } }, get }
    }
    let before: ReadFrame | null = null
    for await (const read of filmFrames(film.full, { onWarning: () => {}, ...options, label: film.path })) {
      if (before !== null) yield made(before, false)
      before = read
    }
    if (before !== null) yield made(before, true)
  } catch (error) {
    signal?.throwIfAborted()
    yield { frame: film, get: () => Promise.reject(error) }
  }
}
