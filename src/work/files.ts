/**
 * This is all that work knows of where files lie. Node's disk is one such place, an object store can be another, and tests keep files in memory:
 * nothing here has a descriptor or a mode, and whatever must survive a kill is written whole.
 *
 * Paths are texts as people give them; relative ones start at `base`. What a place refuses, it refuses with a `FileRefusal`; any other
 * error passes through as it is.
 */
import type { Chunks } from '../formats/chunk.js'

export interface FoundFile {
  readonly kind: 'file' | 'folder' | 'other'
  /** Counts bytes. */
  readonly size: number
  readonly mtimeMs: number
  /** Is the same for all ways to one file or folder, and for no other. */
  readonly id: string
}

export interface FolderEntry {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  /** Says that the true name is no text: this one only shows it, and leads nowhere. */
  readonly garbled?: true
}

/** Says of an input why it cannot be had. */
export interface Failure {
  readonly path: string
  readonly reason: string
}

/** Holds a file open, so that many of its parts can be read. */
export interface OpenedFile extends AsyncDisposable {
  /** Counts bytes. */
  readonly size: number
  /** Fills `into` from this byte on and tells how many bytes there were: fewer only where the file ends. */
  read(into: Uint8Array, offset: number): Promise<number>
}

export interface GrowingFile extends AsyncDisposable {
  /** Adds text at the end; it lies there, whole, when the promise resolves. Calls may overlap. */
  write(text: string): Promise<void>
  /** Resolves once what was written survives a power cut. */
  sync(): Promise<void>
}

/** Tells why a place does not take what is written; the message says which path, why, and what to do. */
export interface FileRefusal extends Error {
  readonly name: 'FileError'
  readonly code: FileRefusalCode
}

export type FileRefusalCode = 'disk-full' | 'not-writable' | 'name-too-long' | 'locked'

export interface OutputLock extends AsyncDisposable {
  /** Throws a `FileRefusal` `locked` where another process has the lock by now, as it may after a long sleep of this one. */
  assertHeld(): Promise<void>
}

export interface LockOptions {
  readonly signal?: AbortSignal
  /** Is told when it has to be found out whether a holder that cannot be looked at still lives, which takes a while. */
  readonly onWait?: (message: string) => void
}

export interface Files {
  /** Is where relative paths start, as people know it. */
  readonly base: string
  /** Stands between the names of a path that is put together here: `/`. */
  readonly separator: string
  /** Gives the one name of what a path leads to, but for links; an encoder of files is given this. */
  resolve(path: string): string

  /** Follows links. Gives null where nothing is there; throws where that cannot be known, with a message that says why. */
  look(path: string): Promise<FoundFile | null>
  /** Lists what lies right in a folder, in any order, links as links. */
  list(folder: string): Promise<readonly FolderEntry[]>
  /** Finds the files that match, in any order, and the folders that could not be looked through; gives null where the text is no pattern. */
  glob(
    pattern: string,
    options: { readonly signal?: AbortSignal },
  ): Promise<readonly (string | Failure)[] | null>

  /** Reads the whole text of a file; gives null where there is none. */
  readText(path: string): Promise<string | null>
  open(path: string): Promise<OpenedFile>

  /**
   * Writes a file that appears whole or not at all, and is safe from a power cut when the promise resolves. If anything fails, `chunks`
   * included, the old file stays. A link is followed, and what is no file is never replaced. Two writers of one path must keep each other out
   * by a lock.
   */
  write(path: string, chunks: Chunks): Promise<void>
  /** Opens a file to add to its end; it is made where it is absent. */
  append(path: string): Promise<GrowingFile>
  /** Replaces what is there. A folder takes all that is in it along, at once. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file, or a folder with all that is in it; what is absent is no error. */
  remove(path: string): Promise<void>
  /** Makes a folder and those around it; what is there is no error. A refusal names `path`, where that is given. */
  makeFolder(folder: string, path?: string): Promise<void>
  /** Keeps other processes from taking the lock of this path. What a killed process held is free again, whatever machine it ran on. */
  lock(path: string, options?: LockOptions): Promise<OutputLock>
}

/** Puts a name below a folder, whether or not the folder ends in a separator already. */
export function below({ separator }: Files, folder: string, name: string): string {
  return folder.endsWith('/') || folder.endsWith(separator) ? folder + name : folder + separator + name
}
