/**
 * Keeps a copy of a collection that lies on object storage in a folder of this machine, for those who only read. Files that never change are copied once, each
 * compared with what its writer says that it hashes to; what makes them a version comes last, so that the folder is a collection at every moment, the old one
 * or the new one. A copy that was cut off is gone on with.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { atOnce } from '../../../at-once.js'
import { CollectionError } from '../../../collection/collection-error.js'
import type { LogName } from '../../../collection/store.js'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import type { Storage, Version } from '../../../storage/storage.js'
import { FileError } from '../files/file-error.js'
import { makeFolder } from '../files/make-folder.js'
import { lockOutput, type OutputLock } from '../files/output-lock.js'
import { temporaryOf, writeWhole } from '../files/write-whole.js'
import {
  ABOUT,
  type CollectionFile,
  FILES,
  FileLog,
  isSmallFile,
  parseAbout,
  readAbout,
  tableOfFolder,
  writeAbout,
} from './collection-files.js'
import { heldVersions } from './leases.js'
import { type FileList, type ListedFile, readFileList } from './stored-files.js'
import { StoredLog } from './stored-log.js'
import { BLOCK_BYTES, copyBlocks, type KnownBlocks, type StoredVectorFile } from './stored-vectors.js'
import { openVectorFile, vectorFileName } from './vector-file.js'

/** Says what a mirror has copied. */
export interface MirrorReport {
  /** Is the version that the folder has now. */
  readonly version: number
  /** Counts the bytes that were read for it. */
  readonly bytes: number
}

const LOGS: readonly LogName[] = ['changes', 'decisions', 'moves']
/** So many files are copied at once. */
const AT_ONCE = 4
const PIECE_BYTES = 2 ** 23
const POLL_MS = 250
/** Holds what is not whole yet, each file under its hash. */
const PARTIAL = 'partial'
/** Says in that folder what is copied, for a folder that does not say yet what it is. */
const COPIED = 'copied.json'

/**
 * Brings the folder up to date with the newest version. Another process that does the same is waited for. Throws `CollectionError` `not-found`, `damaged` for a
 * file that is not as it was written, `exists` where the folder holds something else; `StorageError`, `FileError`; the signal's reason.
 */
export async function mirrorCollection(
  storage: Storage,
  folder: string,
  signal?: AbortSignal,
): Promise<MirrorReport> {
  await assertMirror(storage, folder)
  await using _lock = await lockInTurn(folder, signal)
  await makeFolder(folder)
  return await new Mirroring(storage, folder, signal).run()
}

/** Says by name which version of a small file was copied. */
type SmallFiles = Readonly<Record<string, Version>>

class Mirroring {
  readonly #storage: Storage
  readonly #folder: string
  readonly #signal: AbortSignal | undefined
  #bytes = 0

  constructor(storage: Storage, folder: string, signal: AbortSignal | undefined) {
    this.#storage = storage
    this.#folder = folder
    this.#signal = signal
  }

  async run(): Promise<MirrorReport> {
    // What waits is read before the rows: what is folded in meanwhile is then in both, and lost in neither.
    const logs = await Promise.all(LOGS.map((name) => new StoredLog(this.#storage, name).read()))
    const about = await this.#readAbout()
    const list = await this.#readList()
    await writeWhole(await this.#partOf(COPIED), [JSON.stringify({ mirrorOf: this.#storage.label })])
    const manifest = list.files.at(-1)
    await this.#copyAll(list.files.slice(0, -1))
    if (list.vectors !== null) await this.#copyVectors(list.vectors)
    const { small: before } = await this.#own()
    const small = await this.#copySmall(before)
    for (const [at, name] of LOGS.entries()) await new FileLog(this.#folder, name).replace(logs[at] ?? [])
    if (manifest !== undefined) await this.#copy(manifest)
    await writeAbout(this.#folder, { ...about, table: list.state.table, mirrorOf: this.#storage.label })
    await writeWhole(join(this.#folder, FILES), [JSON.stringify({ ...list, small })])
    await this.#removeOthers(list)
    return { version: list.state.version, bytes: this.#bytes }
  }

  async #readAbout(): Promise<CollectionFile> {
    const found = await this.#read(ABOUT)
    if (found !== null) return parseAbout(new TextDecoder().decode(found), `${this.#storage.label}/${ABOUT}`)
    throw new CollectionError(
      'not-found',
      `There is no collection ${this.#storage.label}. Make it: plumage index <folder of photos> --to ${this.#storage.label}`,
    )
  }

  async #readList(): Promise<FileList> {
    const list = await readFileList(this.#storage, this.#signal)
    if (list !== null) return list
    throw new CollectionError(
      'damaged',
      `${this.#storage.label} does not say which files make it up (${FILES}), as where it was copied from a folder. Make it ready: plumage collection compact --in ${this.#storage.label}`,
    )
  }

  async #read(key: string, offset?: number, length?: number): Promise<Uint8Array | null> {
    const range = offset === undefined || length === undefined ? {} : { offset, length }
    const found = await this.#storage.read(key, { ...range, signal: this.#signal })
    this.#bytes += found?.bytes.length ?? 0
    return found?.bytes ?? null
  }

  async #copyAll(files: readonly ListedFile[]): Promise<void> {
    await atOnce(files, AT_ONCE, (file) => this.#copy(file))
  }

  /** A file that has its name is whole: it gets it last. */
  async #copy({ key, size, sha256 }: ListedFile): Promise<void> {
    const path = join(this.#folder, ...key.split('/'))
    if ((await sizeOf(path)) === size) return
    await mkdir(dirname(path), { recursive: true })
    const part = await this.#partOf(sha256)
    // What an earlier attempt has left may be at fault.
    for (const attempt of [1, 2]) {
      if ((await this.#copyRest(key, size, part)) === sha256) return await rename(part, path)
      await rm(part)
      if (attempt === 2) throw this.#damaged(key)
    }
  }

  /** Copies what is missing, and gives the hash of the whole. */
  async #copyRest(key: string, size: number, part: string): Promise<string> {
    await using file = await openPart(part)
    const hash = createHash('sha256')
    for (let offset = 0; offset < size; ) {
      const length = Math.min(PIECE_BYTES, size - offset)
      const own = await readHere(file, offset, length)
      const bytes = own.length > 0 ? own : await this.#read(key, offset, length)
      if (bytes === null || bytes.length === 0) throw this.#damaged(key)
      if (own.length === 0) await file.write(bytes, 0, bytes.length, offset)
      hash.update(bytes)
      offset += bytes.length
    }
    await file.truncate(size)
    await file.sync()
    return hash.digest('hex')
  }

  async #copyVectors(told: StoredVectorFile): Promise<void> {
    const whole = await openVectorFile(this.#folder, told)
    await whole?.[Symbol.asyncDispose]()
    if (whole !== null) return
    const part = await this.#partOf('vectors')
    await using older = await this.#olderVectors()
    {
      await using file = await openPart(part)
      const read = (offset: number, length: number) => this.#read(told.file, offset, length)
      const label = `${this.#storage.label}/${told.file}`
      await copyBlocks({ read, label }, told, file, older ?? undefined)
      await file.truncate(told.size)
      await file.sync()
    }
    await rename(part, join(this.#folder, vectorFileName(told.version)))
  }

  /** Says what the folder has from the last time. */
  async #own(): Promise<{ readonly vectors: StoredVectorFile | null; readonly small: SmallFiles }> {
    const text = await readFile(join(this.#folder, FILES), 'utf8').catch(() => '')
    const found = parseJsonOrNull(text)
    return { vectors: null, small: {}, ...(isRecord(found) ? found : {}) }
  }

  /** Opens the file of vectors that the folder has already, where it says what its blocks hash to. */
  async #olderVectors(): Promise<KnownBlocks | null> {
    const { vectors: told } = await this.#own()
    if (told === null) return null
    const file = await open(join(this.#folder, vectorFileName(told.version)), 'r').catch(() => null)
    if (file === null) return null
    const at = new Map(told.blocks.map((hash, block) => [hash, block * BLOCK_BYTES]))
    return { file, at, [Symbol.asyncDispose]: () => file.close() }
  }

  /** Copies the small files that are others than the last time, and gives the versions of all. */
  async #copySmall(before: SmallFiles): Promise<SmallFiles> {
    const found: Record<string, Version> = {}
    for await (const { key, version } of this.#storage.list({ signal: this.#signal }))
      if (isSmallFile(key)) found[key] = version
    for (const [key, version] of Object.entries(found)) {
      const path = join(this.#folder, key)
      if (before[key] === version && (await sizeOf(path)) !== null) continue
      const bytes = await this.#read(key)
      if (bytes !== null) await writeWhole(path, [bytes])
    }
    for (const name of await readdir(this.#folder))
      if (isSmallFile(name) && !Object.hasOwn(found, name))
        await rm(join(this.#folder, name), { force: true })
    return found
  }

  /** Removes what only earlier versions need, unless somebody here reads one. */
  async #removeOthers({ state, files, vectors }: FileList): Promise<void> {
    await rm(join(this.#folder, PARTIAL), { recursive: true, force: true })
    if ((await heldVersions(this.#folder)).length > 0) return
    const kept = new Set(files.map(({ key }) => key))
    const names = await readdir(this.#folder)
    for (const name of names) {
      const isOld = /^vectors-\d+\.f16$/.test(name) && name !== vectorFileName(vectors?.version ?? -1)
      const table = tableOfFolder(name)
      if (isOld || (table !== null && table !== state.table))
        await rm(join(this.#folder, name), { recursive: true, force: true })
      else if (table !== null) await removeUnlisted(this.#folder, name, kept)
    }
  }

  async #partOf(name: string): Promise<string> {
    await mkdir(join(this.#folder, PARTIAL), { recursive: true })
    return join(this.#folder, PARTIAL, name)
  }

  #damaged(key: string): CollectionError {
    return new CollectionError(
      'damaged',
      `${this.#storage.label}/${key} is not what was written there. Mirror it again; where it stays so, bring it back from a copy.`,
    )
  }
}

async function openPart(path: string): Promise<FileHandle> {
  return await open(path, 'r+').catch(() => open(path, 'w+'))
}

/** Gives what the file has there already: less than `length`, or nothing, where it ends. */
async function readHere(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset)
  return buffer.subarray(0, bytesRead)
}

async function sizeOf(path: string): Promise<number | null> {
  return await stat(path).then(
    ({ size }) => size,
    () => null,
  )
}

async function removeUnlisted(folder: string, table: string, kept: ReadonlySet<string>): Promise<void> {
  for (const entry of await readdir(join(folder, table), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const key = relative(folder, path).split(sep).join('/')
    if (entry.isFile() && !kept.has(key)) await rm(path, { force: true })
  }
}

/** A folder that holds anything but a mirror of the same collection, or the begin of one, is left alone. */
async function assertMirror(storage: Storage, folder: string): Promise<void> {
  if ((await namesIn(folder)).length === 0) return
  const about = await readAbout(folder).catch(() => null)
  const mirrorOf = about === null ? await begunOrNull(folder) : about.mirrorOf
  if (mirrorOf === storage.label) return
  // A kill may come before it is said what is copied: nothing has been copied then.
  const within = await namesIn(join(folder, PARTIAL))
  if ((await namesIn(folder)).join() === PARTIAL && within.every((name) => name === temporaryOf(COPIED)))
    return
  const holds = about === null && mirrorOf === null ? 'something else' : 'another collection'
  throw new CollectionError(
    'exists',
    `${folder} holds ${holds}, and is no mirror of ${storage.label}. Name another folder.`,
  )
}

/** Names what a first copy that was cut off is of. */
async function begunOrNull(folder: string): Promise<unknown> {
  const text = await readFile(join(folder, PARTIAL, COPIED), 'utf8').catch(() => '')
  const found = parseJsonOrNull(text)
  return isRecord(found) ? found.mirrorOf : null
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch(() => [])
}

async function lockInTurn(folder: string, signal: AbortSignal | undefined): Promise<OutputLock> {
  for (;;) {
    try {
      return await lockOutput(folder, signal === undefined ? {} : { signal })
    } catch (error) {
      if (!(error instanceof FileError && error.code === 'locked')) throw error
      await sleep(POLL_MS, undefined, { signal })
    }
  }
}
