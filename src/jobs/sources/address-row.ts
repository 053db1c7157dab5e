/** Makes rows of the addresses and paths that lists and tables hold. */
import type { Files } from '../../work/files.js'
import { isAddress, shownAs } from '../../work/input-of-address.js'
import type { SourceRow } from '../row.js'
import { SourceError } from './source-error.js'

/** A path starts where paths of this machine start; a row without an address is a row all the same, and fails by itself. */
export function addressRow(id: string, text: string, files: Files, contact: string | undefined): SourceRow {
  if (text === '') return { id, name: id, place: { address: '' } }
  if (!isAddress(text)) return { id, name: text, place: { address: files.resolve(text) } }
  assertContact(text, contact)
  return { id, name: shownAs(text), place: { address: text } }
}

/** Throws `SourceError` `no-contact` for an address of a web server that would be fetched from without a word of who fetches. */
export function assertContact(address: string, contact: string | undefined): void {
  if (contact !== undefined || !/^https?:/i.test(address)) return
  throw new SourceError(
    'no-contact',
    `${shownAs(address)} is fetched from a web server, whose owner must be able to reach whoever fetches: add --contact with an address of mail or of a page.`,
  )
}
