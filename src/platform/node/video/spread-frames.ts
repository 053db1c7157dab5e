/** Takes a few frames that stand for a whole film, in one pass through it and in bounded memory. */
import type { OpenVideo } from './describe-video.js'
import { type ReadFrame, readFrames, type VideoFrameOptions } from './video-frames.js'

/** A film that does not say how long it is begins with a frame each so many seconds. */
const FIRST_STEP = 0.25

/** Gives at most `count` frames, spread evenly over what is read of the film. */
export async function spreadFrames(
  video: OpenVideo,
  count: number,
  options: Omit<VideoFrameOptions, 'every'>,
): Promise<readonly ReadFrame[]> {
  const { from = 0, to } = options
  const end = Math.min(to ?? Number.POSITIVE_INFINITY, video.description.seconds ?? Number.POSITIVE_INFINITY)
  const every = Number.isFinite(end) && end > from ? Math.max((end - from) / count, SHORTEST) : FIRST_STEP
  let kept: ReadFrame[] = []
  let step = 1
  let index = 0
  for await (const frame of readFrames(video, { ...options, every })) {
    if (index++ % step !== 0) continue
    kept.push(frame)
    if (kept.length <= count) continue
    // It is longer than it says: every second one goes.
    kept = kept.filter((_, position) => position % 2 === 0)
    step *= 2
  }
  return kept
}

const SHORTEST = 0.001
