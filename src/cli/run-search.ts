/** Runs `plumage search`: what is heavy is loaded when it runs. */
import {
  type PhotoSearchOptions,
  type RankedPhoto,
  type SearchPage,
  searchPhotos,
} from '../collection/search/search-photos.js'
import type { CollectionSet } from '../collection/set/collection-set.js'
import { knownNear, measureNearAndKeep } from '../collection/set/kept-nearness.js'
import { enoughCollections } from '../collection/set/nearness.js'
import type { FileEncoder } from '../work/file-encoder.js'
import { asOutputError, OutputError } from '../work/output-error.js'
import { UsageError } from './cli-error.js'
import { collectionPlace, DEFAULT_COLLECTION, loadEncoderOf } from './collection-option.js'
import type { GivenPlace } from './commands/picture/parse-place.js'
import { DIVERSE, type SearchCommandOptions } from './commands/search.js'
import { contactSheetDocument, isContactSheet, SHEET_HEAD_BYTES, type SheetPhoto } from './contact-sheet.js'
import type { CommandContext } from './context.js'
import { localPath } from './local-path.js'
import { Progress, printable } from './progress.js'
import { readVectorFile } from './read-vector-file.js'
import { fileOf, prepareOutput } from './run-resumably.js'
import { examplesOf, type LoadEncoder, photoFileOf } from './search-examples.js'
import { jsonLine, pathLine, photoPathOf, tableLine, thumbnailSheet } from './search-output.js'
import { searchPlace } from './search-place.js'

const MIRROR = 'It is a copy on this machine: name a folder.'

export async function runSearch(
  context: CommandContext,
  photos: readonly string[],
  options: SearchCommandOptions,
): Promise<void> {
  const { files, signal, collections } = context
  checkOutputs(context, options)
  const { mirror, cache } = options
  const places = (options.in ?? [DEFAULT_COLLECTION]).map((place) => collectionPlace(files, place))
  await using set = await collections.openAll(places, {
    signal,
    ...(mirror === undefined ? {} : { mirror: localPath(files, '--mirror', mirror, MIRROR) }),
    ...(cache === undefined ? {} : { cacheBytes: cache * 1e6 }),
  })
  if (options.where !== undefined) set.where(options.where)
  const near = await nearOf(context, set, options)
  let loaded: FileEncoder | null = null
  const loadEncoder = async () => {
    loaded ??= await loadEncoderOf(context, set.first, options)
    return loaded
  }
  try {
    const place = placeOf(options)
    if (place !== null) return await runPlaceSearch(context, set, loadEncoder, place, photos, options)
    const words = [...photos, ...(options.like ?? []), ...(options.id ?? [])]
    const like = [...(await examplesOf(context, set, words, loadEncoder, options.id))]
    if (options.vector !== undefined) like.push({ embedding: await readVectorFile(files, options.vector) })
    if (like.length === 0)
      throw new UsageError('Nothing was named to search by. Give photos, --id, or --vector.')
    const unlike = await examplesOf(context, set, options.unlike ?? [], loadEncoder)
    const page = await searchPhotos(set, { like, unlike }, { ...searchOptions(options, signal), ...near })
    const asked = [...words, ...(options.vector === undefined ? [] : [options.vector])]
    if (page.versionIsGone && !options.json) context.stderr.write(GONE)
    for (const photo of page.photos) context.stdout.write(lineOf(set, photo, options))
    await tell(context, set, page, { ...options, words: asked })
    if (near !== null && !options.json) context.stderr.write(nearText(set, page))
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
    columns: shownColumns(options),
    signal,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** A row is read whole only where all of it is shown: on object storage each value is asked for by itself. */
function shownColumns({ json, output }: SearchCommandOptions): readonly string[] | undefined {
  return json || output !== undefined ? undefined : ['id', 'root', 'path']
}

interface ToTell extends SearchCommandOptions {
  /** Are what was searched for. */
  readonly words: readonly string[]
}

/** Where nobody has said how many, it is measured of these collections, once for them as they are. */
async function nearOf(
  { signal, stderr, isTTY, color }: CommandContext,
  set: CollectionSet,
  { near, json = false }: SearchCommandOptions,
): Promise<{ readonly near: number } | null> {
  if (near === undefined || set.members.length === 1) return null
  const known = await knownNear(set)
  if (near !== true) return { near }
  if (known !== null) return { near: enoughCollections(known) }
  using progress = new Progress({ stream: stderr, isTTY, color, json, total: undefined })
  const measured = await measureNearAndKeep(set, {
    signal,
    onProgress: (count, of) => progress.phase(`${count} of ${of} collections are measured`),
  })
  progress.clear()
  return { near: enoughCollections(measured) }
}

/** Says which collections were asked, and what that finds. */
function nearText(set: CollectionSet, { asked = [] }: Pick<SearchPage, 'asked'>): string {
  const all = set.members.length
  const { photos = 0, recall = [] } = set.near ?? {}
  const share = recall[asked.length - 1]
  const found =
    share === undefined
      ? 'what others have that is nearer was not measured (--near without a number measures it)'
      : `of ${photos} photos of all, so many find ${(Math.floor(share * 1000) / 1000).toFixed(3)} of the ten nearest`
  return `Asked ${asked.length} of ${all} collections, those whose centroids are near: ${asked.map(printable).join(', ')}; ${found}.\n`
}

async function tell(
  context: CommandContext,
  set: CollectionSet,
  page: Pick<SearchPage, 'photos' | 'next' | 'versionIsGone' | 'asked'>,
  options: ToTell,
): Promise<void> {
  const { stdout, stderr, signal, pictures } = context
  const { photos, next, versionIsGone, asked } = page
  if (options.show) {
    const sheet = await thumbnailSheet(context, set, photos)
    if (sheet !== null) await pictures.screen?.show(sheet, signal)
  }
  if (options.output !== undefined)
    await writeSheet(context, set, photos, { ...options, output: options.output })
  if (options.json)
    stdout.write(`${JSON.stringify({ next, versionIsGone, ...askedOf(set, options, asked) })}\n`)
  else if (context.isTTY && photos.length === 0) stderr.write('No photo is as it was asked for.\n')
  else if (context.isTTY && next !== null) stderr.write(`There are more: --after ${next}\n`)
}

/** Programs are told how much the collections find that were asked, where only near ones were. */
function askedOf(set: CollectionSet, { near }: SearchCommandOptions, asked: readonly string[] | undefined) {
  return near === undefined || asked === undefined
    ? {}
    : { asked, recall: set.near?.recall[asked.length - 1] ?? null }
}

const GONE =
  'The collection has changed since the page before: photos may be missing between the two, or come twice.\n'

interface AskedPlace {
  readonly option: '--box' | '--point'
  readonly place: GivenPlace
}

/** Throws `UsageError` for what goes with a whole photo alone. */
function placeOf(options: SearchCommandOptions): AskedPlace | null {
  const { box, point, like, unlike, id, vector, diverse, after, unique, near } = options
  if (box === undefined && point === undefined) return null
  if (box !== undefined && point !== undefined) throw new UsageError('Give --box or --point, not both.')
  const others = { like, unlike, id, vector, diverse, after, unique, near }
  const [other] = Object.entries(others).find(([, value]) => value !== undefined) ?? []
  const option = box === undefined ? '--point' : '--box'
  if (other !== undefined)
    throw new UsageError(`${option} is a place in one photo, and does not go with --${other}.`)
  return { option, place: (box ?? point) as GivenPlace }
}

async function runPlaceSearch(
  context: CommandContext,
  set: CollectionSet,
  loadEncoder: LoadEncoder,
  asked: AskedPlace,
  photos: readonly string[],
  options: SearchCommandOptions,
): Promise<void> {
  const [word, ...others] = photos
  if (word === undefined || others.length > 0)
    throw new UsageError(`${asked.option} is a place in one photo: name one, not ${photos.length}.`)
  const photo = await photoFileOf(context, set, word)
  const found: RankedPhoto[] = []
  const query = { photo, ...asked }
  for await (const one of searchPlace(context, set, await loadEncoder(), query, options)) {
    found.push(one)
    context.stdout.write(lineOf(set, one, options))
  }
  // Lines come as they are found; what is looked at as a whole has the nearest first.
  found.sort((a, b) => b.similarity - a.similarity)
  await tell(
    context,
    set,
    { photos: found, next: null, versionIsGone: false },
    { ...options, words: [`${word} at ${asked.place.text}`] },
  )
}

function lineOf(set: CollectionSet, photo: RankedPhoto, options: SearchCommandOptions): string {
  if (options.json) return jsonLine(photo)
  if (options.null) return `${photoPathOf(set, photo)}\0`
  return options.paths ? pathLine(photoPathOf(set, photo)) : tableLine(photo)
}

async function writeSheet(
  context: CommandContext,
  set: CollectionSet,
  found: readonly RankedPhoto[],
  options: ToTell & { readonly output: string },
): Promise<void> {
  const { files, signal, stderr } = context
  const { output, where, words: asked } = options
  const target = await prepareOutput(context, output)
  const file = files.resolve(fileOf(target, output, 'a contact sheet is a whole file. Name one.'))
  await using lock = await files.lock(file, {
    signal,
    onWait: (message) => void stderr.write(`${message}\n`),
  })
  await assertReplaceable(context, file, options)
  const { identity } = set.first.about
  const made = `${identity.model}, ${identity.recipe}, ${identity.precision}`
  const facts: (readonly [string, string])[] = [
    ['Collection', set.label],
    ['Model', made],
  ]
  if (where !== undefined) facts.push(['Where', where])
  try {
    await lock.assertHeld()
    const photos = pictured(context, set, found)
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
  set: CollectionSet,
  photos: readonly RankedPhoto[],
): AsyncGenerator<SheetPhoto> {
  for (const photo of photos) {
    const options = { ...PICTURE, orientation: 'apply', transparency: 'white', signal } as const
    const picture = await reducePhoto(photoPathOf(set, photo), options).catch((error: Error) => error.message)
    signal.throwIfAborted()
    yield { ...photo, picture }
  }
}
