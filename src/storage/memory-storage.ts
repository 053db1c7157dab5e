/** Keeps objects in memory: for tests, and beside which every other place is judged by one contract. */
import { checkOptionNames } from '../check-option-names.js'
import { compareNames } from '../compare-names.js'
import type { Chunks } from '../formats/chunk.js'
import { LIST_OPTIONS, LOOK_OPTIONS, READ_OPTIONS, WRITE_OPTIONS } from './call-options.js'
import type {
  ListOptions,
  LookOptions,
  ReadOptions,
  Storage,
  StoredObject,
  WriteOptions,
  Written,
} from './storage.js'
import { checkKey, StorageError } from './storage-error.js'

interface Kept {
  readonly bytes: Uint8Array
  readonly version: string
  readonly modifiedMs: number
}

export class MemoryStorage implements Storage {
  readonly label: string
  readonly isWritable = true
  readonly #objects = new Map<string, Kept>()
  #writes = 0

  constructor(label = 'memory') {
    this.label = label
  }

  async look(key: string, options: LookOptions = {}): Promise<StoredObject | null> {
    checkOptionNames(options, LOOK_OPTIONS)
    options.signal?.throwIfAborted()
    checkKey(key)
    const kept = this.#objects.get(key)
    return kept === undefined ? null : describe(key, kept)
  }

  async read(key: string, options: ReadOptions = {}) {
    checkOptionNames(options, READ_OPTIONS)
    checkKey(key)
    const { offset = 0, length, version, signal } = options
    signal?.throwIfAborted()
    const kept = this.#objects.get(key)
    if (kept === undefined) return null
    if (version !== undefined && version !== kept.version)
      throw new StorageError('changed', `${this.label}/${key} has changed while it was read. Read it again.`)
    const end = length === undefined ? kept.bytes.length : offset + length
    return { bytes: kept.bytes.slice(offset, end), version: kept.version }
  }

  async write(
    key: string,
    content: Uint8Array | (() => Chunks),
    options: WriteOptions = {},
  ): Promise<Written> {
    checkOptionNames(options, WRITE_OPTIONS)
    checkKey(key)
    const { ifAbsent = false, ifVersion, signal } = options
    const bytes = content instanceof Uint8Array ? content.slice() : await gather(content())
    signal?.throwIfAborted()
    const kept = this.#objects.get(key)
    if (ifAbsent && kept !== undefined) return { written: false }
    if (ifVersion !== undefined && kept?.version !== ifVersion) return { written: false }
    const version = String(++this.#writes)
    this.#objects.set(key, { bytes, version, modifiedMs: Date.now() })
    return { written: true, version }
  }

  async *list(options: ListOptions = {}): AsyncGenerator<StoredObject> {
    checkOptionNames(options, LIST_OPTIONS)
    const { prefix = '', after, signal } = options
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort(compareNames)
    for (const key of keys) {
      signal?.throwIfAborted()
      const kept = this.#objects.get(key)
      if (kept !== undefined && (after === undefined || compareNames(key, after) > 0))
        yield describe(key, kept)
    }
  }

  async remove(key: string, options: LookOptions = {}): Promise<void> {
    checkOptionNames(options, LOOK_OPTIONS)
    options.signal?.throwIfAborted()
    checkKey(key)
    this.#objects.delete(key)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#objects.clear()
  }
}

function describe(key: string, { bytes, version, modifiedMs }: Kept): StoredObject {
  return { key, size: bytes.length, version, modifiedMs }
}

async function gather(chunks: Chunks): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk.slice()
    parts.push(bytes)
    size += bytes.length
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
