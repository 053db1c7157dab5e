/** Gives the frames of a film to work on many images: each with its time as a text, and with its transparency, of which the encoder's recipe decides. */
import type { PixelImage } from '../../../image/given-pixels.js'
import { type OpenVideo, openVideo } from './describe-video.js'
import { timeText } from './frame-times.js'
import { VideoError } from './video-error.js'
import { checkFrameOptions, type ReadOptions, readFrames, type VideoFrameOptions } from './video-frames.js'

export interface FilmFrameOptions extends VideoFrameOptions {
  /** Names the film in messages. */
  readonly label: string
  /** Is the time of a frame that has been read before: those before it are left out, unless it is not found again at its place. */
  readonly after?: string | undefined
}

interface TimedFrame {
  readonly time: string
  readonly image: PixelImage
}

/** Throws `VideoError` also where the film has no frame within the time that was asked for. */
export async function* filmFrames(
  path: string,
  { label, after, ...options }: FilmFrameOptions,
): AsyncGenerator<TimedFrame, void, undefined> {
  checkFrameOptions(options)
  const video = await openVideo(path, { ...options, label })
  if (after !== undefined && (yield* framesFrom(video, options, after))) return
  let count = 0
  for await (const frame of timedFrames(video, options)) {
    count++
    yield frame
  }
  if (count > 0) return
  throw new VideoError(
    'no-frames',
    `${label} has no frame within that time${video.description.seconds === null ? '' : `: it lasts ${video.description.seconds} s`}.`,
  )
}

/** Returns whether that frame was there; else nothing is yielded. */
async function* framesFrom(
  video: OpenVideo,
  options: VideoFrameOptions,
  firstTime: string,
): AsyncGenerator<TimedFrame, boolean, undefined> {
  let isThere = false
  for await (const frame of timedFrames(video, { ...options, firstTime })) {
    if (!isThere && frame.time !== firstTime) return false
    isThere = true
    yield frame
  }
  return isThere
}

async function* timedFrames(
  video: OpenVideo,
  options: ReadOptions,
): AsyncGenerator<TimedFrame, void, undefined> {
  let last: string | null = null
  for await (const { pts, timeBase, height, width, channels, data } of readFrames(video, options)) {
    const time = timeText(pts, timeBase)
    // Of more than a thousand frames a second those of one thousandth would have one name.
    if (time === last) continue
    last = time
    yield { time, image: { height, width, channels, data } }
  }
}
