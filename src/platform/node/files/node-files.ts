/** Offers the disk as far as work on many files needs it: as `Files` of the room `work` asks. */
import { mkdir, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { explainWriteError } from './file-error.js'
import { GrowingNodeFile } from './growing-file.js'
import { writeWhole } from './write-whole.js'

type Kind = 'file' | 'folder' | 'other'

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

  async look(path: string): Promise<{ kind: Kind; size: number; mtimeMs: number } | null> {
    try {
      const found = await stat(this.resolve(path))
      return { kind: kindOf(found), size: found.size, mtimeMs: found.mtimeMs }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (isAbsent(code)) return null
      throw code === 'EACCES' ? new Error('you have no right to read it', { cause: error }) : error
    }
  }

  async list(folder: string): Promise<{ name: string; kind: Kind | 'link' }[]> {
    const entries = await readdir(this.resolve(folder), { withFileTypes: true })
    return entries.map((entry) => ({
      name: entry.name,
      kind: entry.isSymbolicLink() ? 'link' : kindOf(entry),
    }))
  }

  realPath(path: string): Promise<string> {
    return realpath(this.resolve(path))
  }

  async glob(pattern: string, { signal }: { readonly signal?: AbortSignal }): Promise<string[] | null> {
    const { glob, isDynamicPattern } = await import('tinyglobby')
    if (!isDynamicPattern(pattern)) return null
    return glob(pattern, {
      cwd: this.base,
      expandDirectories: false,
      ...(signal === undefined ? {} : { signal }),
    })
  }

  async readText(path: string): Promise<string | null> {
    try {
      return await readFile(this.resolve(path), 'utf8')
    } catch (error) {
      if (isAbsent((error as NodeJS.ErrnoException).code)) return null
      throw error
    }
  }

  async open(path: string) {
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

  append(path: string): Promise<GrowingNodeFile> {
    return GrowingNodeFile.open(this.resolve(path))
  }

  async rename(from: string, to: string): Promise<void> {
    await explained(to, rename(this.resolve(from), this.resolve(to)))
  }

  async remove(path: string): Promise<void> {
    await explained(path, rm(this.resolve(path), { recursive: true, force: true }))
  }

  async makeFolder(folder: string, path = folder): Promise<void> {
    await explained(path, mkdir(this.resolve(folder), { recursive: true }))
  }

  async lock(path: string): Promise<AsyncDisposable> {
    // The library behind it changes Node's own file functions when it is loaded: only those who write need it.
    const { lockOutput } = await import('./output-lock.js')
    return lockOutput(this.resolve(path))
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

/** A path through a file, as if that were a folder, leads to nothing either. */
function isAbsent(code: string | undefined): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR'
}
