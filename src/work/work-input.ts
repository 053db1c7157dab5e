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

/** Is a path, an image, or what could not even be found: that fails like an image that cannot be read. */
export type WorkInput = string | GivenImage | Failure

/** Gives the name by which an input stands in an output; null for one that can have no row there. */
export function nameOfInputOrNull(input: WorkInput): string | null {
  if (typeof input === 'string') return input
  return 'bytes' in input ? input.path : null
}

/** An image without a file has no time: a number made of its bytes tells whether it is still the same. */
export function fileOfGiven({ path, bytes }: GivenImage): InputFile {
  const digest = sha256(bytes)
  return { path, size: bytes.length, mtimeMs: new DataView(digest.buffer, digest.byteOffset).getUint32(0) }
}
