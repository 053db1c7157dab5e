/** `plumage search` finds the photos of a collection that are most like given ones. */
import { Command, InvalidArgumentError } from 'commander'
import type { Collection } from '../../collection/collection.js'
import {
  type RankedPhoto,
  type SearchOptions,
  type SearchPage,
  searchPhotos,
} from '../../collection/search/search-photos.js'
import type { FileEncoder } from '../../work/file-encoder.js'
import { asOutputError, OutputError } from '../../work/output-error.js'
import { UsageError } from '../cli-error.js'
import { addCollectionOption, loadEncoderOf } from '../collection-option.js'
import { contactSheetDocument, isContactSheet, SHEET_HEAD_BYTES, type SheetPhoto } from '../contact-sheet.js'
import type { CommandContext } from '../context.js'
import { addComputeOptions, type ComputeOptions, positiveInteger } from '../model-options.js'
import { readVectorFile } from '../read-vector-file.js'
import { fileOf, prepareOutput } from '../run-resumably.js'
import { examplesOf } from '../search-examples.js'
import { fullPathOf, jsonLine, pathLine, tableLine, thumbnailSheet } from '../search-output.js'

interface SearchCommandOptions extends ComputeOptions {
  readonly in: string
  readonly like?: readonly string[]
  readonly unlike?: readonly string[]
  readonly unlikeWeight?: number
  readonly vector?: string
  readonly count: number
  readonly where?: string
  readonly minSimilarity?: number
  readonly diverse?: number | true
  readonly withSelf?: boolean
  readonly unique?: boolean
  readonly after?: string
  readonly json?: boolean
  readonly paths?: boolean
  readonly null?: boolean
  readonly show?: boolean
  readonly output?: string
  readonly restart?: boolean
}

/** Is how much similarity counts beside difference where nobody says it. */
const DIVERSE = 0.7

export function searchCommand(context: CommandContext): Command {
  const command = new Command('search')
    .description('find the photos of a collection that are most like given ones')
    .argument('[photos...]', 'photos to start from: files, or ids or paths of photos in the collection')
  addComputeOptions(addCollectionOption(command, '--in <collection>', 'the collection'))
    .option('--like <photos...>', 'more photos to start from')
    .option(
      '--unlike <photos...>',
      'photos of what is not wanted; from five of each kind on, a probe is trained',
    )
    .option(
      '--unlike-weight <n>',
      'how much these count beside the others (default: 0.2)',
      share('unlike-weight', 10),
    )
    .option('--vector <file>', 'a vector to start from: .npy, a JSON list, or numbers as text')
    .option('-n, --count <n>', 'photos to find', positiveInteger, 10)
    .option(
      '--where <condition>',
      'take photos only of which this is true: "taken > \'2024-01-01\' and width > 2000"',
    )
    .option('--min-similarity <n>', 'leave out photos that are less alike', share('min-similarity', 1, -1))
    .option(
      '--diverse [lambda]',
      `choose photos that differ: 1 looks at similarity alone, 0 at differences (default: ${DIVERSE})`,
      share('diverse', 1),
    )
    .option('--with-self', 'take the photos that are asked for among the results')
    .option('--unique', 'take of photos with the same bytes or pixels the first alone')
    .option('--after <place>', 'go on where a page ended, as it says')
    .option('--json', 'a JSON line for each photo, and for the end of the page')
    .option('--paths', 'the path of each photo alone, in full')
    .option('-0, --null', 'the same, each ended by NUL, for xargs -0')
    .option('--show', 'thumbnails in the terminal')
    .option('-o, --output <file>', 'a contact sheet: a file ending in .html')
    .option('--restart', 'replace the output even where it is no contact sheet')
  return command.action((photos: string[], options: SearchCommandOptions) => search(context, photos, options))
}

/** Reads a number within bounds, for commander. */
function share(name: string, most: number, least = 0): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && value >= least && value <= most) return value
    throw new InvalidArgumentError(`--${name} is a number from ${least} to ${most}; found ${text}.`)
  }
}

async function search(
  context: CommandContext,
  photos: readonly string[],
  options: SearchCommandOptions,
): Promise<void> {
  const { files, signal, collections } = context
  checkOutputs(context, options)
  await using collection = await collections.open(files.resolve(options.in), { signal })
  if (options.where !== undefined) collection.where(options.where)
  let loaded: FileEncoder | null = null
  const loadEncoder = async () => {
    loaded ??= await loadEncoderOf(context, collection, options)
    return loaded
  }
  try {
    const words = [...photos, ...(options.like ?? [])]
    const like = [...(await examplesOf(context, collection, words, loadEncoder))]
    if (options.vector !== undefined) like.push({ embedding: await readVectorFile(files, options.vector) })
    if (like.length === 0)
      throw new UsageError('Nothing was named to search by. Give photos, ids of the collection, or --vector.')
    const unlike = await examplesOf(context, collection, options.unlike ?? [], loadEncoder)
    const page = await searchPhotos(collection, { like, unlike }, searchOptions(options, signal))
    await tell(context, collection, page, {
      ...options,
      asked: [...words, ...(options.vector ? [options.vector] : [])],
    })
  } finally {
    await (loaded as FileEncoder | null)?.[Symbol.asyncDispose]()
  }
}

function checkOutputs(
  context: CommandContext,
  { show, null: endsInNul, output }: SearchCommandOptions,
): void {
  if (output !== undefined && !/\.html?$/i.test(output))
    throw new UsageError(
      `A contact sheet is a page: name a file ending in .html, such as --output found.html; got ${output}.`,
    )
  if (show && context.pictures.screen === null)
    throw new UsageError(
      '--show draws in a terminal, and the output leads elsewhere. Write a page: --output found.html',
    )
  const isTerminal = (context.stdout as { readonly isTTY?: boolean }).isTTY === true
  if (endsInNul && isTerminal)
    throw new UsageError(
      '--null gives paths as they are, for programs: lead it into one, such as xargs -0. For people there is --paths.',
    )
}

function searchOptions(options: SearchCommandOptions, signal: AbortSignal): SearchOptions {
  const { count, where, minSimilarity, unlikeWeight, withSelf, unique, after, diverse } = options
  const all = {
    count,
    where,
    minSimilarity,
    unlikeWeight,
    withSelf,
    unique,
    after,
    diverse: diverse === true ? DIVERSE : diverse,
    signal,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

interface ToTell extends SearchCommandOptions {
  readonly asked: readonly string[]
}

async function tell(
  context: CommandContext,
  collection: Collection,
  page: SearchPage,
  options: ToTell,
): Promise<void> {
  const { stdout, stderr, signal, pictures } = context
  const { photos, next, versionIsGone } = page
  if (versionIsGone && !options.json)
    stderr.write(
      'The collection has changed since the page before: photos may be missing between the two, or come twice.\n',
    )
  if (options.show) {
    const sheet = await thumbnailSheet(context, collection, photos)
    if (sheet !== null) await pictures.screen?.show(sheet, signal)
  }
  for (const photo of photos) stdout.write(lineOf(collection, photo, options))
  if (options.output !== undefined)
    await writeSheet(context, collection, page, { ...options, output: options.output })
  if (options.json) stdout.write(`${JSON.stringify({ next, versionIsGone })}\n`)
  else if (context.isTTY && photos.length === 0) stderr.write('No photo is as it was asked for.\n')
  else if (context.isTTY && next !== null) stderr.write(`There are more: --after ${next}\n`)
}

function lineOf(collection: Collection, photo: RankedPhoto, options: SearchCommandOptions): string {
  if (options.json) return jsonLine(photo)
  if (options.null) return `${fullPathOf(collection, photo.row)}\0`
  return options.paths ? pathLine(fullPathOf(collection, photo.row)) : tableLine(photo)
}

async function writeSheet(
  context: CommandContext,
  collection: Collection,
  page: SearchPage,
  options: ToTell & { readonly output: string },
): Promise<void> {
  const { files, signal, stderr } = context
  const { output, where, asked } = options
  const target = await prepareOutput(context, output)
  const file = files.resolve(fileOf(target, output, 'a contact sheet is a whole file. Name one.'))
  await using lock = await files.lock(file, {
    signal,
    onWait: (message) => void stderr.write(`${message}\n`),
  })
  await assertReplaceable(context, file, options)
  const { identity } = collection.about
  const facts = [
    ['Collection', collection.store.label],
    ['Model', `${identity.model}, ${identity.recipe}, ${identity.precision}`],
    ...(where === undefined ? [] : [['Where', where]]),
  ] as (readonly [string, string])[]
  try {
    await lock.assertHeld()
    const photos = pictured(context, collection, page.photos)
    await files.write(file, contactSheetDocument({ asked, facts, photos }))
  } catch (error) {
    throw asOutputError(error)
  }
}

/** A sheet may take the place of an older one, and of nothing else. */
async function assertReplaceable(
  { files }: CommandContext,
  file: string,
  { output, restart }: Pick<SearchCommandOptions, 'output' | 'restart'>,
): Promise<void> {
  if (restart || (await files.look(file)) === null) return
  await using there = await files.open(file)
  const head = new Uint8Array(SHEET_HEAD_BYTES)
  const length = await there.read(head, 0)
  if (length === 0 || isContactSheet(new TextDecoder().decode(head.subarray(0, length)))) return
  throw new OutputError(
    'exists',
    `${output} is there already, and is no contact sheet of plumage. It is not written over: choose another output, or add --restart to replace it.`,
  )
}

/** Is what a small picture on the sheet may take. */
const PICTURE = { side: 480, mostBytes: 60_000 }

async function* pictured(
  { reducePhoto, signal }: CommandContext,
  collection: Collection,
  photos: readonly RankedPhoto[],
): AsyncGenerator<SheetPhoto> {
  for (const photo of photos) {
    const options = { ...PICTURE, orientation: 'apply', transparency: 'white', signal } as const
    const picture = await reducePhoto(fullPathOf(collection, photo.row), options).catch(
      (error: Error) => error.message,
    )
    signal.throwIfAborted()
    yield { ...photo, picture }
  }
}
