/** Runs `plumage search`: what is heavy is loaded when it runs. */
import type { Collection } from '../collection/collection.js'
import {
  type PhotoSearchOptions,
  type RankedPhoto,
  type SearchPage,
  searchPhotos,
} from '../collection/search/search-photos.js'
import type { FileEncoder } from '../work/file-encoder.js'
import { asOutputError, OutputError } from '../work/output-error.js'
import { UsageError } from './cli-error.js'
import { loadEncoderOf } from './collection-option.js'
import type { GivenPlace } from './commands/picture/parse-place.js'
import { DIVERSE, type SearchCommandOptions } from './commands/search.js'
import { contactSheetDocument, isContactSheet, SHEET_HEAD_BYTES, type SheetPhoto } from './contact-sheet.js'
import type { CommandContext } from './context.js'
import { readVectorFile } from './read-vector-file.js'
import { fileOf, prepareOutput } from './run-resumably.js'
import { examplesOf, type LoadEncoder, photoFileOf } from './search-examples.js'
import { fullPathOf, jsonLine, pathLine, tableLine, thumbnailSheet } from './search-output.js'
import { searchPlace } from './search-place.js'

export async function runSearch(
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
    const place = placeOf(options)
    if (place !== null) return await runPlaceSearch(context, collection, loadEncoder, place, photos, options)
    const words = [...photos, ...(options.like ?? []), ...(options.id ?? [])]
    const like = [...(await examplesOf(context, collection, words, loadEncoder))]
    if (options.vector !== undefined) like.push({ embedding: await readVectorFile(files, options.vector) })
    if (like.length === 0)
      throw new UsageError('Nothing was named to search by. Give photos, --id, or --vector.')
    const unlike = await examplesOf(context, collection, options.unlike ?? [], loadEncoder)
    const page = await searchPhotos(collection, { like, unlike }, searchOptions(options, signal))
    const asked = [...words, ...(options.vector === undefined ? [] : [options.vector])]
    if (page.versionIsGone && !options.json) context.stderr.write(GONE)
    for (const photo of page.photos) context.stdout.write(lineOf(collection, photo, options))
    await tell(context, collection, page, { ...options, asked })
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

function searchOptions(options: SearchCommandOptions, signal: AbortSignal): PhotoSearchOptions {
  const { count, where, indexed, minSimilarity, unlikeWeight, withSelf, unique, after, diverse } = options
  const all = {
    count,
    where,
    indexed,
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
  page: Pick<SearchPage, 'photos' | 'next' | 'versionIsGone'>,
  options: ToTell,
): Promise<void> {
  const { stdout, stderr, signal, pictures } = context
  const { photos, next, versionIsGone } = page
  if (options.show) {
    const sheet = await thumbnailSheet(context, collection, photos)
    if (sheet !== null) await pictures.screen?.show(sheet, signal)
  }
  if (options.output !== undefined)
    await writeSheet(context, collection, photos, { ...options, output: options.output })
  if (options.json) stdout.write(`${JSON.stringify({ next, versionIsGone })}\n`)
  else if (context.isTTY && photos.length === 0) stderr.write('No photo is as it was asked for.\n')
  else if (context.isTTY && next !== null) stderr.write(`There are more: --after ${next}\n`)
}

const GONE =
  'The collection has changed since the page before: photos may be missing between the two, or come twice.\n'

interface AskedPlace {
  readonly option: '--box' | '--point'
  readonly place: GivenPlace
}

/** Throws `UsageError` for what goes with a whole photo alone. */
function placeOf(options: SearchCommandOptions): AskedPlace | null {
  const { box, point, like, unlike, id, vector, diverse, after, unique } = options
  if (box === undefined && point === undefined) return null
  if (box !== undefined && point !== undefined) throw new UsageError('Give --box or --point, not both.')
  const others = { like, unlike, id, vector, diverse, after, unique }
  const [other] = Object.entries(others).find(([, value]) => value !== undefined) ?? []
  const option = box === undefined ? '--point' : '--box'
  if (other !== undefined)
    throw new UsageError(`${option} is a place in one photo, and does not go with --${other}.`)
  return { option, place: (box ?? point) as GivenPlace }
}

async function runPlaceSearch(
  context: CommandContext,
  collection: Collection,
  loadEncoder: LoadEncoder,
  asked: AskedPlace,
  photos: readonly string[],
  options: SearchCommandOptions,
): Promise<void> {
  const [word, ...others] = photos
  if (word === undefined || others.length > 0)
    throw new UsageError(`${asked.option} is a place in one photo: name one, not ${photos.length}.`)
  const photo = await photoFileOf(context, collection, word)
  const found: RankedPhoto[] = []
  const query = { photo, ...asked }
  for await (const one of searchPlace(context, collection, await loadEncoder(), query, options)) {
    found.push(one)
    context.stdout.write(lineOf(collection, one, options))
  }
  // Lines come as they are found; what is looked at as a whole has the nearest first.
  found.sort((a, b) => b.similarity - a.similarity)
  await tell(
    context,
    collection,
    { photos: found, next: null, versionIsGone: false },
    { ...options, asked: [`${word} at ${asked.place.text}`] },
  )
}

function lineOf(collection: Collection, photo: RankedPhoto, options: SearchCommandOptions): string {
  if (options.json) return jsonLine(photo)
  if (options.null) return `${fullPathOf(collection, photo.row)}\0`
  return options.paths ? pathLine(fullPathOf(collection, photo.row)) : tableLine(photo)
}

async function writeSheet(
  context: CommandContext,
  collection: Collection,
  found: readonly RankedPhoto[],
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
  const made = `${identity.model}, ${identity.recipe}, ${identity.precision}`
  const facts: (readonly [string, string])[] = [
    ['Collection', collection.store.label],
    ['Model', made],
  ]
  if (where !== undefined) facts.push(['Where', where])
  try {
    await lock.assertHeld()
    const photos = pictured(context, collection, found)
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
