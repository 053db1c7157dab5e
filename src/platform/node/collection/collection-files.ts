/** Lays out the folder of a collection, and reads and writes the small files in it. */
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { CollectionError } from '../../../collection/collection-error.js'
import type { About, Log, LogName } from '../../../collection/store.js'
import { JOB_KEY } from '../../../jobs/keys.js'
import { nearestNames } from '../../../nearest-names.js'
import { isRecord, type PlainRecord, parseJsonOrNull } from '../../../plain-value.js'
import { GrowingNodeFile } from '../files/growing-file.js'
import { writeWhole } from '../files/write-whole.js'

/** Says what the collection is, and which table has its rows. */
export interface CollectionFile extends About {
  /** Names the table: another one takes its place when all rows are written anew. */
  readonly table: string
  /** Names the collection that this one is a mirror of, where it is one. */
  readonly mirrorOf?: string
}

export const ABOUT = 'collection.json'
/** Says on object storage who may write. */
export const WRITER = 'writer.json'
/** Says on object storage which files make up a version. */
export const FILES = 'files.json'
const MOST_SLIPS = 3
const RESERVED: ReadonlySet<string> = new Set([ABOUT, WRITER, FILES])

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
        ? `${folder} is no collection: it has no ${ABOUT}. ${await adviceFor(folder)}`
        : `There is no collection ${folder}.${await otherBeside(folder)} Make it: plumage index <folder of photos> --to ${folder}`,
    )
  }
  return parseAbout(text, join(folder, ABOUT))
}

async function isIn(folder: string, name: string): Promise<boolean> {
  return await stat(join(folder, name)).then(
    () => true,
    () => false,
  )
}

async function adviceFor(folder: string): Promise<string> {
  if (await isIn(folder, JOB_KEY))
    return `It is a job: make collections of it (plumage job finish ${folder} --into <folder>), and name those.`
  const other = await otherBeside(folder)
  return other === '' ? 'Name another folder.' : other.trim()
}

/** Names the collection in the same folder that was likely meant, or the only one there is. */
async function otherBeside(folder: string): Promise<string> {
  const around = dirname(folder)
  const entries = await readdir(around, { withFileTypes: true }).catch(() => [])
  const found: string[] = []
  for (const entry of entries)
    if (entry.isDirectory() && (await isIn(join(around, entry.name), ABOUT))) found.push(entry.name)
  const [only] = found.length === 1 ? found : []
  const meant = only ?? nearestNames(basename(folder), found, 1, MOST_SLIPS)[0]
  return meant === undefined ? '' : ` Did you mean ${join(around, meant)}?`
}

/** @param label names the file. Throws `CollectionError` `damaged`. */
export function parseAbout(text: string, label: string): CollectionFile {
  const found = parseJsonOrNull(text)
  const isWhole =
    isRecord(found) && isRecord(found.identity) && isRecord(found.roots) && typeof found.table === 'string'
  if (isWhole && found.format === 1) return found as unknown as CollectionFile
  const why =
    isRecord(found) && found.format !== 1
      ? `its format is ${JSON.stringify(found.format)}, expected 1`
      : 'it does not say what it should'
  throw new CollectionError('damaged', `${label} cannot be used: ${why}.`)
}

export function writeAbout(folder: string, about: CollectionFile): Promise<void> {
  return writeWhole(join(folder, ABOUT), [textOfAbout(about)])
}

export function textOfAbout(about: CollectionFile): string {
  return `${JSON.stringify(about, null, 1)}\n`
}

/** Gives the small file of this name; null where there is none. */
export async function readSmallFile(folder: string, name: string): Promise<Uint8Array | null> {
  return await readFile(join(folder, checkedFileName(name))).catch(absent)
}

export async function writeSmallFile(folder: string, name: string, bytes: Uint8Array | null): Promise<void> {
  if (bytes === null) await rm(join(folder, checkedFileName(name)), { force: true })
  else await writeWhole(join(folder, checkedFileName(name)), [bytes])
}

/** Gives the table that lies in a folder of this name; null for any other folder. */
export function tableOfFolder(name: string): string | null {
  return /^(photos(?:-\d+)?)\.lance$/.exec(name)?.[1] ?? null
}

/** Tells what each file of a collection is for, by the first name of its path in the folder; null for what is none of its files. */
export function purposeOf(first: string): 'rows' | 'vectors' | 'logs' | 'others' | null {
  if (tableOfFolder(first) !== null) return 'rows'
  if (/^vectors-\d+(-\d+)?\.(f16(\.tmp)?|json)$/.test(first)) return 'vectors'
  if (/^[a-z]+(\.jsonl|-appended)$/.test(first)) return 'logs'
  return /^([a-z0-9][a-z0-9-]*\.(json|safetensors|bin)(\.tmp)?|leases|regions|[a-z-]+\.lance)$/.test(first)
    ? 'others'
    : null
}

/** Tells whether a name is that of a small file, such as `map.json`, and of nothing that has a part of its own. */
export function isSmallFile(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9-]*\.(json|safetensors|bin)$/.test(name) &&
    !RESERVED.has(name) &&
    purposeOf(name) === 'others'
  )
}

/** Gives the bytes of a collection's files by what they are for. */
export async function sizesIn(folder: string): Promise<Readonly<Record<string, number>>> {
  const sizes: Record<string, number> = { rows: 0, vectors: 0, logs: 0, others: 0 }
  for (const path of await readdir(folder, { recursive: true })) {
    const found = await stat(join(folder, path)).catch(() => null)
    const purpose = purposeOf(path.split(sep)[0] ?? '') ?? 'others'
    if (found?.isFile()) sizes[purpose] = (sizes[purpose] ?? 0) + found.size
  }
  return sizes
}

/** A name leads nowhere but into the folder. Throws RangeError. */
export function checkedFileName(name: string): string {
  if (/^[a-z0-9][a-z0-9-]*\.[a-z0-9]+$/.test(name) && !RESERVED.has(name)) return name
  throw new RangeError(`${JSON.stringify(name)} is no name of a small file, such as map.json.`)
}

/** Grows in the folder. Each entry is a line; a kill cuts off at most the last, which is then passed over, and ended before the next is written. */
export class FileLog implements Log {
  readonly #path: string

  constructor(folder: string, name: LogName) {
    this.#path = join(folder, `${name}.jsonl`)
  }

  async read(): Promise<readonly PlainRecord[]> {
    return entriesOf((await textOrNull(this.#path)) ?? '')
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

/** Gives the entries of a log, passing over what a kill has cut off. */
export function entriesOf(text: string): readonly PlainRecord[] {
  return text.split('\n').flatMap((line) => {
    const found = parseJsonOrNull(line)
    return isRecord(found) ? [found] : []
  })
}

async function textOrNull(path: string): Promise<string | null> {
  return await readFile(path, 'utf8').catch(absent)
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
  throw error
}
