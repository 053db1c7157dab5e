/** Hashes the ids of rows as fast as this machine can: a plan of a hundred million rows has as many. */
import { hash } from 'node:crypto'
import type { RowHash } from '../../../jobs/row.js'

const BYTES = 32

/** As a text of a letter for each byte it comes in a third of the time that a buffer of its own takes. */
export const rowHash: RowHash = (text) => {
  const letters = hash('sha256', text, 'binary')
  const bytes = new Uint8Array(BYTES)
  for (let at = 0; at < BYTES; at++) bytes[at] = letters.charCodeAt(at)
  return bytes
}
