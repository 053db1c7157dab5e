/** Names what work can be given. */
import { sha256 } from '@noble/hashes/sha2.js'
import type { PixelImage } from '../image/given-pixels.js'
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
  /** Is what is fetched: a `https:`, `http:`, `s3:` or `data:` address. */
  readonly address: string
  /** Tells what is there from what it may become, where that is known without fetching it. */
  readonly version?: string
}

/** Is an image of a film, at its time. */
export interface FilmFrame {
  /** Is the time in seconds, as it stands in the frame's name: `12.500`. */
  readonly time: string
  readonly image: PixelImage
}

/** Is a film: each frame that is taken of it is an image with a row of its own, and which there are is found while it is read. */
export interface Film {
  /** Leads to the file, and stands in the name of each frame. */
  readonly path: string
  /** Says which frames are taken, as `every 1 s`: with another choice it is another input. */
  readonly choice: string
  /**
   * Gives the frames in the order of their times; throws where the film gives none. Nothing of it is left when it has ended.
   *
   * @param after is the time of a frame: those before it need not come, and do only where it is not found again
   */
  frames(signal: AbortSignal | undefined, after?: string): AsyncIterable<FilmFrame>
}

/** Is a path, an image, its address, a film, or what could not even be found: that fails like an image that cannot be read. */
export type WorkInput = string | GivenImage | ImageAddress | Film | Failure

export function isFilm(input: WorkInput): input is Film {
  return typeof input !== 'string' && 'frames' in input
}

/** Counts the images that there will be; undefined where it is not known yet, as of a film. */
export function totalOf(inputs: readonly WorkInput[] | AsyncIterable<WorkInput>): number | undefined {
  return isList(inputs) && !inputs.some(isFilm) ? inputs.length : undefined
}

function isList(inputs: readonly WorkInput[] | AsyncIterable<WorkInput>): inputs is readonly WorkInput[] {
  return Array.isArray(inputs)
}

/** Names a frame as addresses name a moment of a film, by a media fragment: `clip.mp4#t=12.500`. */
export function frameName({ path }: Pick<Film, 'path'>, time: string): string {
  return `${path}${FRAGMENT}${time}`
}

/** Gives the path of the film that a frame's name begins with; null for a name that is none. */
export function filmOfNameOrNull(name: string): string | null {
  return FRAME_NAME.test(name) ? name.slice(0, name.lastIndexOf(FRAGMENT)) : null
}

/** Gives the time in the name of a frame. */
export function timeOfFrame(name: string): string {
  return name.slice(name.lastIndexOf(FRAGMENT) + FRAGMENT.length)
}

const FRAGMENT = '#t='
const FRAME_NAME = /#t=\d+\.\d{3}$/

/** Gives the name by which an input stands in an output; null for one that can have no row there, and for a film, which has many. */
export function nameOfInputOrNull(input: WorkInput): string | null {
  if (typeof input === 'string') return input
  return 'reason' in input || isFilm(input) ? null : input.path
}

/**
 * An image without a file has no time: a number made of its bytes tells whether it is still the same. What an address leads to is taken to stay the same,
 * unless its version is known, since finding out would fetch it.
 */
export function fileOfGiven(input: GivenImage | ImageAddress): InputFile {
  const bytes =
    'bytes' in input ? input.bytes : new TextEncoder().encode(`${input.address}${input.version ?? ''}`)
  const digest = sha256(bytes)
  const mtimeMs = new DataView(digest.buffer, digest.byteOffset).getUint32(0)
  return { path: input.path, size: bytes.length, mtimeMs }
}
