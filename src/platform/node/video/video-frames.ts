/**
 * Gives the frames of a film, as the ffmpeg of this machine decodes them, through a pipe: nothing is written to the disk, no more than a few frames are in
 * memory, and the film waits while nobody asks for the next one.
 */
import type { Readable } from 'node:stream'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { decodedFromPixels } from '../../../image/given-pixels.js'
import type { RgbImage } from '../../../image/image.js'
import { warn } from '../choose-engine.js'
import { type OpenVideo, openVideo, PICTURES } from './describe-video.js'
import { FfmpegProcess } from './ffmpeg-process.js'
import { partsOf } from './find-ffmpeg.js'
import { type FrameSettings, frameFilters, frameShape, TONE_MAPS, type ToneMap } from './frame-settings.js'
import { type FrameChoice, firstPtsOf, frameChooser, secondsOf, type TimeBase } from './frame-times.js'
import { VideoError } from './video-error.js'

/** Is a frame of a film, upright, with the time at which it is shown. */
export interface VideoFrame extends RgbImage {
  /** Counts seconds from the beginning of the film: `pts` times `timeBase`, rounded once. */
  readonly seconds: number
  /** Counts ticks from the beginning of the film, exactly as the file has them. */
  readonly pts: number
  /** Is the length of a tick in seconds, as a fraction, such as 1/90000. */
  readonly timeBase: readonly [numerator: number, denominator: number]
}

/** Says which frames of a film are taken, and how they are made. */
export interface VideoFrameOptions {
  /**
   * Takes the first frame of each stretch of so many seconds, counted from `from`; at least a thousandth. Default: every frame. Where a frame lasts longer than a
   * stretch, none is taken twice.
   */
  readonly every?: number
  /** Leaves out what is shown before, in seconds from the beginning of the film; default 0. */
  readonly from?: number
  /** Leaves out what is shown from then on, in seconds; default: the end of the film. */
  readonly to?: number
  /** Is the length of the shorter side in pixels, or (height, width), to which ffmpeg scales frames; default: as they are shown. */
  readonly size?: number | readonly [height: number, width: number]
  /** Brings the levels of a film that is brighter than a usual screen (PQ, HLG) down to one, in the way of that name; default: such a film is refused. */
  readonly toneMap?: ToneMap
  /** Says of transparent pixels whether their colours are taken as they are stored, `drop` (default), or laid on white. */
  readonly transparency?: 'drop' | 'white'
  /** Refuses films whose frames have more pixels; default: 268 million. */
  readonly maxPixels?: number
  /** Ends it: the next frame is the signal's reason, thrown. No process is left. */
  readonly signal?: AbortSignal
  /** Is told what of the film could not be read, and what was taken as it lay; default: a warning of the process. */
  readonly onWarning?: (message: string) => void
}

const FRAME_OPTIONS = {
  every: true,
  from: true,
  to: true,
  size: true,
  toneMap: true,
  transparency: true,
  maxPixels: true,
  signal: true,
  onWarning: true,
} satisfies OptionNames<VideoFrameOptions>

/**
 * Yields frames of a film in the order of their times. A film that breaks off gives the frames that are there, and one warning. It is read by the ffmpeg that
 * `PLUMAGE_FFMPEG` names or that is in PATH (5.1 or newer), which is gone when the generator has ended or `return` has resolved.
 *
 * @param path leads to a file: MP4, MOV, Matroska, WebM, AVI, MPEG, FLV, WMV or Ogg, whatever it is called
 * @throws RangeError for options that make no sense. The generator throws `VideoError` (`VideoErrorCode` says of each code what to do), and the signal's reason
 */
export function videoFrames(
  path: string,
  options: VideoFrameOptions = {},
): AsyncGenerator<VideoFrame, void, undefined> {
  checkOptionNames(options, FRAME_OPTIONS)
  checkFrameOptions(options)
  return rgbFrames(path, options)
}

async function* rgbFrames(
  path: string,
  options: VideoFrameOptions,
): AsyncGenerator<VideoFrame, void, undefined> {
  const { transparency = 'drop' } = options
  const video = await openVideo(path, options)
  for await (const { channels, ...frame } of readFrames(video, options)) {
    const { data } = channels === 3 ? frame : decodedFromPixels({ ...frame, channels }, { transparency })
    yield { ...frame, data }
  }
}

/** Throws RangeError. */
export function checkFrameOptions({ every, from, to, size, toneMap, transparency }: VideoFrameOptions): void {
  const wrong = (name: string, expected: string, found: unknown): never => {
    throw new RangeError(`${name} is ${expected}; found ${JSON.stringify(found)}.`)
  }
  const isTime = (value: number) => Number.isFinite(value) && value >= 0 && value <= MOST_SECONDS
  if (every !== undefined && !(isTime(every) && every >= SHORTEST))
    wrong('every', `a time of at least ${SHORTEST} s, in seconds`, every)
  if (from !== undefined && !isTime(from)) wrong('from', 'a time in seconds', from)
  if (to !== undefined && !(isTime(to) && to > (from ?? 0))) wrong('to', 'a time in seconds, after from', to)
  const sides = typeof size === 'number' ? [size] : (size ?? [])
  if (!sides.every((side) => Number.isSafeInteger(side) && side > 0 && side <= MOST_SIDE))
    wrong('size', 'a whole number of pixels, or (height, width)', size)
  if (toneMap !== undefined && !TONE_MAPS.includes(toneMap))
    wrong('toneMap', `one of ${TONE_MAPS.join(', ')}`, toneMap)
  if (transparency !== undefined && !['drop', 'white'].includes(transparency))
    wrong('transparency', 'drop or white', transparency)
}

/** Two frames of one thousandth would have one name. */
const SHORTEST = 0.001
/** Is more than a year; counted in ticks it is still a whole number to ffmpeg. */
const MOST_SECONDS = 1e8
const MOST_SIDE = 65_535

/** Is a frame whose transparency is still there. */
export interface ReadFrame extends VideoFrame {
  /** 3 is RGB, 4 is RGBA. */
  readonly channels: 3 | 4
}

export interface ReadOptions extends VideoFrameOptions {
  /** Is the time of a frame that is chosen, as a text with thousandths: those before it are left out, and need not be decoded. */
  readonly firstTime?: string | undefined
}

/** Yields frames of a film that was looked at. Options were judged before; `transparency` is left to whoever takes them. */
export async function* readFrames(
  video: OpenVideo,
  options: ReadOptions,
): AsyncGenerator<ReadFrame, void, undefined> {
  const { path, description } = video
  const { signal, onWarning = warn } = options
  await assertFit(video, options)
  if (description.isInterlaced) {
    onWarning(`${path} is interlaced: each frame is taken as it lies, woven of its two halves.`)
  }
  const choice = choiceOf(options)
  const shape = frameShape(description, options)
  const stamps = new Stamps(description.timeBase)
  const isChosen = frameChooser(choice, description.timeBase)
  await using child = new FfmpegProcess(video.ffmpeg, {
    args: frameArgs(video, choice, options),
    signal,
    onLine: (line) => stamps.add(line),
  })
  void child.exit().then(stamps.end, stamps.end)
  let count = 0
  for await (const data of piecesOf(child.stdout, shape.height * shape.width * shape.channels)) {
    signal?.throwIfAborted()
    const pts = await stamps.next(path)
    // Where a film changes its size, ffmpeg begins to choose anew.
    if (!isChosen(pts)) continue
    if (count === 0 && (options.from ?? options.firstTime ?? 0) !== 0) child.forgetTroubles()
    count++
    yield {
      ...shape,
      data,
      pts,
      seconds: secondsOf(pts, description.timeBase),
      timeBase: description.timeBase,
    }
    signal?.throwIfAborted()
  }
  const code = await child.exit()
  signal?.throwIfAborted()
  await assertOwnEnd(path, code, signal)
  const { lines, count: troubles } = child.troubles
  if (code !== 0 || troubles > 0) onWarning(damage(path, count, lines, troubles))
}

function frameArgs(
  { description, inputArgs }: OpenVideo,
  choice: FrameChoice,
  { firstTime, ...settings }: ReadOptions,
): readonly string[] {
  const start = firstTime === undefined ? choice.from : Math.round(Number(firstTime) * 1_000_000)
  const firstPts = firstTime === undefined ? undefined : firstPtsOf(firstTime, description.timeBase)
  return [
    ...seekArgs(description.container, start),
    ...inputArgs,
    ...['-map', PICTURES, '-vf', frameFilters(description, choice, settings, firstPts)],
    ...['-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'],
  ]
}

/** Frames that build on each other across this time would be needed whole before the first one that is wanted. */
const SEEK_MARGIN = 10_000_000
/** These keep a table of where frames lie; what others find by searching may lie behind the place. */
const SEEKABLE: ReadonlySet<string> = new Set(['mov', 'matroska'])

function seekArgs(container: string, from: number): readonly string[] {
  const start = from - SEEK_MARGIN
  return start > 0 && SEEKABLE.has(container) ? ['-ss', `${start}us`] : []
}

function choiceOf({ every, from = 0, to }: VideoFrameOptions): FrameChoice {
  const microseconds = (seconds: number | undefined) =>
    seconds === undefined ? null : Math.round(seconds * 1_000_000)
  return { every: microseconds(every), from: Math.round(from * 1_000_000), to: microseconds(to) }
}

async function assertFit(
  { path, ffmpeg, description }: OpenVideo,
  { toneMap }: FrameSettings,
): Promise<void> {
  const { hdr } = description
  if (hdr === null) return
  if (toneMap === undefined || hdr === 'Dolby Vision') {
    const remedy =
      hdr === 'Dolby Vision'
        ? 'Its levels (profile 5) are read by players of its maker alone: convert it first.'
        : `Name a way to bring them down (toneMap, --tone-map: ${TONE_MAPS.join(', ')}), or convert it first.`
    throw new VideoError(
      'hdr',
      `${path} is ${hdr}: its levels are not those of a usual screen, on which networks were trained. ${remedy}`,
    )
  }
  if ((await partsOf(ffmpeg, 'filters')).has('zscale')) return
  throw new VideoError(
    'unfit-ffmpeg',
    `${path} is ${hdr}, and ffmpeg ${ffmpeg.version} lacks the filter zscale that brings it down: use a build with libzimg, or convert it first.`,
  )
}

/** Ctrl-C reaches ffmpeg by itself; then this process has heard of it as well, or does so at once. */
async function assertOwnEnd(
  path: string,
  code: number | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (code !== null && code !== INTERRUPTED) return
  await new Promise((resolve) => setTimeout(resolve, SIGNAL_MS))
  signal?.throwIfAborted()
  throw new VideoError('interrupted', `The ffmpeg that read ${path} was ended by somebody else.`)
}

const INTERRUPTED = 255
const SIGNAL_MS = 100

function damage(path: string, count: number, lines: readonly string[], troubles: number): string {
  const [first = 'nothing of why'] = lines
  const more = troubles > 1 ? ` and ${troubles - 1} more of that kind` : ''
  return `${path} is damaged: ${count} frames of it were read. ffmpeg says: ${first}${more}.`
}

/** Pairs what ffmpeg tells of each frame with the frames, which come by another pipe, in the same order. */
class Stamps {
  readonly #timeBase: TimeBase
  readonly #found: number[] = []
  #failure: string | null = null
  #hasEnded = false
  #wake = () => {}

  constructor(timeBase: TimeBase) {
    this.#timeBase = timeBase
  }

  add(line: string): void {
    const base = /config in time_base: (\d+)\/(\d+)/.exec(line)
    if (base !== null && (Number(base[1]) !== this.#timeBase[0] || Number(base[2]) !== this.#timeBase[1]))
      this.#failure = `its clock is ${base[1]}/${base[2]} s in places and ${this.#timeBase.join('/')} s in others`
    const pts = /\bn: *\d+ pts: *(-?\d+|NOPTS)/.exec(line)?.[1]
    if (pts === undefined) return
    if (pts === 'NOPTS') this.#failure = 'it has frames without a time'
    this.#found.push(Number(pts))
    this.#wake()
  }

  readonly end = (): void => {
    this.#hasEnded = true
    this.#wake()
  }

  async next(path: string): Promise<number> {
    while (this.#found.length === 0 && !this.#hasEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const pts = this.#found.shift()
    if (pts !== undefined && this.#failure === null) return pts
    throw new VideoError(
      'unsupported',
      `${path} cannot be read: ${this.#failure ?? 'ffmpeg gave a frame without its time'}. Convert it first.`,
    )
  }
}

/** Cuts a stream into pieces of equal length, each in memory of its own. What is left at the end is dropped: half a frame is none. */
async function* piecesOf(stream: Readable, length: number): AsyncGenerator<Uint8Array, void, undefined> {
  let piece = new Uint8Array(length)
  let filled = 0
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + length - filled)
      piece.set(part, filled)
      filled += part.length
      at += part.length
      if (filled < length) continue
      yield piece
      piece = new Uint8Array(length)
      filled = 0
    }
  }
}
