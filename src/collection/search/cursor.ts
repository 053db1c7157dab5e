/** Says where a page of results ended, so that the next one can begin there: version, similarity and id of the last result, and of which search it is. */
import { CollectionError } from '../collection-error.js'
import type { SetCandidate } from '../set/merge-candidates.js'

export interface Cursor extends SetCandidate {
  /** Is the version of the collection, or of the set, that the page is of. */
  readonly version: number
  /** Counts the photos that were looked at for this page and those before it. */
  readonly seen: number
  /** Tells one search from another. */
  readonly search: string
}

const TEXT = /^(\d+)-(\d+)-([0-9a-f]{16})-([0-9a-f]{32})(?:\.(\d+))?-([0-9a-f]{8})$/

/** Ids may come twice only in different collections of a set: of the first one, nothing need be said. */
export function cursorText({ version, seen, similarity, id, member, search }: Cursor): string {
  const [bits = 0n] = new BigUint64Array(Float64Array.of(similarity).buffer)
  const place = member === 0 ? id : `${id}.${member}`
  return `${version}-${seen}-${bits.toString(16).padStart(16, '0')}-${place}-${search}`
}

/** Throws `CollectionError` `wrong-cursor` for what is none, and for that of another search. */
export function cursorOf(text: string, search: string): Cursor {
  const [, version, seen, bits, id, member = 0, own] = TEXT.exec(text) ?? []
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
  const [similarity = 0] = new Float64Array(BigUint64Array.of(BigInt(`0x${bits}`)).buffer)
  return { version: Number(version), seen: Number(seen), similarity, id, member: Number(member), search }
}

/** Gives 8 hexadecimal digits that differ for another direction or condition. */
export function searchDigest(vector: Float32Array, settings: string): string {
  const numbers = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)
  return digestOf([numbers, new TextEncoder().encode(settings)])
}

/** Gives 8 hexadecimal digits that differ for another text. */
export function textDigest(text: string): string {
  return digestOf([new TextEncoder().encode(text)])
}

/** Is FNV-1a. */
function digestOf(parts: readonly Uint8Array[]): string {
  let hash = 0x811c9dc5
  for (const part of parts) for (const byte of part) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash.toString(16).padStart(8, '0')
}
