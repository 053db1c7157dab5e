/** Finds what a person searches by: files of photos, photos of the collection by id or path, and vectors of other programs. */
import { basename, dirname, isAbsolute, relative, sep } from 'node:path'
import type { Collection } from '../collection/collection.js'
import { columnOf } from '../collection/columns.js'
import { rowsOf } from '../collection/row-block.js'
import type { Example } from '../collection/search/search-photos.js'
import { nearestNames } from '../nearest-names.js'
import { contentOf } from '../platform/node/collection/content-of.js'
import type { FileEncoder } from '../work/file-encoder.js'
import type { Files } from '../work/files.js'
import { UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'
import { printable } from './progress.js'
import { fullPathOf } from './search-output.js'

/** Gives the encoder, which is loaded when the first photo has to be read. */
export type LoadEncoder = () => Promise<FileEncoder>

/** Throws `UsageError` for what is none of these, with what it may have meant. */
export async function examplesOf(
  context: CommandContext,
  collection: Collection,
  words: readonly string[],
  loadEncoder: LoadEncoder,
): Promise<readonly Example[]> {
  const { files, signal } = context
  const examples = new Map<string, Example>()
  const sources: string[] = []
  for (const word of new Set(words)) {
    const found = isAddress(word) ? 'address' : ((await files.look(word))?.kind ?? null)
    const own = found === 'file' ? await unchangedRow(collection, files.resolve(word), signal) : null
    if (own !== null) examples.set(word, { id: own })
    else if (found === 'file' || found === 'address') sources.push(word)
    else if (found !== null)
      throw new UsageError(`${printable(word)} is a ${found}: name photos to search by.`)
    else examples.set(word, { id: await idOf(context, collection, word) })
  }
  const encoder = sources.length === 0 ? null : await loadEncoder()
  async function* opened() {
    for (const source of sources) yield isAddress(source) ? source : files.resolve(source)
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

/** Gives the id of the photo of the collection that this very file is, where it is still as it was; its copies are other photos. */
async function unchangedRow(
  collection: Collection,
  file: string,
  signal: AbortSignal,
): Promise<string | null> {
  const places = Object.entries(collection.about.roots).flatMap(([root, folder]) => {
    const path = relative(folder, file).split(sep).join('/')
    return path === '' || path.startsWith('../') || isAbsolute(path) ? [] : [`${root}/${path}`]
  })
  if (places.length === 0) return null
  const column = columnOf('content', collection.columns)
  const where = { is: 'compared', column, by: '=', to: await contentOf(file) } as const
  for await (const block of collection.scan({ columns: ['id', 'root', 'path', 'state'], where, signal }))
    for (const row of rowsOf(block))
      if (row.state === 'embedded' && places.includes(`${row.root}/${row.path}`)) return String(row.id)
  return null
}

function isAddress(word: string): boolean {
  return /^(?:https?|data|file):/i.test(word)
}

/** Takes a word for an id, or for a path as the results have it. */
async function idOf(context: CommandContext, collection: Collection, word: string): Promise<string> {
  if (/^[0-9a-f]{32}$/.test(word)) return word
  const [root] = word.split('/')
  if (root !== undefined && Object.hasOwn(collection.about.roots, root)) {
    const path = word.slice(root.length + 1)
    const columns = ['id', 'root', 'path']
    for await (const block of collection.scan({ columns, signal: context.signal }))
      for (const row of rowsOf(block)) if (row.root === root && row.path === path) return String(row.id)
  }
  throw new UsageError(await noSuchFile(context.files, collection, word))
}

/** Gives where the one photo lies that a word names: a file, or a photo of the collection by id or path. Throws `UsageError` for what is none. */
export async function photoFileOf(
  context: CommandContext,
  collection: Collection,
  word: string,
): Promise<string> {
  if ((await context.files.look(word))?.kind === 'file') return context.files.resolve(word)
  const id = await idOf(context, collection, word)
  const [row] = await collection.rows([id], { columns: ['root', 'path'] })
  if (row !== null && row !== undefined) return fullPathOf(collection, row)
  throw new UsageError(`${collection.store.label} has no photo ${id}.`)
}

/** A word that no file is called may be mistyped, or it may be what people tell other searches. */
async function noSuchFile(files: Files, collection: Collection, word: string): Promise<string> {
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
  const { identity } = collection.about
  return `${said}, and the model ${printable(identity.model)} has no words: it finds photos by photos. Name a photo, or one in the collection by its path or --id, or give --vector.`
}
