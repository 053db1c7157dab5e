/** Takes films among the inputs of a command: each frame that is taken of one is an image, with its time behind the film's name. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { given } from '../encoder/choose-recipe.js'
import { identityWith } from '../encoder/identity-with.js'
import type { Identity } from '../encoder/types.js'
import { frameIdentity, TONE_MAPS, type ToneMap } from '../platform/node/video/frame-settings.js'
import type { VideoFrameOptions } from '../platform/node/video/video-frames.js'
import { isVideoName } from '../platform/node/video/video-name.js'
import type { FileEncoder } from '../work/file-encoder.js'
import { isImageName } from '../work/image-extensions.js'
import { type Film, isFilm, type WorkInput } from '../work/work-input.js'
import { UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'

export interface FrameOptions {
  /** Is the length of a stretch in seconds, or 0 for every frame. */
  readonly every?: number
  readonly from?: number
  readonly to?: number
  readonly toneMap?: ToneMap
}

/** Without a number a film of an hour is a folder of 3600 images. */
export const EVERY_SECONDS = 1

export function addFrameOptions(command: Command): Command {
  return command
    .addOption(everyOption())
    .option('--from <time>', 'of a film, nothing before this time', parseTime)
    .option('--to <time>', 'of a film, nothing from this time on', parseTime)
    .addOption(toneMapOption())
}

export function everyOption(): Option {
  const description = `of a film, a frame each 0.5s, 500ms, 2m or 1:30, or every frame: all (default: ${EVERY_SECONDS}s)`
  return new Option('--every <time>', description).argParser(parseEvery)
}

export function toneMapOption(): Option {
  const description = 'bring a film that is brighter than a screen (PQ, HLG) down to one'
  return new Option('--tone-map <way>', description).choices(TONE_MAPS)
}

/** Puts a film in place of each path that leads to one, told by the name's ending, or by the file's beginning where the ending says nothing. */
export async function asFilms(
  context: CommandContext,
  inputs: readonly WorkInput[],
  options: FrameOptions,
): Promise<readonly WorkInput[]> {
  const found = await Promise.all(
    inputs.map(async (input) =>
      typeof input === 'string' && (await leadsToFilm(context, input))
        ? filmOf(context, input, options)
        : input,
    ),
  )
  const named = Object.keys(
    given({ every: options.every, from: options.from, to: options.to, 'tone-map': options.toneMap }),
  )
  if (named.length > 0 && !found.some(isFilm)) {
    throw new UsageError(
      `--${named[0]} is for films, and none of the inputs is one: leave it out, or name a film.`,
    )
  }
  return found
}

async function leadsToFilm({ files }: CommandContext, path: string): Promise<boolean> {
  if (isImageName(path)) return false
  if (isVideoName(path)) return true
  const { demuxerFor } = await import('../platform/node/video/video-kind.js')
  return demuxerFor(files.resolve(path)).then(
    () => true,
    () => false,
  )
}

function filmOf({ files, stderr }: CommandContext, path: string, options: FrameOptions): Film {
  const { every = EVERY_SECONDS, from, to } = options
  const frameOptions = frameOptionsOf({ ...options, every })
  const choice = [
    every === 0 ? 'every frame' : `every ${every} s`,
    ...(from === undefined ? [] : [`from ${from} s`]),
    ...(to === undefined ? [] : [`to ${to} s`]),
  ].join(' ')
  return {
    path,
    choice,
    async *frames(signal) {
      const { filmFrames } = await import('../platform/node/video/film-frames.js')
      yield* filmFrames(files.resolve(path), {
        ...frameOptions,
        ...(signal === undefined ? {} : { signal }),
        label: path,
        onWarning: (message) => stderr.write(`${message}\n`),
      })
    },
  }
}

/** Says it as the library does, which takes every frame where nothing else is said. */
export function frameOptionsOf({ every, from, to, toneMap }: FrameOptions): VideoFrameOptions {
  return given({ every: every === 0 ? undefined : every, from, to, toneMap })
}

/** Is what work on films adds to what it makes and to the encoder that makes it. */
export interface FilmWork {
  readonly encoder: FileEncoder
  /** Follows what is made of each image, in the work's identity. */
  readonly what: string
}

/** Has frames be part of a result's identity: which ffmpeg decoded them, how they were scaled, and which were taken. Throws `VideoError` without ffmpeg. */
export async function filmWork(
  inputs: readonly WorkInput[] | AsyncIterable<WorkInput>,
  encoder: FileEncoder,
  { toneMap }: FrameOptions,
): Promise<FilmWork> {
  const film = Array.isArray(inputs) ? (inputs as readonly WorkInput[]).find(isFilm) : undefined
  if (film === undefined) return { encoder, what: '' }
  const { findFfmpeg } = await import('../platform/node/video/find-ffmpeg.js')
  const { version } = await findFfmpeg()
  const identity = identityWith(encoder.identity, { frames: frameIdentity(version, given({ toneMap })) })
  return { encoder: encoderWith(encoder, identity), what: `, frames ${film.choice}` }
}

/** Has what is made carry an identity that the encoder's own does not tell. */
export function encoderWith(encoder: FileEncoder, identity: Identity): FileEncoder {
  const { width, embedding, embeddingWidth, labels, classes, patchSize, registers, depth, size, attends } =
    encoder
  return {
    ...{
      identity,
      width,
      embedding,
      embeddingWidth,
      labels,
      classes,
      patchSize,
      registers,
      depth,
      size,
      attends,
    },
    encodeAll: (sources, options) => encoder.encodeAll(sources, options),
    [Symbol.dispose]: () => encoder[Symbol.dispose](),
    [Symbol.asyncDispose]: () => encoder[Symbol.asyncDispose](),
  }
}

function parseEvery(text: string): number {
  if (text === 'all' || text === 'frame') return 0
  const seconds = secondsOrNull(text)
  if (seconds !== null && seconds >= SHORTEST) return seconds
  throw new InvalidArgumentError(
    `Expected a time of at least 1ms, such as 0.5s, 500ms, 2m or 1:30, or all; found ${text}.`,
  )
}

function parseTime(text: string): number {
  const seconds = secondsOrNull(text)
  if (seconds !== null) return seconds
  throw new InvalidArgumentError(`Expected a time such as 90, 1.5s, 500ms, 2m, 1h or 1:30:00; found ${text}.`)
}

const SHORTEST = 0.001
const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, ms: 0.001, m: 60, min: 60, h: 3600 }

function secondsOrNull(text: string): number | null {
  const clock = /^(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)$/.exec(text)
  if (clock !== null) return Number(clock[1] ?? 0) * 3600 + Number(clock[2]) * 60 + Number(clock[3])
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?|\.\d+) ?([a-z]*)$/.exec(text) ?? []
  const scale = UNITS[unit]
  return number === undefined || scale === undefined ? null : Number((Number(number) * scale).toFixed(6))
}
