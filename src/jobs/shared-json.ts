/** Reads and changes small objects of JSON that several machines share: a change is made on what was read, and made again where another came between. */
import { isRecord, type PlainRecord, parseJsonOrNull } from '../plain-value.js'
import type { Storage, Version } from '../storage/storage.js'
import { JobError } from './job-error.js'

/** Is what lies there, and its version; null where nothing does. */
export interface Shared {
  readonly value: PlainRecord
  readonly version: Version
}

interface Asking {
  readonly signal?: AbortSignal | undefined
}

/** Throws `JobError` `damaged` for what is no JSON object; what the storage throws. */
export async function readShared(
  storage: Storage,
  key: string,
  { signal }: Asking = {},
): Promise<Shared | null> {
  const found = await storage.read(key, { signal })
  if (found === null) return null
  const value = parseJsonOrNull(new TextDecoder().decode(found.bytes))
  if (isRecord(value)) return { value, version: found.version }
  throw new JobError('damaged', `${storage.label}/${key} is no JSON object, which a job writes there.`)
}

/** Writes where nothing is, or where this version is. Gives what is there then; null where its condition did not hold. */
export async function writeShared(
  storage: Storage,
  key: string,
  value: object,
  before: Shared | null,
  { signal }: Asking = {},
): Promise<Shared | null> {
  const condition = before === null ? { ifAbsent: true } : { ifVersion: before.version }
  const found = await storage.write(key, jsonBytes(value), { ...condition, signal })
  return found.written ? { value: value as PlainRecord, version: found.version } : null
}

/** Changes what lies there until nobody came between; `change` gives null to leave it. */
export async function changeShared(
  storage: Storage,
  key: string,
  change: (value: PlainRecord | null) => object | null,
  options: Asking = {},
): Promise<void> {
  for (;;) {
    options.signal?.throwIfAborted()
    const before = await readShared(storage, key, options)
    const value = change(before?.value ?? null)
    if (value === null || (await writeShared(storage, key, value, before, options)) !== null) return
  }
}

export function jsonBytes(value: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`)
}
