/** Takes films among the inputs of a command: each frame that is taken of one is an image, with its time behind the film's name. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { given } from '../encoder/choose-recipe.js'
import { identityWith } from '../encoder/identity-with.js'
import type { Identity } from '../encoder/types.js'
import { OBJECT } from '../platform/node/storage/object-path.js'
import { frameIdentity, TONE_MAPS, type ToneMap } from '../platform/node/video/frame-settings.js'
import type { VideoFrameOptions } from '../platform/node/video/video-frames.js'
import type { FileEncoder } from '../work/file-encoder.js'
import { type Film, isFilm, type WorkInput } from '../work/work-input.js'
import { UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'
import { gatherInputs, type InputOptions, isStream, streamInputs } from './gather-inputs.js'
import { leadsToFilm } from './leads-to-film.js'

export interface FrameOptions {
  /** Is the length of a stretch in seconds, or 0 for every frame. */
  readonly every?: number
  readonly from?: number
  readonly to?: number
  readonly toneMap?: ToneMap
}

/** Are the options of a command that takes films among its inputs. */
export interface FilmInputOptions extends InputOptions, FrameOptions {}

/** Without a number a film of an hour is a folder of 3600 images. */
export const EVERY_SECONDS = 1

/** @param takesFrom is false for a command whose `--from` says something else: of its films nothing is left out in front */
export function addFrameOptions(command: Command, { takesFrom = true } = {}): Command {
  command.addOption(everyOption())
  if (takesFrom) command.option('--from <time>', 'of a film, nothing before this time', parseTime)
  return command
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

/** Lists the inputs of a command that takes films: each path that leads to one is one. */
export async function gatherWithFilms(
  context: CommandContext,
  names: readonly string[],
  options: FilmInputOptions,
): Promise<readonly WorkInput[]> {
  const found = await gatherInputs(context, names, options)
  const inputs = await Promise.all(found.map((input) => asFilm(context, input, options)))
  const [name] = namedFrameOptions(options)
  // The films may all be of other shards.
  if (name !== undefined && options.shard === undefined && !inputs.some(isFilm)) {
    throw new UsageError(
      `--${name} is for films, and none of the inputs is one: leave it out, or name a film. Those of folders and lists are taken with --films.`,
    )
  }
  return inputs
}

/** Gives them one by one as a list on stdin comes, where it alone is the input. */
export async function streamWithFilms(
  context: CommandContext,
  names: readonly string[],
  options: FilmInputOptions,
): Promise<readonly WorkInput[] | AsyncIterable<WorkInput>> {
  if (!isStream(names)) return await gatherWithFilms(context, names, options)
  const [name] = namedFrameOptions(options)
  if (name !== undefined && options.films !== true)
    throw new UsageError(
      `--${name} is for films, and those of a list on stdin are taken with --films alone: add it.`,
    )
  return mapped(context, streamInputs(context, names, options), options)
}

async function* mapped(
  context: CommandContext,
  inputs: AsyncIterable<WorkInput>,
  options: FilmInputOptions,
): AsyncGenerator<WorkInput> {
  for await (const input of inputs) yield options.films ? await asFilm(context, input, options) : input
}

function namedFrameOptions({ every, from, to, toneMap }: FrameOptions): readonly string[] {
  return Object.keys(given({ every, from, to, 'tone-map': toneMap }))
}

/** Puts a film in place of a path that leads to one. */
async function asFilm(context: CommandContext, input: WorkInput, options: FrameOptions): Promise<WorkInput> {
  if (typeof input !== 'string' || !(await leadsToFilm(context.files, input))) return input
  if (OBJECT.test(input)) return { path: input, reason: ELSEWHERE }
  return filmOf(context, input, options)
}

const ELSEWHERE = 'it is a film, and films are read from the disks of this machine alone; copy it here'

function filmOf({ files, stderr }: CommandContext, path: string, options: FrameOptions): Film {
  const frameOptions = frameOptionsOf({ every: EVERY_SECONDS, ...options })
  return {
    path,
    choice: choiceOf(options),
    async *frames(signal, after) {
      const { filmFrames } = await import('../platform/node/video/film-frames.js')
      yield* filmFrames(files.resolve(path), {
        ...frameOptions,
        ...(signal === undefined ? {} : { signal }),
        label: path,
        after,
        onWarning: (message) => stderr.write(`${message}\n`),
      })
    },
  }
}

/** Says which frames are taken, as part of a result's identity. */
function choiceOf({ every = EVERY_SECONDS, from, to }: FrameOptions): string {
  return [
    every === 0 ? 'every frame' : `every ${every} s`,
    ...(from === undefined ? [] : [`from ${from} s`]),
    ...(to === undefined ? [] : [`to ${to} s`]),
  ].join(' ')
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

/**
 * Has frames be part of a result's identity: which ffmpeg decoded them, how they were scaled, and which were taken. Of a list that is still coming, films are
 * expected where they would be taken. Throws `VideoError` without ffmpeg.
 */
export async function filmWork(
  inputs: readonly WorkInput[] | AsyncIterable<WorkInput>,
  encoder: FileEncoder,
  options: FilmInputOptions,
): Promise<FilmWork> {
  const { shard, films, toneMap } = options
  const hasFilms = Array.isArray(inputs)
    ? shard?.hasFilms || (inputs as readonly WorkInput[]).some(isFilm)
    : films === true
  if (!hasFilms) return { encoder, what: '' }
  const { findFfmpeg } = await import('../platform/node/video/find-ffmpeg.js')
  const { version } = await findFfmpeg()
  const identity = identityWith(encoder.identity, { frames: frameIdentity(version, given({ toneMap })) })
  return { encoder: encoderWith(encoder, identity), what: `, frames ${choiceOf(options)}` }
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
