/**
 * Takes an address where work expects a path: that of a file is its path, one that the library fetches is kept until its turn, and any other is a
 * failure that says what to do.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { withoutSignature } from '../formats/signed-query.js'
import { OBJECT } from '../is-address.js'
import { nearestNames } from '../nearest-names.js'
import type { Failure, Files } from './files.js'
import type { ImageAddress } from './work-input.js'

/** A file of that very name goes before an address. */
export { isAddress } from '../is-address.js'

/** Tells the address of something in a bucket. */
export function isObject(input: string): boolean {
  return OBJECT.test(input)
}

/** Tells the address of all that lies below a place: a bucket, or a prefix that ends in a slash. */
export function isPrefix(input: string): boolean {
  return isObject(input) && /^[^/]+\/\/([^/]+|.*\/)$/s.test(input)
}

export function inputOfAddress(
  input: string,
  { separator }: Pick<Files, 'separator'>,
): string | ImageAddress | Failure {
  const path = shownAs(input)
  // Its key is taken as it is: nothing in it is encoded.
  if (isObject(input) && /^[^/]+\/\/[^/]+\/./.test(input)) return { path, address: input }
  if (!URL.canParse(input)) return { path, reason: 'it is no address: a part of it cannot be read' }
  const url = new URL(input)
  switch (url.protocol) {
    case 'file:':
      return pathOfFile(url, input, separator)
    case 'http:':
    case 'https:':
    case 'data:':
      return { path, address: url.href.replace(/#.*/s, '') }
    default:
      return {
        path,
        reason: `${url.protocol} is not among the kinds of addresses that are fetched (https:, http:, s3:, az:, gs:, data:, file:)${nearestOf(url.protocol)}; copy it here, or pipe it in`,
      }
  }
}

/** Says which kind a mistyped one may have meant. */
function nearestOf(protocol: string): string {
  const [nearest] = nearestNames(protocol, ['https:', 'http:', 's3:', 'az:', 'gs:', 'data:', 'file:'], 1, 2)
  return nearest === undefined ? '' : `, did you mean ${nearest}?`
}

const MOST_OF_DATA = 200
const SHOWN_OF_DATA = 48
const HASH_DIGITS = 12

/** Stands in the output as it was given, but for passwords and signatures, and for data that is the image itself: a hash keeps those apart. */
export function shownAs(input: string): string {
  if (/^data:/i.test(input) && input.length > MOST_OF_DATA) {
    const hash = bytesToHex(sha256(new TextEncoder().encode(input)))
    return `${input.slice(0, SHOWN_OF_DATA)}…~${hash.slice(0, HASH_DIGITS)}`
  }
  // Most have neither, and of a hundred million each look counts.
  const plain = input.includes('@') ? input.replace(/^([a-z][a-z0-9+.-]+:\/\/)[^/?#]*@/i, '$1') : input
  return plain.includes('?') ? withoutSignature(plain) : plain
}

function pathOfFile({ hostname, pathname }: URL, input: string, separator: string): string | Failure {
  if (hostname !== '' && hostname !== 'localhost')
    return { path: input, reason: 'it leads to another machine' }
  try {
    const path = decodeURIComponent(pathname)
    return separator === '/' ? path : path.replace(/^\/(?=[a-z]:)/i, '').replaceAll('/', separator)
  } catch {
    return { path: input, reason: 'it is no address of a file' }
  }
}
