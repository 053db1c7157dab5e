/** Offers the disk as far as work on many files needs it: as `Files` of the room `work` asks. */
import { isUtf8 } from 'node:buffer'
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import type { GrowingFile, OpenedFile, OutputLock } from '../../../work/files.js'
import { explainWriteError } from './file-error.js'
import type { UnreadFolder } from './find-matches.js'
import { GrowingNodeFile } from './growing-file.js'
import { isAbsent, unseen } from './look-error.js'
import { makeFolder } from './make-folder.js'
import type { LockOptions } from './output-lock.js'
import { replaceableFile } from './output-target.js'
import { writeWhole } from './write-whole.js'

type Kind = 'file' | 'folder' | 'other'

interface Found {
  readonly kind: Kind
  readonly size: number
  readonly mtimeMs: number
  readonly id: string
}

interface Entry {
  readonly name: string
  readonly kind: Kind | 'link'
  readonly garbled?: true
}

/** Reads and writes files on this machine's disks; relative paths start at `base`. */
export class NodeFiles {
  readonly base: string
  readonly separator = sep

  constructor(base: string) {
    this.base = base
  }

  resolve(path: string): string {
    return resolve(this.base, path)
  }

  async look(path: string): Promise<Found | null> {
    try {
      // Some file systems number their files beyond what a double can hold.
      const found = await stat(this.resolve(path), { bigint: true })
      return {
        kind: kindOf(found),
        size: Number(found.size),
        mtimeMs: Number(found.mtimeNs) / 1e6,
        id: `${found.dev}:${found.ino}`,
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (isAbsent(code)) return null
      throw unseen(error)
    }
  }

  async list(folder: string): Promise<Entry[]> {
    try {
      const entries = await readdir(this.resolve(folder), { withFileTypes: true, encoding: 'buffer' })
      return entries.map((entry) => ({
        ...nameOf(entry.name),
        kind: entry.isSymbolicLink() ? 'link' : kindOf(entry),
      }))
    } catch (error) {
      throw unseen(error)
    }
  }

  async glob(
    pattern: string,
    { signal }: { readonly signal?: AbortSignal },
  ): Promise<readonly (string | UnreadFolder)[] | null> {
    const { findMatchesOrNull } = await import('./find-matches.js')
    return findMatchesOrNull(pattern, this.base, signal)
  }

  async readText(path: string): Promise<string | null> {
    try {
      return await readFile(this.resolve(path), 'utf8')
    } catch (error) {
      if (isAbsent((error as NodeJS.ErrnoException).code)) return null
      throw error
    }
  }

  async open(path: string): Promise<OpenedFile> {
    const handle = await open(this.resolve(path), 'r')
    try {
      const { size } = await handle.stat()
      return {
        size,
        read: async (into: Uint8Array, offset: number) =>
          (await handle.read(into, 0, into.length, offset)).bytesRead,
        [Symbol.asyncDispose]: () => handle.close(),
      }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  write(
    path: string,
    chunks: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  ): Promise<void> {
    return writeWhole(this.resolve(path), chunks)
  }

  append(path: string): Promise<GrowingFile> {
    return GrowingNodeFile.open(this.resolve(path))
  }

  async rename(from: string, to: string): Promise<void> {
    const source = this.resolve(from)
    const isFolder = await stat(source).then(
      (found) => found.isDirectory(),
      () => false,
    )
    const target = isFolder ? this.resolve(to) : (await replaceableFile(this.resolve(to))).path
    await explained(to, rename(source, target))
  }

  async remove(path: string): Promise<void> {
    await explained(path, rm(this.resolve(path), { recursive: true, force: true }))
  }

  async makeFolder(folder: string, path = folder): Promise<void> {
    await explained(path, makeFolder(this.resolve(folder)))
  }

  async lock(path: string, options: LockOptions = {}): Promise<OutputLock> {
    // The library behind it changes Node's own file functions when it is loaded: only those who write need it.
    const { lockOutput } = await import('./output-lock.js')
    return lockOutput(this.resolve(path), options)
  }
}

async function explained<Result>(path: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    throw explainWriteError(error, path)
  }
}

function kindOf(entry: { isFile(): boolean; isDirectory(): boolean }): Kind {
  if (entry.isDirectory()) return 'folder'
  return entry.isFile() ? 'file' : 'other'
}

/** A name whose bytes are no UTF-8 is no text: it is shown with the odd ones as \xff, and leads nowhere. */
function nameOf(bytes: Buffer): { readonly name: string; readonly garbled?: true } {
  if (isUtf8(bytes)) return { name: bytes.toString('utf8') }
  const shown = [...bytes].map((byte) =>
    byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`,
  )
  return { name: shown.join(''), garbled: true }
}
