/** Keeps a collection on object storage: any number read it, and one writes. */
import { CollectionError } from '../../../collection/collection-error.js'
import type { LogName } from '../../../collection/store.js'
import { LEASE_TIMES, type LeaseTimes } from '../../../storage/lease.js'
import type { Storage, StoredObject, Version } from '../../../storage/storage.js'
import {
  ABOUT,
  type CollectionFile,
  checkedFileName,
  parseAbout,
  purposeOf,
  tableOfFolder,
  textOfAbout,
  WRITER,
} from './collection-files.js'
import type {
  CollectionPlace,
  HeldVersion,
  LanceAddress,
  LockOptions,
  ReadLease,
  WriteLock,
} from './place.js'
import { heldOnStorage, takeReadLease, takeWriteLock } from './storage-lease.js'
import { type FileList, listFiles, readFileList } from './stored-files.js'
import { StoredLog } from './stored-log.js'
import {
  findStoredVectors,
  openStoredVectors,
  storedVectorsName,
  tellVectors,
  writeStoredVectors,
} from './stored-vectors.js'
import type { VectorBlock, VectorFile, VectorFileState } from './vector-file.js'

/** Says how a collection on object storage is kept and read. */
export interface StoredPlaceOptions {
  readonly storage: Storage
  /** Gives where LanceDB finds the same objects, with keys of the same rights. */
  readonly address: () => Promise<LanceAddress>
  /** Bounds the copy of embeddings on this machine that exact search makes; default 4 GB. */
  readonly cacheBytes?: number | undefined
  /** Keeps earlier versions for so long; default a day. */
  readonly keepsMs?: number
  readonly times?: LeaseTimes
}

const CACHE_BYTES = 4e9
const DAY_MS = 86_400_000

export class StoredPlace implements CollectionPlace {
  readonly label: string
  readonly isFar = true
  readonly keepsMs: number
  readonly #storage: Storage
  readonly #address: () => Promise<LanceAddress>
  readonly #cacheBytes: number
  readonly #times: LeaseTimes
  readonly #logs = new Map<LogName, StoredLog>()
  #aboutVersion: Version | null = null
  #isWriter = false
  #list: FileList | null = null
  /** Is the file of vectors that was just written: it lies here already. */
  #written: { readonly state: VectorFileState; readonly file: VectorFile } | null = null

  constructor({
    storage,
    address,
    cacheBytes = CACHE_BYTES,
    keepsMs = DAY_MS,
    times = LEASE_TIMES,
  }: StoredPlaceOptions) {
    this.label = storage.label
    this.keepsMs = keepsMs
    this.#storage = storage
    this.#address = address
    this.#cacheBytes = cacheBytes
    this.#times = times
  }

  address(): Promise<LanceAddress> {
    return this.#address()
  }

  async isThere(): Promise<boolean> {
    return (await this.#storage.look(ABOUT)) !== null
  }

  within(name: string): string {
    return `${this.label}/${name}`
  }

  async begin(table: string): Promise<void> {
    for await (const { key } of this.#storage.list()) {
      const [first = ''] = key.split('/')
      if (first === `${table}.lance` || first === WRITER) continue
      throw new CollectionError(
        'exists',
        `${this.label} holds ${first} already, and is no place for a new collection. Name another place.`,
      )
    }
  }

  async readAbout(): Promise<CollectionFile> {
    const found = await this.#storage.read(ABOUT)
    if (found === null)
      throw new CollectionError(
        'not-found',
        `There is no collection ${this.label}. Make it: plumage index <folder of photos> --to ${this.label}`,
      )
    this.#aboutVersion = found.version
    return parseAbout(new TextDecoder().decode(found.bytes), `${this.label}/${ABOUT}`)
  }

  async writeAbout(about: CollectionFile): Promise<void> {
    const version = this.#aboutVersion
    const condition = version === null ? { ifAbsent: true } : { ifVersion: version }
    const written = await this.#storage.write(ABOUT, Buffer.from(textOfAbout(about)), condition)
    if (!written.written)
      throw new CollectionError(
        'in-use',
        `${this.label}/${ABOUT} was changed by another writer: nothing was written. Open the collection again.`,
      )
    this.#aboutVersion = written.version
  }

  async lock(options: LockOptions): Promise<WriteLock> {
    const lock = await takeWriteLock(this.#storage, options, this.#times)
    this.#isWriter = true
    return lock
  }

  lease(): Promise<ReadLease | null> {
    return takeReadLease(this.#storage, this.#times)
  }

  held(sure: boolean): Promise<readonly HeldVersion[]> {
    return heldOnStorage(this.#storage, sure, this.#times)
  }

  log(name: LogName): StoredLog {
    const log = this.#logs.get(name) ?? new StoredLog(this.#storage, name)
    this.#logs.set(name, log)
    return log
  }

  async readFile(name: string): Promise<Uint8Array | null> {
    return (await this.#storage.read(checkedFileName(name)))?.bytes ?? null
  }

  async writeFile(name: string, bytes: Uint8Array | null): Promise<void> {
    if (bytes === null) await this.#storage.remove(checkedFileName(name))
    else await this.#storage.write(checkedFileName(name), bytes)
  }

  async openVectors(state: VectorFileState, signal?: AbortSignal): Promise<VectorFile | null> {
    if (this.#written?.state.version === state.version && this.#written.state.table === state.table) {
      const { file } = this.#written
      this.#written = null
      return file
    }
    // Whoever writes needs all of them, and has been asked.
    const mostBytes = this.#isWriter ? Number.POSITIVE_INFINITY : this.#cacheBytes
    return await openStoredVectors(this.#storage, state, { mostBytes, signal })
  }

  async writeVectors(
    state: VectorFileState,
    count: number,
    blocks: AsyncIterable<VectorBlock>,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#written?.file[Symbol.asyncDispose]()
    const file = await writeStoredVectors(this.#storage, state, count, blocks, signal)
    this.#written = file === null ? null : { state, file }
  }

  async carryVectors(state: VectorFileState, version: number): Promise<void> {
    if (state.version === version) return
    const told = await findStoredVectors(this.#storage, state)
    if (told !== null) await tellVectors(this.#storage, { ...told, version })
  }

  async publish(state: VectorFileState, fragments: number, signal?: AbortSignal): Promise<void> {
    this.#list ??= await readFileList(this.#storage, signal)
    this.#list = await listFiles(this.#storage, state, fragments, this.#list, signal)
  }

  async clean(state: VectorFileState, held: readonly HeldVersion[]): Promise<void> {
    if (held.some(({ table }) => table === null)) return
    const tables = new Set([state.table, ...held.map(({ table }) => table)])
    const old: StoredObject[] = []
    const kept = new Set<string>()
    for (const { table, version } of [state, ...held]) {
      if (table === null || version === null) continue
      const told = await findStoredVectors(this.#storage, { table, version, width: state.width })
      if (told !== null) kept.add(storedVectorsName(told, 'json')).add(told.file)
    }
    let nowMs = 0
    for await (const object of this.#storage.list()) {
      nowMs = Math.max(nowMs, object.modifiedMs)
      const [first = ''] = object.key.split('/')
      const table = tableOfFolder(first)
      if (table === null ? purposeOf(first) === 'vectors' : !tables.has(table)) old.push(object)
    }
    // What is young may be read by somebody who cannot say so. The place's own clock tells.
    for (const { key, modifiedMs } of old)
      if (!kept.has(key) && nowMs - modifiedMs >= this.keepsMs) await this.#storage.remove(key)
  }

  async sizes(): Promise<Readonly<Record<string, number>>> {
    const sizes: Record<string, number> = { rows: 0, vectors: 0, logs: 0, others: 0 }
    for await (const { key, size } of this.#storage.list()) {
      const purpose = purposeOf(key.split('/')[0] ?? '') ?? 'others'
      sizes[purpose] = (sizes[purpose] ?? 0) + size
    }
    return sizes
  }

  async remove(): Promise<readonly string[]> {
    const kept = new Set<string>()
    for await (const { key } of this.#storage.list()) {
      const [first = ''] = key.split('/')
      if (first === ABOUT || first === WRITER) continue
      if (purposeOf(first) === null) kept.add(first)
      else await this.#storage.remove(key)
    }
    // It comes last: without it nothing would know what the rest was.
    await this.#storage.remove(ABOUT)
    return [...kept]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#written?.file[Symbol.asyncDispose]()
    await this.#storage[Symbol.asyncDispose]()
  }
}
