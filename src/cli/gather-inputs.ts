/** Lists the inputs of a command before any of the work, so that a mistyped folder is told at once and the time left can be known. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { FileKind } from '../image/image-format.js'
import { isFilmName } from '../platform/node/video/video-name.js'
import { collectImages } from '../work/collect-images.js'
import type { Files } from '../work/files.js'
import { LeftOut } from '../work/left-out.js'
import { parseShard, ShardPick } from '../work/shard.js'
import type { WorkInput } from '../work/work-input.js'
import { UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'
import { isFilmOfFolder, leadsToFilm } from './leads-to-film.js'
import { leftOutNoticeOrNull } from './left-out-notice.js'

export interface InputOptions {
  /** Says that paths on standard input end in NUL. */
  readonly null?: boolean
  /** Turns what is told into JSON lines. */
  readonly json?: boolean
  /** Has films of folders and lists taken; null for a command that takes none. */
  readonly films?: boolean | null
  /** Has nothing be asked of buckets before photos are read, which is then refused. */
  readonly offline?: boolean
  /** Takes those inputs alone that fall to one of many machines. */
  readonly shard?: ShardPick
}

/** Adds the inputs, and the option that belongs to them. */
export function addInputs(command: Command, { takesFilms = true } = {}): Command {
  command
    .argument(
      '[inputs...]',
      `images, ${takesFilms ? 'films, ' : ''}folders (with all images below), globs, addresses (https:, http:, s3:, az:, gs:, data:, file:), all below s3://bucket/prefix/, or - for stdin: one image, or a list of these (UTF-8 or UTF-16)`,
    )
    .option('-0, --null', 'paths on stdin end in NUL, as from find -print0')
  if (takesFilms) command.option('--films', 'take the films of folders and of a list on stdin, too')
  return command
}

/** Is the option of a command whose work can be split among machines. */
export function shardOption(): Option {
  const description = 'take the inputs of one machine of 16, numbered from 0: 3/16; plumage merge joins them'
  return new Option('--shard <i/n>', description).argParser((text) => {
    try {
      return new ShardPick(parseShard(text))
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
    }
  })
}

export async function gatherInputs(
  context: CommandContext,
  inputs: readonly string[],
  options: InputOptions,
): Promise<readonly WorkInput[]> {
  const found: WorkInput[] = []
  for await (const input of streamInputs(context, inputs, options)) found.push(input)
  return found
}

/** Tells whether a list on stdin is all there is: then its end need not be waited for. */
export function isStream(inputs: readonly string[]): boolean {
  return inputs.length === 1 && inputs[0] === '-'
}

/** Gives the same inputs, one by one as they become known; at the end it is said which photos and films of folders and lists are not among them. */
export async function* streamInputs(
  context: CommandContext,
  inputs: readonly string[],
  options: InputOptions,
): AsyncGenerator<WorkInput> {
  if (inputs.length === 0) {
    throw new UsageError(
      'No image was named. Give files, folders, globs such as "photos/**/*.jpg", or - for an image or a list on stdin.',
    )
  }
  if (options.null && !inputs.includes('-')) {
    throw new UsageError('--null says how a list on stdin is separated, and no input is -: leave it out.')
  }
  const { files, stdin, signal, heicAdvice } = context
  // Other kinds are left to whoever names a file by itself: there it is told what they need.
  const decodes = ({ decoder }: FileKind) =>
    decoder === 'own' || (decoder === 'optional' && heicAdvice === null)
  const leftOut = new LeftOut()
  const films = {
    take: options.films ?? false,
    advice: options.films === null ? NO_FILMS : FILMS,
    isNamed: isFilmName,
    isFilm: (path: string, kind?: FileKind | null) => isFilmOfFolder(files, path, kind),
  }
  const separator = options.null ? '\0' : '\n'
  const found = collectImages(inputs, {
    files,
    list: stdin,
    signal,
    separator,
    decodes,
    leftOut,
    films,
    listBelow,
    offline: options.offline ?? false,
  })
  yield* options.shard === undefined ? found : ofShard(found, files, options.shard)
  sayLeftOut(context, leftOut, films.advice, options.json ?? false)
}

async function* ofShard(
  inputs: AsyncIterable<WorkInput>,
  files: Files,
  shard: ShardPick,
): AsyncGenerator<WorkInput> {
  for await (const input of inputs) {
    if (typeof input === 'string' && !shard.hasFilms && (await leadsToFilm(files, input))) shard.noteFilm()
    if (shard.takes(input)) yield input
  }
}

/** What reaches buckets is loaded with the first of them. */
async function* listBelow(address: string, signal: AbortSignal | undefined) {
  const { listBelow: list } = await import('../platform/node/storage/object-address.js')
  yield* list(address, signal)
}

const FILMS =
  'Films of folders and lists are taken with --films, a frame of each second unless --every says otherwise.'
const NO_FILMS = 'Films are not taken here.'

function sayLeftOut(
  { stderr, heicAdvice }: CommandContext,
  leftOut: LeftOut,
  films: string,
  json: boolean,
): void {
  const line = leftOutNoticeOrNull(leftOut.counts, { heicAdvice, films })
  if (line === null) return
  stderr.write(json ? `${JSON.stringify({ event: 'left-out', counts: leftOut.counts })}\n` : `${line}\n`)
}
