/** Finds what a person searches by: files of photos, photos of the collection by id or path, and vectors of other programs. */
import { basename, dirname, isAbsolute, relative, sep } from 'node:path'
import type { Collection } from '../collection/collection.js'
import { columnOf } from '../collection/columns.js'
import { type Row, rowsOf } from '../collection/row-block.js'
import type { Example } from '../collection/search/search-photos.js'
import type { CollectionSet, SetMember } from '../collection/set/collection-set.js'
import { nearestNames } from '../nearest-names.js'
import { contentOf } from '../platform/node/collection/content-of.js'
import type { FileEncoder } from '../work/file-encoder.js'
import type { Files } from '../work/files.js'
import { UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'
import { isPhotoAddress, photoPlace } from './photo-place.js'
import { printable } from './progress.js'
import { fullPathOf } from './search-output.js'

/** Gives the encoder, which is loaded when the first photo has to be read. */
export type LoadEncoder = () => Promise<FileEncoder>

/**
 * Throws `UsageError` for what is none of these, with what it may have meant.
 *
 * @param ids are those of the words that were said to be photos of the collection
 */
export async function examplesOf(
  context: CommandContext,
  set: CollectionSet,
  words: readonly string[],
  loadEncoder: LoadEncoder,
  ids: readonly string[] = [],
): Promise<readonly Example[]> {
  const { files, signal } = context
  const examples = new Map<string, Example>()
  const sources: string[] = []
  for (const word of new Set(words)) {
    const found = isPhotoAddress(word) ? 'address' : ((await files.look(word))?.kind ?? null)
    const own = found === 'file' ? await unchangedPhoto(set, files.resolve(word), signal) : null
    if (own !== null) examples.set(word, own)
    else if (found === 'file' || found === 'address') sources.push(word)
    else if (found !== null)
      throw new UsageError(`${printable(word)} is a ${found}: name photos to search by.`)
    else {
      const named = await photoOrNull(set, word, signal)
      if (named === null && ids.includes(word)) throw noSuchPhoto(set, word)
      if (named === null) throw new UsageError(await noSuchFile(files, set, word))
      if (named.state !== undefined && named.state !== 'embedded') throw notEmbedded(set, word, named)
      examples.set(word, named.photo)
    }
  }
  const encoder = sources.length === 0 ? null : await loadEncoder()
  async function* opened() {
    for (const source of sources) yield photoPlace(files, source)
  }
  for await (const { index, features, error } of encoder?.encodeAll(opened(), { signal }) ?? []) {
    const source = sources[index] ?? ''
    if (features === undefined)
      throw new UsageError(
        `What is searched for cannot be read: ${printable(source)}: ${printable(error.message)}`,
      )
    examples.set(source, { embedding: features.embedding })
  }
  return words.flatMap((word) => examples.get(word) ?? [])
}

/** Is a photo of one of the collections. */
type OwnPhoto = Extract<Example, { readonly id: string }>

/** Gives the photo of a collection that this very file is, where it is still as it was; its copies are other photos. */
async function unchangedPhoto(
  set: CollectionSet,
  file: string,
  signal: AbortSignal,
): Promise<OwnPhoto | null> {
  let content: string | null = null
  for (const member of set.members) {
    const { about, columns } = member.collection
    const places = Object.entries(about.roots).flatMap(([root, folder]) => {
      const path = relative(folder, file).split(sep).join('/')
      return path === '' || path.startsWith('../') || isAbsolute(path) ? [] : [`${root}/${path}`]
    })
    // A job does not say what its files hash to.
    if (places.length === 0 || about.job !== undefined) continue
    content ??= await contentOf(file)
    const where = { is: 'compared', column: columnOf('content', columns), by: '=', to: content } as const
    const choice = { columns: ['id', 'root', 'path', 'state'], where, signal }
    for await (const block of member.collection.scan(choice))
      for (const row of rowsOf(block))
        if (row.state === 'embedded' && places.includes(`${row.root}/${row.path}`))
          return photoIn(set, member, String(row.id))
  }
  return null
}

/** Is a photo that a word names; of an id nothing more is known. */
interface NamedPhoto {
  readonly photo: OwnPhoto
  readonly state?: unknown
  readonly reason?: unknown
}

function notEmbedded(set: CollectionSet, word: string, { state, reason }: NamedPhoto): UsageError {
  const why = typeof reason === 'string' ? `: ${printable(reason)}` : '.'
  return new UsageError(`${set.label} has no embedding of ${printable(word)}, which is marked ${state}${why}`)
}

function photoIn(set: CollectionSet, { name }: SetMember, id: string): OwnPhoto {
  return set.members.length === 1 ? { id } : { id, collection: name }
}

/**
 * Takes a word for an id, a path as the results have it, or a path within a root, of which each may stand behind the name of a collection; null where it is none of a photo.
 * Throws `UsageError` where photos of several collections or roots have it.
 */
async function photoOrNull(
  set: CollectionSet,
  word: string,
  signal: AbortSignal,
): Promise<NamedPhoto | null> {
  const named = set.members.length === 1 ? [] : set.members.filter(({ name }) => word.startsWith(`${name}/`))
  const found: { readonly word: string; readonly photo: NamedPhoto }[] = []
  for (const member of named.length > 0 ? named : set.members) {
    const own = named.length > 0 ? word.slice(member.name.length + 1) : word
    // Which collection has an id is found out where it is searched for.
    if (/^[0-9a-f]{32}$/.test(own))
      return { photo: named.length > 0 ? { id: own, collection: member.name } : { id: own } }
    const row = await rowOfPath(member.collection, own, signal)
    if (row === null) continue
    const { id, state, reason } = row
    const photo = { photo: photoIn(set, member, String(id)), state, reason }
    found.push({ word: `${member.name}/${own}`, photo })
  }
  const [first, ...others] = found
  if (others.length === 0) return first?.photo ?? null
  const words = found.map((one) => printable(one.word)).join(', ')
  throw new UsageError(`Several collections have a photo ${JSON.stringify(word)}: say which, as ${words}.`)
}

/** A job may have several rows of one path, which are of one image. */
async function rowOfPath(collection: Collection, word: string, signal: AbortSignal): Promise<Row | null> {
  const [root = ''] = word.split('/')
  if (Object.hasOwn(collection.about.roots, root)) {
    const behind = await rowsAt(collection, word.slice(root.length + 1), signal)
    const own = behind.find((row) => row.root === root)
    if (own !== undefined) return own
  }
  const within = await rowsAt(collection, word, signal)
  const roots = new Set(within.map((row) => row.root))
  if (roots.size <= 1) return within[0] ?? null
  const names = [...roots].map((name) => printable(`${name}/${word}`)).join(', ')
  throw new UsageError(`Several photos of ${collection.store.label} are called so: name one of ${names}.`)
}

async function rowsAt(collection: Collection, path: string, signal: AbortSignal): Promise<readonly Row[]> {
  const where = { is: 'compared', column: columnOf('path', collection.columns), by: '=', to: path } as const
  const columns = ['id', 'root', 'path', 'state', 'reason']
  const rows: Row[] = []
  for await (const block of collection.scan({ columns, where, signal })) rows.push(...rowsOf(block))
  return rows
}

function noSuchPhoto(set: CollectionSet, word: string): UsageError {
  const roots = new Set(set.members.flatMap(({ collection }) => Object.keys(collection.about.roots)))
  return new UsageError(
    `${set.label} has no photo ${JSON.stringify(word)}: name it by its id, or by its path, behind its root (${[...roots].map(printable).join(', ')}) or without it, as results have both.`,
  )
}

/** Gives where the one photo lies that a word names: a file, or a photo of the collection by id or path. Throws `UsageError` for what is none. */
export async function photoFileOf(
  context: CommandContext,
  set: CollectionSet,
  word: string,
): Promise<string> {
  const { files, signal } = context
  if (isPhotoAddress(word)) return photoPlace(files, word)
  if ((await files.look(word))?.kind === 'file') return files.resolve(word)
  const named = await photoOrNull(set, word, signal)
  if (named === null) throw new UsageError(await noSuchFile(files, set, word))
  const { id, collection } = named.photo
  for (const member of set.members) {
    if (collection !== undefined && member.name !== collection) continue
    const [row] = await member.collection.rows([id], { columns: ['root', 'path'], signal })
    if (row !== null && row !== undefined) return fullPathOf(member.collection, row)
  }
  throw new UsageError(`${set.label} has no photo ${id}.`)
}

/** A word that no file is called may be mistyped, or it may be what people tell other searches. */
async function noSuchFile(files: Files, set: CollectionSet, word: string): Promise<string> {
  const name = basename(word)
  const beside = await files.list(dirname(word)).catch(() => [])
  const [nearest] = nearestNames(
    name,
    beside.map((entry) => entry.name),
    1,
    Math.max(1, Math.floor(name.length / 3)),
  )
  const said = `There is no file ${JSON.stringify(word)}`
  if (nearest !== undefined) return `${said}. Did you mean ${printable(nearest)}?`
  const { identity } = set.first.about
  return `${said}, and the model ${printable(identity.model)} has no words: it finds photos by photos. Name a photo, or one in the collection by its path or --id, or give --vector.`
}
