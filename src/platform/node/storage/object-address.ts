/** Reads single objects by their addresses, for what takes a path: an image, a model. A bucket is opened once, with what the environment says of it. */
import { CheckpointError } from '../../../checkpoint/checkpoint-error.js'
import { tooLong } from '../../../image/decodable.js'
import { ImageError } from '../../../image/image-error.js'
import type { Storage } from '../../../storage/storage.js'
import { StorageError } from '../../../storage/storage-error.js'
import type { FetchImageOptions } from '../fetch-options.js'
import type { FileSource } from '../open-file.js'
import { lastNameOf, shownName } from './named-place.js'
import { OBJECT } from './object-path.js'
import { openStorage } from './open-storage.js'

const buckets = new Map<string, Promise<Storage>>()

/** What follows the bucket is the key as it is: nothing in it is encoded, and ? and # are letters. */
export async function openBucketOf(
  address: string,
): Promise<{ readonly storage: Storage; readonly key: string }> {
  const [, bucket = '', key = ''] = /^(\w+:\/\/[^/]*)\/?(.*)$/s.exec(address) ?? []
  let storage = buckets.get(bucket)
  if (storage === undefined) {
    storage = openStorage(bucket)
    buckets.set(bucket, storage)
    // What was wrong may be mended, as a variable of the environment.
    storage.catch(() => buckets.delete(bucket))
  }
  return { storage: await storage, key }
}

/** Gives the folder of a web server's file, and its name there. The query goes with each: it may be a signature. Throws `StorageError` `wrong-key` for the address of a folder. */
export async function openWebFolderOf(
  address: string,
): Promise<{ readonly storage: Storage; readonly key: string }> {
  const url = new URL(address)
  const { folder, name: key } = lastNameOf(url)
  if (key === '')
    throw new StorageError(
      'wrong-key',
      `${shownName(address)} names a folder of a web server, which does not tell what it has. Name a file in it.`,
    )
  url.pathname = folder
  url.hash = ''
  return { storage: await openStorage(url), key }
}

/** Throws `ImageError`: `refused`, `not-found`, `download-failed`, `too-large`; the signal's reason. */
export async function readObjectImage(address: string, options: FetchImageOptions): Promise<Uint8Array> {
  const { offline, maxFileBytes, fetchTimeoutMs, signal } = options
  if (offline)
    throw new ImageError(
      'refused',
      `${address} is not fetched, since \`offline\` is set. Give a file instead.`,
    )
  const timeout = AbortSignal.timeout(fetchTimeoutMs)
  const both = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  try {
    const { storage, key } = await openBucketOf(address)
    // One byte more tells that there are more.
    const found = await storage.read(key, { length: maxFileBytes + 1, signal: both })
    if (found === null)
      throw new ImageError('not-found', `${address} cannot be fetched: there is no such object.`)
    if (found.bytes.length > maxFileBytes) throw tooLong(address, maxFileBytes)
    return found.bytes
  } catch (cause) {
    signal?.throwIfAborted()
    if (timeout.aborted)
      throw new ImageError(
        'download-failed',
        `${address} took longer than ${fetchTimeoutMs} ms (fetchTimeoutMs, --fetch-timeout-ms). Try again, or fetch it in another way.`,
        { cause },
      )
    if (!(cause instanceof StorageError)) throw cause
    throw new ImageError(cause.code === 'refused' ? 'refused' : 'download-failed', cause.message, { cause })
  }
}

/** Opens an object, or a web server's file, to be read in ranges. All of them are of the version that is there now: where it changes, reading fails. Throws as `openFile`, and `StorageError`. */
export async function openObject(
  address: string,
  { signal }: { readonly signal?: AbortSignal },
): Promise<FileSource> {
  const { storage, key } = OBJECT.test(address) ? await openBucketOf(address) : await openWebFolderOf(address)
  const label = shownName(address)
  const found = await storage.look(key, { signal })
  if (found === null)
    throw new CheckpointError('not-found', `${label} cannot be opened: there is no such object`)
  const { size, version, modifiedMs } = found
  return {
    label,
    size,
    async read(offset, length) {
      const read = await storage.read(key, { offset, length, version, signal })
      if (read?.bytes.length === length) return read.bytes
      throw new CheckpointError(
        'truncated',
        `${label} ends before it should: it was replaced while it was read`,
      )
    },
    stamp: async () => {
      const now = await storage.look(key, { signal })
      return { text: `${label} ${now?.version} ${now?.size}`, changedMs: now?.modifiedMs ?? modifiedMs }
    },
    // A bucket stays open for what else is asked of it.
    [Symbol.asyncDispose]: async () => {
      if (!OBJECT.test(address)) await storage[Symbol.asyncDispose]()
    },
  }
}

/** Gives the bytes of a whole object, or undefined where there is none. Throws `StorageError`. */
export async function readObjectIfThere(address: string): Promise<Uint8Array | undefined> {
  const { storage, key } = await openBucketOf(address)
  return (await storage.read(key))?.bytes
}

/** Lists what lies below an address, with the version that tells each from what it may become. Throws `StorageError`; the signal's reason. */
export async function* listBelow(
  address: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly address: string; readonly version: string }> {
  const { storage, key } = await openBucketOf(address)
  for await (const object of storage.list({ prefix: key, signal }))
    yield { address: `${storage.label}/${object.key}`, version: object.version }
}
