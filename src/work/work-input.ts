/** Names what work can be given. */
import { sha256 } from '@noble/hashes/sha2.js'
import type { Failure } from './files.js'
import type { InputFile } from './look-at.js'

/** Is an image that has no file, as one that comes on standard input. */
export interface GivenImage {
  /** Stands in the output. */
  readonly path: string
  readonly bytes: Uint8Array
}

/** Is an image that is fetched when its turn comes. */
export interface ImageAddress {
  /** Stands in the output. */
  readonly path: string
  /** Is what is fetched: a `https:`, `http:` or `data:` address. */
  readonly address: string
}

/** Is a path, an image, its address, or what could not even be found: that fails like an image that cannot be read. */
export type WorkInput = string | GivenImage | ImageAddress | Failure

/** Gives the name by which an input stands in an output; null for one that can have no row there. */
export function nameOfInputOrNull(input: WorkInput): string | null {
  if (typeof input === 'string') return input
  return 'reason' in input ? null : input.path
}

/**
 * An image without a file has no time: a number made of its bytes tells whether it is still the same. What an address leads to is taken to stay the same,
 * since finding out would fetch it.
 */
export function fileOfGiven(input: GivenImage | ImageAddress): InputFile {
  const bytes = 'bytes' in input ? input.bytes : new TextEncoder().encode(input.address)
  const digest = sha256(bytes)
  const mtimeMs = new DataView(digest.buffer, digest.byteOffset).getUint32(0)
  return { path: input.path, size: bytes.length, mtimeMs }
}
