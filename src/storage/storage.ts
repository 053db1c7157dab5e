/**
 * This is all that Plumage asks of a place that keeps whole objects under keys: a folder, a bucket, the memory of a test. Nothing here can be appended to, renamed or
 * locked, since object stores can do none of it: what several writers share is decided by a write that only one of them can win.
 */
import type { Chunks } from '../formats/chunk.js'

/** Says which version of an object is meant. It is opaque: it changes with each write of other bytes (in a bucket it is the ETag, which the same bytes have again), and means nothing to anyone but the place that gave it. */
export type Version = string

/** Describes an object without its bytes. */
export interface StoredObject {
  /** Names it below the place: names with `/` between them, none of them empty, `.` or `..`. */
  readonly key: string
  /** Counts bytes. */
  readonly size: number
  /** Is the version that is there. */
  readonly version: Version
  /** Is when it was written, in milliseconds since 1970, by the clock of the place. */
  readonly modifiedMs: number
}

/** Says how an object is looked at or removed. */
export interface LookOptions {
  /** Ends it, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Says what is read of an object. */
export interface ReadOptions {
  /** Is the first byte wanted; default 0. */
  readonly offset?: number
  /** Counts the bytes wanted; fewer come only where the object ends. Default: all from `offset` on. */
  readonly length?: number
  /** Wants this version and no other: where another is there, `StorageError` `changed` is thrown. */
  readonly version?: Version
  /** Ends the reading, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Says on what condition an object is written. */
export interface WriteOptions {
  /** Writes only where nothing is there. */
  readonly ifAbsent?: boolean
  /** Writes only where this version is there. */
  readonly ifVersion?: Version
  /** Ends the writing, which then rejects with the signal's reason; the old object stays, or the new one is there whole. */
  readonly signal?: AbortSignal | undefined
}

/** Says what became of a write: it is there under this version, or its condition did not hold and nothing has changed. */
export type Written =
  | {
      readonly written: true
      /** Is the version that was written. */
      readonly version: Version
    }
  | { readonly written: false }

/** Says what is listed. */
export interface ListOptions {
  /** Lists keys that begin so; default: all. */
  readonly prefix?: string
  /** Lists keys after this one, in the order of their UTF-8 bytes. */
  readonly after?: string
  /** Ends the listing, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Keeps objects. Every call tries again by itself what may pass, for as long as it was told to, and then throws `StorageError`. An object appears whole or not at
 * all, and is there for every reader once its write has resolved.
 */
export interface Storage extends AsyncDisposable {
  /** Names the place for people, without a secret: `s3://bucket/prefix`, `/data/jobs`. */
  readonly label: string
  /** Says whether anything can be written: a web server's files can only be read. */
  readonly isWritable: boolean
  /** Describes an object; null where there is none. Throws `StorageError`. */
  look(key: string, options?: LookOptions): Promise<StoredObject | null>
  /** Reads an object, or a part of it, into memory; null where there is none. Throws `StorageError`, and `too-short` where fewer bytes come than were promised. */
  read(
    key: string,
    options?: ReadOptions,
  ): Promise<{ readonly bytes: Uint8Array; readonly version: Version } | null>
  /**
   * Writes an object whole. Where it cannot be known whether a conditional write took effect, it is found out by reading back. Chunks may be read again from the
   * start when a try fails, so they are given as bytes or as a function. Throws `StorageError`.
   */
  write(key: string, content: Uint8Array | (() => Chunks), options?: WriteOptions): Promise<Written>
  /** Lists objects in the order of their keys' UTF-8 bytes. Nothing may be decided by what a listing lacks. Throws `StorageError`. */
  list(options?: ListOptions): AsyncIterable<StoredObject>
  /** Removes an object; what is absent is no error. Throws `StorageError`. */
  remove(key: string, options?: LookOptions): Promise<void>
}
