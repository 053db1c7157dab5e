/**
 * Keeps a log on object storage, where nothing can be appended to. What was there when it was last written whole stands in `<name>.jsonl`, as on a disk; each
 * append since is an object of its own, numbered, which only one writer can make. The first line of the whole names the folder of those that follow, so that
 * writing it anew leaves all earlier ones behind at once.
 */
import { randomUUID } from 'node:crypto'
import type { Log, LogName } from '../../../collection/store.js'
import type { PlainRecord } from '../../../plain-value.js'
import type { Storage, Version } from '../../../storage/storage.js'
import { StorageError } from '../../../storage/storage-error.js'
import { entriesOf } from './collection-files.js'

/** So many numbered objects are asked for at a time. */
const AT_ONCE = 8
/** So many of them are put together into one. */
const MOST_PARTS = 64
const FIRST = 'first'

interface Found {
  /** Is that of the whole; null where there is none. */
  readonly version: Version | null
  readonly series: string
  readonly parts: number
  readonly entries: readonly PlainRecord[]
}

export class StoredLog implements Log {
  readonly #storage: Storage
  readonly #name: LogName
  /** Only one process writes: what it knows stays true. */
  #known: Found | null = null

  constructor(storage: Storage, name: LogName) {
    this.#storage = storage
    this.#name = name
  }

  async read(): Promise<readonly PlainRecord[]> {
    this.#known = await this.#find()
    return this.#known.entries
  }

  async append(entries: readonly PlainRecord[]): Promise<void> {
    if (entries.length === 0) return
    this.#known ??= await this.#find()
    const { series, parts } = this.#known
    const all = [...this.#known.entries, ...entries]
    if (parts >= MOST_PARTS) return await this.replace(all)
    const { written } = await this.#storage.write(this.#key(series, parts), textOf(entries), {
      ifAbsent: true,
    })
    if (!written) throw this.#changed()
    this.#known = { ...this.#known, parts: parts + 1, entries: all }
  }

  async replace(entries: readonly PlainRecord[]): Promise<void> {
    this.#known ??= await this.#find()
    const { series, parts, version } = this.#known
    if (entries.length === 0 && version === null && parts === 0) return
    const fresh = randomUUID()
    const written = await this.#storage.write(
      this.#whole,
      Buffer.concat([textOf([{ appended: fresh }]), textOf(entries)]),
      version === null ? { ifAbsent: true } : { ifVersion: version },
    )
    if (!written.written) throw this.#changed()
    this.#known = { version: written.version, series: fresh, parts: 0, entries }
    // A kill leaves some that nothing leads to any more.
    for (let part = 0; part < parts; part++) await this.#storage.remove(this.#key(series, part))
  }

  /** Asks for the numbered objects by their names, until one is not there. */
  async #find(): Promise<Found> {
    const whole = await this.#storage.read(this.#whole)
    const lines = whole === null ? [] : entriesOf(new TextDecoder().decode(whole.bytes))
    const [head] = lines
    const hasHead = typeof head?.appended === 'string'
    const series = hasHead ? String(head.appended) : FIRST
    const entries = hasHead ? lines.slice(1) : [...lines]
    let parts = 0
    for (let isEnd = false; !isEnd; ) {
      const asked = Array.from({ length: parts === 0 ? 1 : AT_ONCE }, (_, at) =>
        this.#key(series, parts + at),
      )
      for (const found of await Promise.all(asked.map((key) => this.#storage.read(key)))) {
        isEnd ||= found === null
        if (isEnd || found === null) continue
        entries.push(...entriesOf(new TextDecoder().decode(found.bytes)))
        parts++
      }
    }
    return { version: whole?.version ?? null, series, parts, entries }
  }

  get #whole(): string {
    return `${this.#name}.jsonl`
  }

  #key(series: string, part: number): string {
    return `${this.#name}-appended/${series}/${String(part).padStart(6, '0')}.jsonl`
  }

  #changed(): StorageError {
    return new StorageError(
      'changed',
      `${this.#storage.label}/${this.#whole} was changed by another writer: nothing was written. Open the collection again.`,
    )
  }
}

function textOf(entries: readonly PlainRecord[]): Uint8Array {
  return Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
}
