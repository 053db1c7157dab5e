/**
 * Keeps objects in a folder. A new object takes its name by a hard link, which only one of several writers gets, so that not even a process that is killed in between leaves half
 * of one; a version is the file's own identity, since each write makes a new file.
 */
import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkOptionNames } from '../../../check-option-names.js'
import type { Chunks } from '../../../formats/chunk.js'
import { LIST_OPTIONS, LOOK_OPTIONS, READ_OPTIONS, WRITE_OPTIONS } from '../../../storage/call-options.js'
import type {
  ListOptions,
  LookOptions,
  ReadOptions,
  Storage,
  StoredObject,
  WriteOptions,
  Written,
} from '../../../storage/storage.js'
import { checkKey, StorageError } from '../../../storage/storage-error.js'
import { explainWriteError, FileError } from '../files/file-error.js'
import { syncFolder } from '../files/write-whole.js'
import { listFolder } from './list-folder.js'

/** Holds what is being written, and locks. No key begins so, and no listing shows it. */
const UNFINISHED = '.plumage-unfinished'
/** So old, in milliseconds, what is being written was left by a process that died. */
const LEFT_MS = 24 * 3600_000

export interface FileStorageOptions {
  /** Is how long a write waits for another that looks at the same version, in milliseconds. */
  readonly patienceMs: number
}

export class FileStorage implements Storage {
  readonly label: string
  readonly isWritable = true
  readonly #root: string
  readonly #patienceMs: number
  /** Holds, by key, the last of this process's writes that look at a version. */
  readonly #turns = new Map<string, Promise<unknown>>()
  #isReady = false

  constructor(folder: string, { patienceMs }: FileStorageOptions) {
    this.#root = resolve(folder)
    this.label = folder
    this.#patienceMs = patienceMs
  }

  async look(key: string, options: LookOptions = {}): Promise<StoredObject | null> {
    checkOptionNames(options, LOOK_OPTIONS)
    options.signal?.throwIfAborted()
    const path = await this.#pathIfInside(key)
    if (path === null) return null
    const stats = await stat(path, { bigint: true }).catch((error) => nullIfAbsent(error, path))
    if (stats === null || !stats.isFile()) return null
    return { key, size: Number(stats.size), version: versionOf(stats), modifiedMs: Number(stats.mtimeMs) }
  }

  async read(key: string, options: ReadOptions = {}): Promise<{ bytes: Uint8Array; version: string } | null> {
    checkOptionNames(options, READ_OPTIONS)
    const { offset = 0, length = Number.POSITIVE_INFINITY, version: wanted, signal } = options
    signal?.throwIfAborted()
    const path = await this.#pathIfInside(key)
    const handle = path === null ? null : await openFile(path)
    if (handle === null) return null
    try {
      const stats = await handle.stat({ bigint: true })
      if (!stats.isFile()) return null
      const version = versionOf(stats)
      if (wanted !== undefined && wanted !== version)
        throw new StorageError(
          'changed',
          `${this.label}/${key} has changed while it was read. Read it again.`,
        )
      const end = Math.min(offset + length, Number(stats.size))
      // A file is never written into once it has its name, so that all that is read is of one version.
      return {
        bytes: await readAll(handle, offset, Math.max(0, end - offset), `${this.label}/${key}`, signal),
        version,
      }
    } finally {
      await handle.close()
    }
  }

  async write(
    key: string,
    content: Uint8Array | (() => Chunks),
    options: WriteOptions = {},
  ): Promise<Written> {
    checkOptionNames(options, WRITE_OPTIONS)
    const path = this.#pathOf(key)
    const { ifAbsent = false, ifVersion, signal } = options
    signal?.throwIfAborted()
    try {
      await this.#makeReady()
      const temporary = join(this.#root, UNFINISHED, randomUUID())
      try {
        const version = await writeAnew(
          temporary,
          content instanceof Uint8Array ? [content] : content(),
          signal,
        )
        await mkdir(dirname(path), { recursive: true })
        await this.#refuseOutside(dirname(path), key)
        const written = ifAbsent
          ? await takeName(temporary, path)
          : ifVersion === undefined
            ? await replace(temporary, path)
            : await this.#replaceVersion(temporary, path, key, ifVersion, signal)
        if (written) await syncFolder(dirname(path))
        return written ? { written, version } : { written }
      } finally {
        await rm(temporary, { force: true })
      }
    } catch (error) {
      throw asStorageError(error, `${this.label}/${key}`)
    }
  }

  async *list(options: ListOptions = {}): AsyncGenerator<StoredObject> {
    checkOptionNames(options, LIST_OPTIONS)
    const { prefix = '', after, signal } = options
    for await (const { key, path } of listFolder(this.#root, { prefix, after, hidden: UNFINISHED })) {
      signal?.throwIfAborted()
      const stats = await stat(path, { bigint: true }).catch((error) => nullIfAbsent(error, path))
      if (stats?.isFile() && (await this.#isInside(path)))
        yield { key, size: Number(stats.size), version: versionOf(stats), modifiedMs: Number(stats.mtimeMs) }
    }
  }

  async remove(key: string, options: LookOptions = {}): Promise<void> {
    checkOptionNames(options, LOOK_OPTIONS)
    options.signal?.throwIfAborted()
    try {
      const path = await this.#pathIfInside(key)
      if (path !== null) await rm(path, { force: true })
    } catch (error) {
      throw asStorageError(error, `${this.label}/${key}`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #pathOf(key: string): string {
    checkKey(key)
    if (key === UNFINISHED || key.startsWith(`${UNFINISHED}/`))
      throw new StorageError(
        'wrong-key',
        `${key} begins with ${UNFINISHED}, which is kept for what is being written. Choose another name.`,
      )
    return join(this.#root, ...key.split('/'))
  }

  /** Gives null where nothing is there. Throws `StorageError` `refused` where a link leads out of the folder. */
  async #pathIfInside(key: string): Promise<string | null> {
    const path = this.#pathOf(key)
    const real = await realpath(path).catch((error) => nullIfAbsent(error, path))
    if (real === null) return null
    await this.#refuseOutside(path, key)
    return path
  }

  async #refuseOutside(path: string, key: string): Promise<void> {
    if (await this.#isInside(path)) return
    throw new StorageError(
      'refused',
      `${this.label}/${key} leads out of ${this.label} by a link, which is not followed. Name the folder that it leads to.`,
    )
  }

  async #isInside(path: string): Promise<boolean> {
    const [root, real] = await Promise.all([realpath(this.#root), realpath(path)])
    return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)
  }

  async #makeReady(): Promise<void> {
    if (this.#isReady) return
    const folder = join(this.#root, UNFINISHED)
    await mkdir(folder, { recursive: true })
    this.#isReady = true
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      const stats = await lstat(path).catch(() => null)
      if (stats?.isFile() && Date.now() - stats.mtimeMs > LEFT_MS)
        await rm(path, { force: true }).catch(() => {})
    }
  }

  /** Looking and replacing are one act: for this process by turns, for others by a lock that is free again when its holder has died. */
  async #replaceVersion(
    temporary: string,
    path: string,
    key: string,
    version: string,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const before = this.#turns.get(key) ?? Promise.resolve()
    const turn = before
      .catch(() => {})
      .then(() =>
        this.#underLock(key, signal, async (assertHeld) => {
          const stats = await stat(path, { bigint: true }).catch((error) => nullIfAbsent(error, path))
          if (stats === null || versionOf(stats) !== version) return false
          await assertHeld()
          return await replace(temporary, path)
        }),
      )
    this.#turns.set(key, turn)
    try {
      return await turn
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key)
    }
  }

  async #underLock<Result>(
    key: string,
    signal: AbortSignal | undefined,
    act: (assertHeld: () => Promise<void>) => Promise<Result>,
  ): Promise<Result> {
    // The library behind it changes Node's own file functions when it is loaded: only those who compare versions need it.
    const { lockOutput } = await import('../files/output-lock.js')
    const name = createHash('sha256').update(key).digest('hex').slice(0, 32)
    const start = performance.now()
    for (;;) {
      signal?.throwIfAborted()
      try {
        await using lock = await lockOutput(
          join(this.#root, UNFINISHED, name),
          signal === undefined ? {} : { signal },
        )
        return await act(() => lock.assertHeld())
      } catch (error) {
        if (!(error instanceof FileError) || error.code !== 'locked') throw error
        if (performance.now() - start > this.#patienceMs)
          throw new StorageError('unavailable', `${this.label}/${key} cannot be written: ${error.message}`, {
            cause: error,
          })
        await sleep(5 + Math.random() * 20)
      }
    }
  }
}

/** Each write makes a new file, with a time of its own: a number that the system uses again does not come back at the same microsecond. */
function versionOf({ ino, size, mtimeNs }: { ino: bigint; size: bigint; mtimeNs: bigint }): string {
  return `${ino.toString(36)}-${size.toString(36)}-${mtimeNs.toString(36)}`
}

async function writeAnew(path: string, chunks: Chunks, signal: AbortSignal | undefined): Promise<string> {
  const handle = await open(path, 'wx')
  try {
    for await (const chunk of chunks) {
      signal?.throwIfAborted()
      await handle.writeFile(chunk)
    }
    // The system's own times are coarse, those of two quick writes the same.
    const now = (performance.timeOrigin + performance.now()) / 1000
    await handle.utimes(now, now)
    await handle.sync()
    return versionOf(await handle.stat({ bigint: true }))
  } finally {
    await handle.close()
  }
}

async function takeName(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function replace(temporary: string, path: string): Promise<boolean> {
  await rename(temporary, path)
  return true
}

async function openFile(path: string): Promise<FileHandle | null> {
  // A pipe would wait for its other end.
  return await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error) =>
    nullIfAbsent(error, path),
  )
}

async function readAll(
  handle: FileHandle,
  offset: number,
  length: number,
  label: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let filled = 0; filled < length; ) {
    signal?.throwIfAborted()
    const { bytesRead } = await handle.read(
      bytes,
      filled,
      Math.min(length - filled, 2 ** 26),
      offset + filled,
    )
    if (bytesRead === 0)
      throw new StorageError(
        'too-short',
        `${label} ends ${length - filled} bytes before it should: something cut it while it was read.`,
      )
    filled += bytesRead
  }
  return bytes
}

function nullIfAbsent(error: NodeJS.ErrnoException, path: string): null {
  // A part of the path may be a file, and a name longer than any.
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG') return null
  throw new StorageError('refused', `${path} cannot be looked at: ${error.message}. Look after its rights.`, {
    cause: error,
  })
}

const CODES = {
  'disk-full': 'disk-full',
  'not-writable': 'refused',
  'name-too-long': 'wrong-key',
  locked: 'unavailable',
  exists: 'refused',
} as const

function asStorageError(error: unknown, label: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP')
    return new StorageError(
      'refused',
      `${label} could not be written: the file system makes no hard link there. Choose a folder on another.`,
      { cause: error },
    )
  const explained = explainWriteError(error, label)
  return explained instanceof FileError
    ? new StorageError(CODES[explained.code], explained.message, { cause: error })
    : explained
}
