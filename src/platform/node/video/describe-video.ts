/** Looks at a film by having ffmpeg decode its first frame: its size, its levels and how it lies are then what they are and not what a header claims. */
import { resolve } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { DEFAULT_MAX_PIXELS } from '../../../image/decodable.js'
import { FfmpegProcess, plainLine } from './ffmpeg-process.js'
import { type Ffmpeg, findFfmpeg, partsOf } from './find-ffmpeg.js'
import type { TimeBase } from './frame-times.js'
import { VideoError } from './video-error.js'
import { type Demuxer, demuxerFor } from './video-kind.js'

/** Says what a film is. */
export interface VideoDescription {
  /** Names what of ffmpeg reads it: `mov` for MP4 and its kin, `matroska` for WebM too. */
  readonly container: string
  /** Names how its pictures are coded, as ffmpeg does: `h264`. */
  readonly codec: string
  /** Counts the rows of a frame as it is shown, in pixels: upright, and as wide as its pixels are told to be. */
  readonly height: number
  /** Counts the columns of a frame as it is shown, in pixels. */
  readonly width: number
  /** Counts seconds, as the file claims; null where it does not. */
  readonly seconds: number | null
  /** Is the mean number of frames a second, as the file claims; null where it does not. */
  readonly framesPerSecond: number | null
  /** Is the length of a tick of its clock, in seconds, as a fraction. */
  readonly timeBase: readonly [numerator: number, denominator: number]
  /** Names how ffmpeg keeps its pixels: `yuv420p`. */
  readonly pixelFormat: string
  /** Tells whether its frames are transparent in places. */
  readonly hasAlpha: boolean
  /** Names what is brighter than a usual screen in it: `PQ`, `HLG` or `Dolby Vision`; null where nothing is. */
  readonly hdr: 'PQ' | 'HLG' | 'Dolby Vision' | null
  /** Tells whether its frames are made of two halves in turn, which are taken as they lie woven. */
  readonly isInterlaced: boolean
  /** Tells whether there is sound. */
  readonly hasSound: boolean
}

/** Is a film that has been looked at. */
export interface OpenVideo {
  /** Names it in messages. */
  readonly path: string
  readonly ffmpeg: Ffmpeg
  readonly description: VideoDescription
  /** Open it for ffmpeg, and choose what decodes it. */
  readonly inputArgs: readonly string[]
}

/** Bounds what is decoded. */
export interface OpenVideoOptions {
  /** Names the film in messages; default: its path. */
  readonly label?: string
  readonly maxPixels?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Throws `VideoError`; the signal's reason. */
export async function openVideo(file: string, options: OpenVideoOptions = {}): Promise<OpenVideo> {
  const path = options.label ?? file
  const demuxer = await demuxerFor(file, path)
  const ffmpeg = await findFfmpeg()
  const inputArgs = fileArgs(file, demuxer, options.maxPixels ?? DEFAULT_MAX_PIXELS)
  const told = await firstFrame(ffmpeg, path, inputArgs, options)
  const description = descriptionOf(path, demuxer, told)
  const decoder = ALPHA_DECODERS[description.codec]
  if (!told.stream.some((line) => /alpha_mode\s*:\s*1/.test(line)) || decoder === undefined) {
    return { path, ffmpeg, description, inputArgs }
  }
  if (!(await partsOf(ffmpeg, 'decoders')).has(decoder)) {
    throw new VideoError(
      'unfit-ffmpeg',
      `${path} is ${description.codec} with transparency, which the decoder ${decoder} reads, and ffmpeg ${ffmpeg.version} has none.`,
    )
  }
  return {
    path,
    ffmpeg,
    description: { ...description, hasAlpha: true },
    inputArgs: ['-c:v', decoder, ...inputArgs],
  }
}

/** ffmpeg's own decoders leave the transparency of these out. */
const ALPHA_DECODERS: Readonly<Record<string, string>> = { vp8: 'libvpx', vp9: 'libvpx-vp9' }

/** Times stay those of the file, counted from its beginning. What was cut off on the way is no frame. */
function fileArgs(path: string, demuxer: Demuxer, maxPixels: number): readonly string[] {
  return [
    ...['-protocol_whitelist', 'file,pipe', '-max_pixels', String(maxPixels), '-fflags', '+discardcorrupt'],
    ...['-copyts', '-start_at_zero', '-noaccurate_seek', '-f', demuxer, '-i', `file:${resolve(path)}`],
  ]
}

/** Names the first stream of pictures that is no cover. */
export const PICTURES = '0:V:0'

interface Told {
  /** Are the lines that ffmpeg writes of the stream that is read. */
  readonly stream: readonly string[]
  readonly all: readonly string[]
  readonly timeBase: TimeBase
  /** Is what `showinfo` says of the first frame. */
  readonly frame: string
  readonly levels: string
}

async function firstFrame(
  ffmpeg: Ffmpeg,
  path: string,
  inputArgs: readonly string[],
  { maxPixels = DEFAULT_MAX_PIXELS, signal }: OpenVideoOptions,
): Promise<Told> {
  const lines: string[] = []
  const args = [
    ...inputArgs,
    '-map',
    PICTURES,
    '-frames:v',
    '1',
    '-vf',
    'showinfo=checksum=0',
    '-f',
    'null',
    '-',
  ]
  await using child = new FfmpegProcess(ffmpeg, { args, signal, onLine: (line) => lines.push(line) })
  child.stdout.resume()
  await child.exit()
  signal?.throwIfAborted()
  const base = find(lines, /config in time_base: (\d+)\/(\d+)/)
  const frame = find(lines, /\bn: *0 pts:.*/)
  if (base === null || frame === null) throw noFrames(path, ffmpeg, lines, maxPixels)
  const index = find(lines, /Stream #0:(\d+) -> #0:0/)?.[1] ?? ''
  return {
    stream: streamLines(lines, index),
    all: lines,
    timeBase: [Number(base[1]), Number(base[2])],
    frame: frame[0],
    levels: find(lines, /color_range:.*/)?.[0] ?? '',
  }
}

function find(lines: readonly string[], pattern: RegExp): RegExpExecArray | null {
  for (const line of lines) {
    const match = pattern.exec(line)
    if (match !== null) return match
  }
  return null
}

/** Gives what is written of one stream of the input, up to the next. */
function streamLines(lines: readonly string[], index: string): readonly string[] {
  const input = lines.slice(
    0,
    lines.findIndex((line) => line.includes('Stream mapping:')),
  )
  const isBegin = (line: string) => /\bStream #0:\d+/.test(line)
  const begin = input.findIndex((line) => new RegExp(`\\bStream #0:${index}\\b`).test(line))
  if (begin < 0) return []
  const length = input.slice(begin + 1).findIndex(isBegin)
  return input.slice(begin, length < 0 ? undefined : begin + 1 + length)
}

/** Says why not a single frame came, as far as ffmpeg's own words tell. */
function noFrames(
  path: string,
  { version }: Ffmpeg,
  lines: readonly string[],
  maxPixels: number,
): VideoError {
  if (find(lines, /matches no streams/) !== null) {
    return new VideoError('no-frames', `${path} has no pictures, as a film has: is it sound alone?`)
  }
  const [, width = 0, height = 0] = (find(lines, /Video: .*?, (\d+)x(\d+)/) ?? []).map(Number)
  if (width * height > maxPixels) {
    return new VideoError(
      'too-large',
      `${path} has frames of ${width} x ${height} pixels, more than the ${maxPixels} that are allowed (maxPixels).`,
    )
  }
  const decoder = find(lines, /Decoder .*not found|Unknown decoder|no decoder found/i)
  if (decoder !== null) {
    return new VideoError(
      'unsupported',
      `${path} is coded in a way that ffmpeg ${version} does not decode (${plainLine(decoder.input)}). Convert it, or use a fuller build of ffmpeg.`,
    )
  }
  const said = lines.filter((line) => /\[(error|fatal)\]/.test(line)).map(plainLine)
  const missingIndex = find(lines, /moov atom not found/) !== null
  return new VideoError(
    'undecodable',
    missingIndex
      ? `${path} is cut off: what says where its frames lie stands at its end, and that is missing. Copy it again.`
      : `${path} gives no frame, it may be damaged${said.length === 0 ? '' : `: ffmpeg says ${[...new Set(said)].slice(0, 2).join('; ')}`}. Copy it again, or see whether it plays.`,
  )
}

const ALPHA = /^(yuva|gbrap|rgba|bgra|argb|abgr|ya8|ya16|ayuv|vuya|pal8)/
const TRANSFERS = { smpte2084: 'PQ', 'arib-std-b67': 'HLG' } as const

function descriptionOf(path: string, container: Demuxer, told: Told): VideoDescription {
  const [header = ''] = told.stream
  const codec = /Video: (\w+)/.exec(header)?.[1] ?? 'unknown'
  assertQuarterTurn(path, told)
  const [, height, width] = sizeOf(told.frame)
  const pixelFormat = /\bfmt:(\S+)/.exec(told.frame)?.[1] ?? 'unknown'
  const seconds = secondsOfClock(find(told.all, /Duration: (\d+:\d+:[\d.]+)/)?.[1])
  const rate = /([\d.]+)(k?) fps/.exec(header)
  return {
    container,
    codec,
    height,
    width,
    seconds,
    framesPerSecond: rate === null ? null : Number(rate[1]) * (rate[2] === 'k' ? 1000 : 1),
    timeBase: told.timeBase,
    pixelFormat,
    hasAlpha: ALPHA.test(pixelFormat),
    hdr: hdrOf(told),
    isInterlaced: /\bi:[TB]\b/.test(told.frame),
    hasSound: told.all.some((line) => /\bStream #0:\d+.*: Audio: /.test(line)),
  }
}

/** Pixels that are not square are made so by the width. */
function sizeOf(frame: string): readonly [string, height: number, width: number] {
  const [, width = 0, height = 0] = (/\bs:(\d+)x(\d+)/.exec(frame) ?? []).map(Number)
  const [, over = 0, under = 0] = (/\bsar:(\d+)\/(\d+)/.exec(frame) ?? []).map(Number)
  const shown = over > 0 && under > 0 ? Math.max(1, Math.round((width * over) / under)) : width
  return [frame, height, shown]
}

/** Quarter turns, and mirrored ones, are done by ffmpeg. */
function assertQuarterTurn(path: string, { stream }: Told): void {
  const angle = Number(find(stream, /displaymatrix: rotation of (-?[\d.]+|nan)/)?.[1] ?? 0)
  const off = Math.abs(angle / 90 - Math.round(angle / 90)) * 90
  if (off < 1) return
  throw new VideoError(
    'unsupported',
    `${path} is to be shown turned by ${angle} degrees, and only quarter turns are done. Turn it into another film first.`,
  )
}

function hdrOf({ stream, levels }: Told): VideoDescription['hdr'] {
  // Its profile 5 has colours of its own below; all others lie on levels that are told by themselves.
  if (stream.some((line) => /DOVI configuration record:.*profile: 5\b/.test(line))) return 'Dolby Vision'
  const [header = ''] = stream
  const found = Object.entries(TRANSFERS).find(
    ([name]) => levels.includes(`color_trc:${name}`) || header.includes(name),
  )
  return found?.[1] ?? null
}

function secondsOfClock(text: string | undefined): number | null {
  if (text === undefined) return null
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number)
  return hours * 3600 + minutes * 60 + seconds
}

/**
 * Says what a film is, by its first frame.
 *
 * @throws `VideoError` (`VideoErrorCode` says of each code what to do); RangeError for an unknown option; the signal's reason
 */
export async function describeVideo(
  path: string,
  options: DescribeVideoOptions = {},
): Promise<VideoDescription> {
  checkOptionNames(options, DESCRIBE_OPTIONS)
  return (await openVideo(path, options)).description
}

/** Says how a film is looked at. */
export interface DescribeVideoOptions {
  /** Refuses frames of more pixels before they are decoded; the default is 268 million. */
  readonly maxPixels?: number
  /** Ends the look, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

const DESCRIBE_OPTIONS = { maxPixels: true, signal: true } satisfies OptionNames<DescribeVideoOptions>
