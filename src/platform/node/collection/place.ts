/**
 * This is what a collection asks of where it lies, beside the table, which LanceDB keeps there itself: small files, logs, the file of vectors, the right to write, and
 * what readers hold. A folder is one such place, object storage the other.
 */
import type { Log, LogName } from '../../../collection/store.js'
import type { CollectionFile } from './collection-files.js'
import type { VectorBlock, VectorFile, VectorFileState } from './vector-file.js'

/** Says where LanceDB finds the tables. */
export interface LanceAddress {
  readonly uri: string
  /** Has what its client of object storage is told: endpoint, region, keys. */
  readonly storageOptions?: Record<string, string>
  /** Says when the keys end, in milliseconds since 1970; absent where they do not. */
  readonly expiresMs?: number | undefined
}

/** Is what a reader holds; null for what it has not said yet, so that all must stay. */
export interface HeldVersion {
  readonly table: string | null
  readonly version: number | null
}

/** Is the right to write, which one process has at a time. */
export interface WriteLock extends AsyncDisposable {
  /** Throws `FileError` `locked` where another process has it by now. */
  assertHeld(): Promise<void>
}

/** Keeps the files of a version while somebody reads it. */
export interface ReadLease extends AsyncDisposable {
  /** Says what is read. */
  hold(held: HeldVersion): Promise<void>
}

/** Says how the right to write is asked for. */
export interface LockOptions {
  /** Ends the waiting. */
  readonly signal?: AbortSignal
  /** Is told when it has to be found out whether another process that holds it still lives. */
  readonly onWait?: (message: string) => void
}

export interface CollectionPlace extends AsyncDisposable {
  /** Names it for people. */
  readonly label: string
  /** Says that each question takes long there. */
  readonly isFar: boolean
  /** Keeps what nobody is known to read for so long, since not every reader can say that it reads. */
  readonly keepsMs: number
  /** Gives where the tables lie, with keys that are good for some minutes at least. */
  address(): Promise<LanceAddress>
  /** Tells whether a collection lies there. */
  isThere(): Promise<boolean>
  /** Names the place of something that lies within. */
  within(name: string): string
  /** Makes room for a new collection. Throws `CollectionError` `exists` where anything lies there but a table of this name, which a kill has left. */
  begin(table: string): Promise<void>
  /** Throws `CollectionError` `not-found`, `damaged`. */
  readAbout(): Promise<CollectionFile>
  writeAbout(about: CollectionFile): Promise<void>
  /** Throws `FileError` `locked` while another process has the right to write. */
  lock(options: LockOptions): Promise<WriteLock>
  /** Gives null where nothing can be written. */
  lease(): Promise<ReadLease | null>
  /** Gives what readers hold. With `sure` it is found out which of them live, and what dead ones have left is cleared away; without, all that may live count. */
  held(sure: boolean): Promise<readonly HeldVersion[]>
  log(name: LogName): Log
  readFile(name: string): Promise<Uint8Array | null>
  writeFile(name: string, bytes: Uint8Array | null): Promise<void>
  /** Gives the file of vectors of this version, which the caller closes; null where there is none. */
  openVectors(state: VectorFileState, signal?: AbortSignal): Promise<VectorFile | null>
  writeVectors(
    state: VectorFileState,
    count: number,
    blocks: AsyncIterable<VectorBlock>,
    signal?: AbortSignal,
  ): Promise<void>
  /** Gives the file of vectors, where there is one, to another version whose rows have the very same embeddings. */
  carryVectors(state: VectorFileState, version: number): Promise<void>
  /** Says which files make up this version, for those who copy it. */
  publish(state: VectorFileState, fragments: number, signal?: AbortSignal): Promise<void>
  /** Removes what belongs to no version any more that is there or held. */
  clean(state: VectorFileState, held: readonly HeldVersion[]): Promise<void>
  /** Removes all that is the collection's, and names what else lies there and stays. A kill leaves what can be removed again. */
  remove(): Promise<readonly string[]>
  /** Gives the bytes by what they are for. */
  sizes(): Promise<Readonly<Record<string, number>>>
}
