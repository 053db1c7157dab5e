/**
 * Keeps files in memory, for tests of what is written to files: it is a disk that many processes use one after the other, each of which can be killed
 * at any step. A kill leaves what it leaves on a real disk: half of a temporary file, half of a line, half of a folder that was being removed.
 */
import type { Chunks } from '../../src/formats/chunk.js'
import { FileError } from '../../src/platform/node/files/file-error.js'
import type {
  Files,
  FolderEntry,
  FoundFile,
  GrowingFile,
  OpenedFile,
  OutputLock,
} from '../../src/work/files.js'

interface Stored {
  readonly bytes: Uint8Array
  readonly mtimeMs: number
}

/** A killed process never answers again: every promise of its files is rejected with this. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

export class MemoryDisk {
  readonly stored = new Map<string, Stored>()
  readonly folders = new Set<string>(['/'])
  /** Says who holds which lock. */
  readonly locks = new Map<string, MemoryFiles>()
  /** From now on nothing more fits. */
  full = false
  /** These files and folders may not be read: the disk refuses them as a system does. */
  readonly forbidden = new Set<string>()

  put(path: string, content: string | Uint8Array, mtimeMs = 0): void {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
    this.stored.set(path, { bytes: bytes.slice(), mtimeMs })
    for (const folder of foldersAround(path)) this.folders.add(folder)
  }

  text(path: string): string {
    const found = this.stored.get(path)
    if (found === undefined) throw new Error(`there is no file ${path} in memory`)
    return new TextDecoder().decode(found.bytes)
  }

  /** Lists the paths of all files below a folder, sorted. */
  paths(folder = '/'): readonly string[] {
    return [...this.stored.keys()].filter((path) => isBelow(path, folder)).sort()
  }
}

export class MemoryFiles implements Files {
  readonly base: string
  readonly separator = '/'
  readonly #disk: MemoryDisk
  #stepsLeft: number
  #opened = 0
  /** Counts the most files that were open at one time. */
  mostOpened = 0

  /** @param steps how many changes the process makes before it is killed in the middle of the next */
  constructor(disk: MemoryDisk, { base = '/', steps = Number.POSITIVE_INFINITY } = {}) {
    this.#disk = disk
    this.base = base
    this.#stepsLeft = steps
  }

  get isKilled(): boolean {
    return this.#stepsLeft < 0
  }

  resolve(path: string): string {
    const parts: string[] = []
    for (const part of (path.startsWith('/') ? path : `${this.base}/${path}`).split('/')) {
      if (part === '..') parts.pop()
      else if (part !== '' && part !== '.') parts.push(part)
    }
    return `/${parts.join('/')}`
  }

  async look(path: string): Promise<FoundFile | null> {
    this.#live()
    const full = this.resolve(path)
    if (this.#disk.folders.has(full)) return { kind: 'folder', size: 0, mtimeMs: 0, id: full }
    const found = this.#disk.stored.get(full)
    if (found === undefined) return null
    return { kind: 'file', size: found.bytes.length, mtimeMs: found.mtimeMs, id: full }
  }

  async list(folder: string): Promise<readonly FolderEntry[]> {
    const full = this.#readable(folder)
    if (!this.#disk.folders.has(full)) throw Object.assign(new Error(`no folder ${full}`), { code: 'ENOENT' })
    const inside = (path: string) => foldersAround(path)[0] === full && path !== '/'
    const name = (path: string) => path.slice(path.lastIndexOf('/') + 1)
    return [
      ...[...this.#disk.folders]
        .filter(inside)
        .map((path) => ({ name: name(path), kind: 'folder' as const })),
      ...this.#disk
        .paths()
        .filter(inside)
        .map((path) => ({ name: name(path), kind: 'file' as const })),
    ]
  }

  async glob(pattern: string): Promise<readonly string[] | null> {
    this.#live()
    if (!pattern.includes('*')) return null
    const literal = (text: string) => text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&')
    const matches = new RegExp(`^${this.resolve(pattern).split('*').map(literal).join('[^/]*')}$`)
    const found = this.#disk.paths().filter((path) => matches.test(path))
    return pattern.startsWith('/') ? found : found.map((path) => path.slice(this.resolve('').length + 1))
  }

  async readText(path: string): Promise<string | null> {
    const full = this.#readable(path)
    return this.#disk.stored.has(full) ? this.#disk.text(full) : null
  }

  async open(path: string): Promise<OpenedFile> {
    const found = this.#disk.stored.get(this.#readable(path))
    if (found === undefined) throw new Error(`there is no file ${path}`)
    this.mostOpened = Math.max(this.mostOpened, ++this.#opened)
    return {
      size: found.bytes.length,
      read: async (into, offset) => {
        this.#live()
        const part = found.bytes.subarray(offset, offset + into.length)
        into.set(part)
        return part.length
      },
      [Symbol.asyncDispose]: async () => {
        this.#opened--
      },
    }
  }

  async write(path: string, chunks: Chunks): Promise<void> {
    const full = this.resolve(path)
    const bytes: number[] = []
    for await (const chunk of chunks) {
      this.#live()
      // It is copied at once: the next chunk may use the same memory.
      for (const byte of typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk) bytes.push(byte)
    }
    this.#room(full)
    const temporary = `${full}.tmp`
    this.#step(() => this.#disk.put(temporary, Uint8Array.from(bytes.slice(0, bytes.length / 2))))
    this.#disk.put(temporary, Uint8Array.from(bytes))
    await this.rename(temporary, full)
  }

  async append(path: string): Promise<GrowingFile> {
    const full = this.resolve(path)
    this.#room(full)
    if (!this.#disk.stored.has(full)) {
      this.#step(() => {})
      this.#disk.put(full, '')
    }
    return {
      write: async (text) => {
        this.#room(full)
        const before = this.#disk.text(full)
        this.#step(() => this.#disk.put(full, before + text.slice(0, text.length / 2)))
        this.#disk.put(full, before + text)
      },
      sync: async () => this.#live(),
      [Symbol.asyncDispose]: async () => {},
    }
  }

  async rename(from: string, to: string): Promise<void> {
    const [source, target] = [this.resolve(from), this.resolve(to)]
    this.#step(() => {})
    const moved = (path: string) => target + path.slice(source.length)
    for (const path of this.#below(source)) {
      const file = this.#disk.stored.get(path)
      if (file !== undefined) this.#disk.put(moved(path), file.bytes, file.mtimeMs)
      this.#disk.stored.delete(path)
    }
    for (const folder of [...this.#disk.folders].filter((path) => path === source || isBelow(path, source))) {
      this.#disk.folders.delete(folder)
      this.#disk.folders.add(moved(folder))
    }
  }

  async remove(path: string): Promise<void> {
    const full = this.resolve(path)
    const doomed = this.#below(full)
    this.#step(() => {
      for (const each of doomed.slice(0, doomed.length / 2)) this.#disk.stored.delete(each)
    })
    for (const each of doomed) this.#disk.stored.delete(each)
    for (const folder of [...this.#disk.folders]) {
      if (folder === full || isBelow(folder, full)) this.#disk.folders.delete(folder)
    }
  }

  async makeFolder(folder: string, path = folder): Promise<void> {
    this.#live()
    const full = this.resolve(folder)
    const around = [full, ...foldersAround(full)]
    if (around.some((each) => this.#disk.stored.has(each))) throw notWritable(path)
    for (const each of around) this.#disk.folders.add(each)
  }

  async lock(path: string): Promise<OutputLock> {
    this.#live()
    const full = this.resolve(path)
    const holder = this.#disk.locks.get(full)
    if (holder !== undefined && !holder.isKilled)
      throw new FileError('locked', `${path} is being written by another process.`)
    this.#disk.locks.set(full, this)
    return {
      assertHeld: async () => {
        this.#live()
        if (this.#disk.locks.get(full) !== this)
          throw new FileError('locked', `${path} was taken by another process.`)
      },
      [Symbol.asyncDispose]: async () => {
        if (this.#disk.locks.get(full) === this) this.#disk.locks.delete(full)
      },
    }
  }

  #below(path: string): readonly string[] {
    return this.#disk.stored.has(path) ? [path] : this.#disk.paths(path)
  }

  #readable(path: string): string {
    this.#live()
    const full = this.resolve(path)
    if (!this.#disk.forbidden.has(full)) return full
    throw Object.assign(new Error(`EACCES: permission denied, '${full}'`), { code: 'EACCES' })
  }

  #live(): void {
    if (this.isKilled) throw new Killed('this process was killed')
  }

  /** Counts a change; if it is the last one, only `half` of it happens. */
  #step(half: () => void): void {
    this.#live()
    this.#stepsLeft--
    if (!this.isKilled) return
    half()
    throw new Killed('this process was killed')
  }

  #room(path: string): void {
    this.#live()
    if (!this.#disk.folders.has(foldersAround(path)[0] ?? '/')) throw notWritable(path)
    if (this.#disk.full) throw new FileError('disk-full', `${path} could not be written: the disk is full.`)
  }
}

function notWritable(path: string): FileError {
  return new FileError('not-writable', `${path} could not be written. Choose another place.`)
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}

/** `/a/b/c` -> `/a/b`, `/a`, `/`. */
function foldersAround(path: string): readonly string[] {
  const parts = path.split('/').slice(1, -1)
  return [...parts.keys()].map((index) => `/${parts.slice(0, parts.length - index).join('/')}`).concat('/')
}
