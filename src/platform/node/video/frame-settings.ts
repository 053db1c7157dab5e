/** Says how a frame becomes RGB of 8 bits, as filters of ffmpeg, and as an entry of a result's identity. */
import type { VideoDescription } from './describe-video.js'
import { type FrameChoice, selectExpression } from './frame-times.js'

/** Brings brighter levels than a screen's down to it, as ffmpeg's `tonemap` names the ways. */
export const TONE_MAPS = ['hable', 'mobius', 'reinhard', 'clip', 'linear', 'gamma'] as const
/** Names a way to bring brighter levels than a screen's down to it. */
export type ToneMap = (typeof TONE_MAPS)[number]

/** Says how frames are made. */
export interface FrameSettings {
  /** Is the shorter side in pixels, or (height, width). */
  readonly size?: number | readonly [height: number, width: number] | undefined
  readonly toneMap?: ToneMap | undefined
}

/** Colours are brought to each pixel and sums rounded as on every processor, without the short cuts of vector units. */
const SCALER = 'bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact'

/** Is what numbers depend on beside the frames that were chosen: an entry of a result's identity. */
export function frameIdentity(
  version: string,
  { size, toneMap }: FrameSettings,
): Readonly<Record<string, unknown>> {
  return {
    ffmpeg: version,
    scaler: SCALER,
    ...(size === undefined ? {} : { size }),
    ...(toneMap === undefined ? {} : { toneMap }),
  }
}

export interface FrameShape {
  readonly height: number
  readonly width: number
  /** Is 3, or 4 where the film is transparent in places. */
  readonly channels: 3 | 4
}

export function frameShape(
  { height, width, hasAlpha }: VideoDescription,
  { size }: FrameSettings,
): FrameShape {
  const channels = hasAlpha ? 4 : 3
  if (size === undefined) return { height, width, channels }
  if (typeof size !== 'number') return { height: size[0], width: size[1], channels }
  const scale = size / Math.min(height, width)
  const scaled = (side: number) => Math.max(1, Math.round(side * scale))
  return { height: scaled(height), width: scaled(width), channels }
}

/** Chooses frames first, from `firstPts` on, so that no other is converted, and says of each its time when all else is done. */
export function frameFilters(
  video: VideoDescription,
  choice: FrameChoice,
  settings: FrameSettings,
  firstPts?: number,
): string {
  const { height, width, channels } = frameShape(video, settings)
  const { to } = choice
  return [
    ...(to === null ? [] : [`trim=end=${to}us`]),
    `select='${selectExpression(choice, video.timeBase, firstPts)}'`,
    ...(video.hdr === null || settings.toneMap === undefined ? [] : toneMapping(settings.toneMap)),
    `scale=${width}:${height}:flags=${SCALER}`,
    `format=${channels === 4 ? 'rgba' : 'rgb24'}`,
    'showinfo=checksum=0',
  ].join(',')
}

/** White paper lies at 100 candelas, as usual screens have it. */
function toneMapping(way: ToneMap): readonly string[] {
  return [
    'zscale=transfer=linear:npl=100',
    'format=gbrpf32le',
    'zscale=primaries=bt709',
    `tonemap=tonemap=${way}:desat=0`,
    'zscale=transfer=bt709:range=full',
    'format=gbrp',
  ]
}
