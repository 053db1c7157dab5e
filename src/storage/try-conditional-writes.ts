/**
 * Tries whether a place keeps two writers apart, since everything that several of them share rests on it: some servers let all of many writers through, or take no
 * notice of the condition, and none says so.
 */
import { checkOptionNames } from '../check-option-names.js'
import { LOOK_OPTIONS } from './call-options.js'
import type { LookOptions, Storage, Written } from './storage.js'
import { StorageError } from './storage-error.js'

const AT_ONCE = 20

/**
 * Writes a few objects under `conditional-writes/` and removes them again. Throws `StorageError` `refused` where a write that must be kept out is let through, or one that must be let
 * through is not; `not-writable`; and what the writes throw.
 */
export async function tryConditionalWrites(storage: Storage, options: LookOptions = {}): Promise<void> {
  checkOptionNames(options, LOOK_OPTIONS)
  const { signal } = options
  assertWritable(storage)
  const name = `conditional-writes/${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`
  const keys = [`${name}/twice`, `${name}/at-once`] as const
  try {
    const version = await tryTwice(storage, keys[0], signal)
    await tryManyOnAbsent(storage, keys[1], signal)
    await tryManyOnVersion(storage, keys[0], version, signal)
  } finally {
    // The trial's outcome counts, not what is left of it.
    for (const key of keys) await storage.remove(key, { signal }).catch(() => {})
  }
}

/** Asks nothing of the place. Throws `StorageError` `not-writable`. */
export function assertWritable({ isWritable, label }: Pick<Storage, 'isWritable' | 'label'>): void {
  if (isWritable) return
  throw new StorageError('not-writable', `${label} can only be read. Name a folder or a bucket.`)
}

async function tryTwice(storage: Storage, key: string, signal: AbortSignal | undefined): Promise<string> {
  const first = await storage.write(key, bytesFor('first'), { ifAbsent: true, signal })
  if (!first.written) throw unfit(storage, 'a write where nothing is was turned away')
  const second = await storage.write(key, bytesFor('second'), { ifAbsent: true, signal })
  if (second.written) throw unfit(storage, 'a write that wanted nothing there replaced what was there')
  await mustHold(storage, key, 'first', signal)
  const stale = await storage.write(key, bytesFor('stale'), { ifVersion: `${first.version}0`, signal })
  if (stale.written) throw unfit(storage, 'a write that wanted another version there replaced what was there')
  return first.version
}

async function tryManyOnAbsent(
  storage: Storage,
  key: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const writes = await writeAtOnce(storage, key, { ifAbsent: true, signal })
  await mustHold(storage, key, winnerOf(storage, writes, 'where nothing is'), signal)
}

async function tryManyOnVersion(
  storage: Storage,
  key: string,
  version: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const writes = await writeAtOnce(storage, key, { ifVersion: version, signal })
  await mustHold(storage, key, winnerOf(storage, writes, 'where one version is'), signal)
}

async function writeAtOnce(
  storage: Storage,
  key: string,
  options: Parameters<Storage['write']>[2],
): Promise<readonly Written[]> {
  const writers = Array.from({ length: AT_ONCE }, (_, i) => storage.write(key, bytesFor(String(i)), options))
  const settled = await Promise.allSettled(writers)
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}

function winnerOf(storage: Storage, writes: readonly Written[], where: string): string {
  const winners = writes.flatMap(({ written }, i) => (written ? [String(i)] : []))
  const [winner] = winners
  if (winners.length === 1 && winner !== undefined) return winner
  throw unfit(storage, `of ${AT_ONCE} writes at once ${where}, ${winners.length} were let through and not 1`)
}

async function mustHold(
  storage: Storage,
  key: string,
  text: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const found = await storage.read(key, { signal })
  if (found !== null && new TextDecoder().decode(found.bytes) === textFor(text)) return
  throw unfit(storage, 'what was written last is not what is read')
}

const textFor = (name: string) => `This was written to try conditional writes: ${name}.\n`
const bytesFor = (name: string) => new TextEncoder().encode(textFor(name))

function unfit({ label }: Storage, found: string): StorageError {
  return new StorageError(
    'refused',
    `${label} does not keep writers apart: ${found}. Several machines cannot share it. Choose a server that honours If-None-Match and If-Match ` +
      '(Amazon S3, versitygw, a recent MinIO or Ceph), or a folder that all machines see.',
  )
}
