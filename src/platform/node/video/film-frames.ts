/** Gives the frames of a film to work on many images: each with its time as a text, and with its transparency, of which the encoder's recipe decides. */
import type { PixelImage } from '../../../image/given-pixels.js'
import { openVideo } from './describe-video.js'
import { timeText } from './frame-times.js'
import { VideoError } from './video-error.js'
import { checkFrameOptions, readFrames, type VideoFrameOptions } from './video-frames.js'

export interface FilmFrameOptions extends VideoFrameOptions {
  /** Names the film in messages. */
  readonly label: string
}

/** Throws `VideoError` also where the film has no frame within the time that was asked for. */
export async function* filmFrames(
  path: string,
  { label, ...options }: FilmFrameOptions,
): AsyncGenerator<{ readonly time: string; readonly image: PixelImage }, void, undefined> {
  checkFrameOptions(options)
  const video = await openVideo(path, { ...options, label })
  let last: string | null = null
  for await (const { pts, timeBase, height, width, channels, data } of readFrames(video, options)) {
    const time = timeText(pts, timeBase)
    // Of more than a thousand frames a second those of one thousandth would have one name.
    if (time === last) continue
    last = time
    yield { time, image: { height, width, channels, data } }
  }
  if (last === null) {
    throw new VideoError(
      'no-frames',
      `${label} has no frame within that time${video.description.seconds === null ? '' : `: it lasts ${video.description.seconds} s`}.`,
    )
  }
}
