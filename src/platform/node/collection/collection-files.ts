/** Lays out the folder of a collection, and reads and writes the small files in it. */
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { CollectionError } from '../../../collection/collection-error.js'
import type { About, Log, LogName } from '../../../collection/store.js'
import { isRecord, type PlainRecord, parseJsonOrNull } from '../../../plain-value.js'
import { GrowingNodeFile } from '../files/growing-file.js'
import { writeWhole } from '../files/write-whole.js'

/** Says what the collection is, and which table has its rows. */
export interface CollectionFile extends About {
  /** Names the table: another one takes its place when all rows are written anew. */
  readonly table: string
}

export const ABOUT = 'collection.json'

/** Throws `CollectionError` `not-found`, `damaged`. */
export async function readAbout(folder: string): Promise<CollectionFile> {
  const text = await textOrNull(join(folder, ABOUT))
  if (text === null) {
    const isThere = await stat(folder).then(
      () => true,
      () => false,
    )
    throw new CollectionError(
      'not-found',
      isThere
        ? `${folder} is no collection: it has no ${ABOUT}. Name another folder.`
        : `There is no collection ${folder}. Make it: plumage index <folder of photos> --to ${folder}`,
    )
  }
  const found = parseJsonOrNull(text)
  const isWhole =
    isRecord(found) && isRecord(found.identity) && isRecord(found.roots) && typeof found.table === 'string'
  if (isWhole && found.format === 1) return found as unknown as CollectionFile
  const why =
    isRecord(found) && found.format !== 1
      ? `its format is ${JSON.stringify(found.format)}, expected 1`
      : 'it does not say what it should'
  throw new CollectionError('damaged', `${join(folder, ABOUT)} cannot be used: ${why}.`)
}

export function writeAbout(folder: string, about: CollectionFile): Promise<void> {
  return writeWhole(join(folder, ABOUT), [`${JSON.stringify(about, null, 1)}\n`])
}

/** Gives the small file of this name; null where there is none. */
export async function readSmallFile(folder: string, name: string): Promise<Uint8Array | null> {
  return await readFile(join(folder, checked(name))).catch(absent)
}

export async function writeSmallFile(folder: string, name: string, bytes: Uint8Array | null): Promise<void> {
  if (bytes === null) await rm(join(folder, checked(name)), { force: true })
  else await writeWhole(join(folder, checked(name)), [bytes])
}

/** Tells what each file of a collection is for, by its place in the folder; null for what is none of its files. */
export function purposeOf(path: string): 'rows' | 'vectors' | 'logs' | 'others' | null {
  const [first = ''] = path.split(sep)
  if (/^photos(-\d+)?\.lance$/.test(first)) return 'rows'
  if (/^vectors.*\.f(16|32)$/.test(first)) return 'vectors'
  if (/^[a-z]+\.jsonl$/.test(first)) return 'logs'
  return /^([a-z0-9][a-z0-9-]*\.(json|safetensors|bin)(\.tmp)?|leases|regions|[a-z-]+\.lance)$/.test(first)
    ? 'others'
    : null
}

/** Gives the bytes of a collection's files by what they are for. */
export async function sizesIn(folder: string): Promise<Readonly<Record<string, number>>> {
  const sizes: Record<string, number> = { rows: 0, vectors: 0, logs: 0, others: 0 }
  for (const path of await readdir(folder, { recursive: true })) {
    const found = await stat(join(folder, path)).catch(() => null)
    const purpose = purposeOf(path) ?? 'others'
    if (found?.isFile()) sizes[purpose] = (sizes[purpose] ?? 0) + found.size
  }
  return sizes
}

/** A name leads nowhere but into the folder. */
function checked(name: string): string {
  if (/^[a-z0-9][a-z0-9-]*\.[a-z0-9]+$/.test(name) && name !== ABOUT) return name
  throw new RangeError(`${JSON.stringify(name)} is no name of a small file, such as map.json.`)
}

/** Grows in the folder. Each entry is a line; a kill cuts off at most the last, which is then passed over, and ended before the next is written. */
export class FileLog implements Log {
  readonly #path: string

  constructor(folder: string, name: LogName) {
    this.#path = join(folder, `${name}.jsonl`)
  }

  async read(): Promise<readonly PlainRecord[]> {
    const text = (await textOrNull(this.#path)) ?? ''
    return text.split('\n').flatMap((line) => {
      const found = parseJsonOrNull(line)
      return isRecord(found) ? [found] : []
    })
  }

  async append(entries: readonly PlainRecord[]): Promise<void> {
    if (entries.length === 0) return
    await using file = await GrowingNodeFile.open(this.#path)
    // A line that a kill cut off must not swallow the next one.
    await file.write(`\n${entries.map((entry) => JSON.stringify(entry)).join('\n')}\n`)
    await file.sync()
  }

  async replace(entries: readonly PlainRecord[]): Promise<void> {
    if (entries.length === 0) await rm(this.#path, { force: true })
    else await writeWhole(this.#path, [`${entries.map((entry) => JSON.stringify(entry)).join('\n')}\n`])
  }
}

async function textOrNull(path: string): Promise<string | null> {
  return await readFile(path, 'utf8').catch(absent)
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
  throw error
}
