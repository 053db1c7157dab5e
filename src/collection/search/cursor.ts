/** Says where a page of results ended, so that the next one can begin there: version, similarity and id of the last result, and of which search it is. */
import { CollectionError } from '../collection-error.js'
import type { Candidate } from './candidates.js'

export interface Cursor extends Candidate {
  /** Is the collection's version that the page is of. */
  readonly version: number
  /** Counts the photos that were looked at for this page and those before it. */
  readonly seen: number
  /** Tells one search from another. */
  readonly search: string
}

const TEXT = /^(\d+)-(\d+)-([0-9a-f]{8})-([0-9a-f]{32})-([0-9a-f]{8})$/

export function cursorText({ version, seen, similarity, id, search }: Cursor): string {
  const [bits = 0] = new Uint32Array(Float32Array.of(similarity).buffer)
  return `${version}-${seen}-${bits.toString(16).padStart(8, '0')}-${id}-${search}`
}

/** Throws `CollectionError` `wrong-cursor` for what is none, and for that of another search. */
export function cursorOf(text: string, search: string): Cursor {
  const [, version, seen, bits, id, own] = TEXT.exec(text) ?? []
  if (bits === undefined || id === undefined || own === undefined)
    throw new CollectionError(
      'wrong-cursor',
      `${JSON.stringify(text)} does not say where a page ends: take what the page before gave.`,
    )
  if (own !== search)
    throw new CollectionError(
      'wrong-cursor',
      'The page before was of another search: ask with the same photos and conditions as for it.',
    )
  const [similarity = 0] = new Float32Array(Uint32Array.of(Number.parseInt(bits, 16)).buffer)
  return { version: Number(version), seen: Number(seen), similarity, id, search }
}

/** Gives 8 hexadecimal digits that differ for another direction or condition (FNV-1a). */
export function searchDigest(vector: Float32Array, settings: string): string {
  let hash = 0x811c9dc5
  const mix = (byte: number) => {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  }
  for (const byte of new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)) mix(byte)
  for (const byte of new TextEncoder().encode(settings)) mix(byte)
  return hash.toString(16).padStart(8, '0')
}
