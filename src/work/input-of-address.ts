/**
 * Takes an address where work expects a path: that of a file is its path, one that the library fetches is kept until its turn, and any other is a
 * failure that says what to do.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Failure, Files } from './files.js'
import type { ImageAddress } from './work-input.js'

/** Goes by the form alone; a file of that very name goes before an address. */
export function isAddress(input: string): boolean {
  return /^([a-z][a-z0-9+.-]+:\/\/|(data|file|blob):)/i.test(input)
}

export function inputOfAddress(
  input: string,
  { separator }: Pick<Files, 'separator'>,
): string | ImageAddress | Failure {
  const path = shownAs(input)
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
        reason: `${url.protocol} is not among the kinds of addresses that are fetched (https:, http:, data:, file:); copy it here, or pipe it in`,
      }
  }
}

const MOST_OF_DATA = 200
const SHOWN_OF_DATA = 48
const HASH_DIGITS = 12

/** Stands in the output as it was given, but for passwords, and for data that is the image itself: a hash keeps those apart. */
function shownAs(input: string): string {
  if (/^data:/i.test(input) && input.length > MOST_OF_DATA) {
    const hash = bytesToHex(sha256(new TextEncoder().encode(input)))
    return `${input.slice(0, SHOWN_OF_DATA)}…~${hash.slice(0, HASH_DIGITS)}`
  }
  return input.replace(/^([a-z][a-z0-9+.-]+:\/\/)[^/?#]*@/i, '$1')
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
