/**
 * Says on object storage who writes a collection, and what readers of it hold. Readers keep nobody out: each shows itself in an object of its own, and is judged as the holder of a
 * lease is.
 */
import { randomUUID } from 'node:crypto'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import { holderIn, LEASE_TIMES, type LeaseTimes, showsLife, textOfLease } from '../../../storage/lease.js'
import type { Storage } from '../../../storage/storage.js'
import { type Holder, thisProcess } from '../files/holder.js'
import { processLivesOrNull, takeProcessLease } from '../storage/process-lease.js'
import { WRITER } from './collection-files.js'
import type { HeldVersion, LockOptions, ReadLease, WriteLock } from './place.js'

const READERS = 'leases/'
/** Readers are many, and show themselves once where a writer does so three times. */
const READER_BEATS = 3
const NOTHING: HeldVersion = { table: null, version: null }

/** Takes the right to write. Throws `FileError` `locked` while another process shows that it has it. */
export async function takeWriteLock(
  storage: Storage,
  options: LockOptions,
  times: LeaseTimes = LEASE_TIMES,
): Promise<WriteLock> {
  return await takeProcessLease(storage, WRITER, {
    label: storage.label,
    instead: 'another collection',
    times,
    ...options,
  })
}

/** Says what a reader reads; null where it may not write there. */
export async function takeReadLease(storage: Storage, times = LEASE_TIMES): Promise<ReadLease | null> {
  if (!storage.isWritable) return null
  const lease = new StorageReadLease(storage, await thisProcess(randomUUID()), times)
  try {
    await lease.hold(NOTHING)
    return lease
  } catch {
    await lease[Symbol.asyncDispose]()
    return null
  }
}

class StorageReadLease implements ReadLease {
  readonly #storage: Storage
  readonly #who: Holder
  readonly #timer: NodeJS.Timeout
  #held = NOTHING
  #beats = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(storage: Storage, who: Holder, { beatMs }: LeaseTimes) {
    this.#storage = storage
    this.#who = who
    this.#timer = setInterval(() => void this.#write().catch(() => {}), READER_BEATS * beatMs)
    this.#timer.unref()
  }

  async hold(held: HeldVersion): Promise<void> {
    this.#held = held
    await this.#write()
  }

  /** Writes follow each other, so that the last one says what is held last. */
  #write(): Promise<void> {
    const text = () => textOfLease({ holder: this.#who, beats: ++this.#beats, ...this.#held })
    const written = this.#writing.then(async () => void (await this.#storage.write(this.#key, text())))
    this.#writing = written.catch(() => {})
    return written
  }

  get #key(): string {
    return `${READERS}${this.#who.token}.json`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#writing
    await this.#storage.remove(this.#key).catch(() => {})
  }
}

/** Gives what readers hold. With `sure`, each is watched until it moves or is dead, and what dead ones have left is removed. */
export async function heldOnStorage(
  storage: Storage,
  sure: boolean,
  times: LeaseTimes = LEASE_TIMES,
): Promise<readonly HeldVersion[]> {
  const keys: string[] = []
  for await (const { key } of storage.list({ prefix: READERS })) keys.push(key)
  const all = await Promise.all(keys.map((key) => heldOrNull(storage, key, sure, times)))
  return all.filter((held) => held !== null)
}

async function heldOrNull(
  storage: Storage,
  key: string,
  sure: boolean,
  times: LeaseTimes,
): Promise<HeldVersion | null> {
  const found = await storage.read(key)
  if (found === null) return null
  const lives = await processLivesOrNull(holderIn(found.bytes) ?? {})
  if (lives === true || (lives === null && !sure)) return heldIn(found.bytes)
  if (lives === null && (await showsLife(storage, key, found.version, { times }))) {
    const now = await storage.read(key)
    return now === null ? null : heldIn(now.bytes)
  }
  await storage.remove(key)
  return null
}

function heldIn(bytes: Uint8Array): HeldVersion {
  const said = parseJsonOrNull(new TextDecoder().decode(bytes))
  const { table, version } = isRecord(said) ? said : {}
  return {
    table: typeof table === 'string' ? table : null,
    version: typeof version === 'number' ? version : null,
  }
}
