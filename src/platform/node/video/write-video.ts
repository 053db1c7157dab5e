/** Makes a film of pictures as they come, with the sound of another: ffmpeg encodes, and the file appears whole or not at all. */
import { once } from 'node:events'
import { rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import type { RgbImage } from '../../../image/image.js'
import { explainWriteError } from '../files/file-error.js'
import { replaceableFile } from '../files/output-target.js'
import { FfmpegProcess, plainLine } from './ffmpeg-process.js'
import { type Ffmpeg, findFfmpeg, partsOf } from './find-ffmpeg.js'
import { rawFrameHead, rawHeader, TICKS_PER_SECOND } from './raw-matroska.js'
import { VideoError } from './video-error.js'
import { demuxerFor } from './video-kind.js'
import { MUXERS, muxerOrNull } from './video-name.js'

/** Is a picture of a film. */
export interface TimedPicture {
  /** Is the picture; all of a film have one size. */
  readonly image: RgbImage
  /** Is the time from which on it is shown, in seconds; each comes after the one before. */
  readonly seconds: number
}

/** Says how a film is written. */
export interface WriteVideoOptions {
  /** Leads to a film whose sound is copied, as it is and beginning at 0; default: there is none. */
  readonly soundOf?: string
  /** Leaves the sound before this time of that film out, in seconds; default 0. */
  readonly soundFrom?: number
  /** Leaves the sound from this time of that film on out, in seconds; default: all of it is copied. */
  readonly soundTo?: number
  /** Is kept in the file as its comment; default: none. */
  readonly comment?: string
  /** Ends the writing, which then rejects with the signal's reason; no file and no process is left. */
  readonly signal?: AbortSignal
}

/** Says what was written. */
export interface WrittenVideo {
  /** Counts the pictures. */
  readonly frames: number
  /** Names what encoded them, as ffmpeg does: `libx264`. */
  readonly encoder: string
}

const WRITE_OPTIONS = {
  soundOf: true,
  soundFrom: true,
  soundTo: true,
  comment: true,
  signal: true,
} satisfies OptionNames<WriteVideoOptions>

/** Are tried in this order: the first that is there is taken, with what makes it quick and faithful. None needs a device. */
const ENCODERS: readonly (readonly [name: string, ...args: string[]])[] = [
  ['libx264', '-preset', 'fast', '-crf', '18'],
  ['libopenh264', '-b:v', '8M'],
  ['libsvtav1', '-preset', '8', '-crf', '24'],
  ['libvpx-vp9', '-crf', '24', '-b:v', '0', '-row-mt', '1', '-deadline', 'realtime', '-cpu-used', '6'],
  ['mpeg4', '-q:v', '2'],
]

/**
 * Writes a film in MP4, MOV or Matroska, by the ending of its name. Each picture is shown at its own time. Odd sides get a black line more, since encoders
 * want even ones.
 *
 * @throws `VideoError` `not-writable`, `no-ffmpeg`, `unfit-ffmpeg`; what `pictures` throws; RangeError for pictures of different sizes, or an unknown option;
 *   the signal's reason
 */
export async function writeVideo(
  path: string,
  pictures: AsyncIterable<TimedPicture>,
  options: WriteVideoOptions = {},
): Promise<WrittenVideo> {
  checkOptionNames(options, WRITE_OPTIONS)
  const format = muxerOrNull(path)
  if (format === null) {
    throw new VideoError(
      'not-writable',
      `${path} is no film that can be written: expected a name ending in ${Object.keys(MUXERS).join(', ')}.`,
    )
  }
  const ffmpeg = await findFfmpeg()
  const encoder = await encoderOf(ffmpeg)
  const target = (await replaceableFile(resolve(path))).path
  const partial = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`)
  const args = [
    ...['-f', 'matroska', '-i', 'pipe:0', ...(await soundArgs(options)), '-c:v', ...encoder],
    ...['-fps_mode', 'passthrough', '-enc_time_base', `1:${TICKS_PER_SECOND}`],
    ...(options.comment === undefined ? [] : ['-metadata', `comment=${options.comment}`]),
    ...['-vf', 'pad=ceil(iw/2)*2:ceil(ih/2)*2,format=yuv420p', '-f', format, '-y', `file:${partial}`],
  ]
  try {
    const frames = await encode(ffmpeg, args, path, pictures, options.signal)
    await rename(partial, target).catch((error: unknown) => {
      throw explainWriteError(error, path)
    })
    return { frames, encoder: encoder[0] }
  } finally {
    await rm(partial, { force: true })
  }
}

async function encoderOf(ffmpeg: Ffmpeg): Promise<(typeof ENCODERS)[number]> {
  const there = await partsOf(ffmpeg, 'encoders')
  const found = ENCODERS.find(([name]) => there.has(name))
  if (found !== undefined) return found
  throw new VideoError(
    'unfit-ffmpeg',
    `ffmpeg ${ffmpeg.version} encodes none of ${ENCODERS.map(([name]) => name).join(', ')}: use a fuller build.`,
  )
}

async function soundArgs({ soundOf, soundFrom = 0, soundTo }: WriteVideoOptions): Promise<readonly string[]> {
  if (soundOf === undefined) return ['-map', '0:v']
  const demuxer = await demuxerFor(soundOf)
  const microseconds = (seconds: number) => `${Math.round(seconds * 1e6)}us`
  const seek = [
    ...(soundFrom > 0 ? ['-ss', microseconds(soundFrom)] : []),
    ...(soundTo === undefined ? [] : ['-t', microseconds(soundTo - soundFrom)]),
  ]
  const input = ['-protocol_whitelist', 'file,pipe', ...seek, '-f', demuxer, '-i', `file:${resolve(soundOf)}`]
  return [...input, '-map', '0:v', '-map', '1:a?', '-c:a', 'copy']
}

async function encode(
  ffmpeg: Ffmpeg,
  args: readonly string[],
  path: string,
  pictures: AsyncIterable<TimedPicture>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const said: string[] = []
  const onLine = (line: string) => {
    if (/\[(error|fatal)\]/.test(line)) said.push(line)
  }
  await using child = new FfmpegProcess(ffmpeg, { args, signal, onLine })
  child.stdout.resume()
  let hasEnded = false
  const ended = child.exit().finally(() => {
    hasEnded = true
  })
  ended.catch(() => {})
  const write = async (bytes: Uint8Array) => {
    if (!hasEnded && !child.stdin.write(bytes))
      await Promise.race([once(child.stdin, 'drain').catch(() => {}), ended])
  }
  let count = 0
  let first: RgbImage | null = null
  for await (const { image, seconds } of pictures) {
    signal?.throwIfAborted()
    if (first === null) await write(rawHeader(image))
    first ??= image
    assertSameSize(first, image)
    await write(rawFrameHead(image, Math.round(seconds * TICKS_PER_SECOND)))
    await write(image.data)
    if (hasEnded) break
    count++
  }
  child.stdin.end()
  const code = await ended
  signal?.throwIfAborted()
  if (code === 0 && count > 0) return count
  throw notWritten(path, count, said)
}

function assertSameSize(first: RgbImage, image: RgbImage): void {
  if (first.height === image.height && first.width === image.width) return
  throw new RangeError(
    `The pictures of a film have one size; found ${image.height} x ${image.width} behind ${first.height} x ${first.width}.`,
  )
}

function notWritten(path: string, count: number, said: readonly string[]): VideoError {
  if (count === 0 && said.length === 0)
    return new VideoError('not-writable', `${path} is not written: there was no picture for it.`)
  const isSound = said.some((line) =>
    /tag for codec|codec not currently supported|not supported in/i.test(line),
  )
  const advice = isSound
    ? ' The sound is of a kind that this format does not hold: choose a name ending in .mkv.'
    : ''
  const [first = 'nothing of why'] = said
  return new VideoError(
    'not-writable',
    `${path} cannot be written. ffmpeg says: ${plainLine(first)}.${advice}`,
  )
}
