/** Writes text of anybody, and bytes, into documents: names of files may hold what a page or a terminal would obey. */
import { createHash } from 'node:crypto'
import { onOneLine } from './progress.js'

const LONGEST_NAME = 200

/** Gives a name as it is shown: it says most at its end. */
export function shown(path: string): string {
  const text = onOneLine(path)
  return text.length <= LONGEST_NAME ? text : `…${text.slice(1 - LONGEST_NAME)}`
}

/** Gives what a page's policy lets run, or look so. */
export function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

export function base64({ buffer, byteOffset, byteLength }: Uint8Array | Int8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}
