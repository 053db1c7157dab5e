/** Reads the documents that servers of objects answer with. */
import type { Answer } from '../ask-once.js'
import { textOf } from './xml.js'

/** Bounds the bytes of a document. */
export const MOST_DOCUMENT = 2 ** 24

export function documentOf(answer: Answer): string {
  return Buffer.from(answer.body.buffer, answer.body.byteOffset, answer.body.byteLength).toString('utf8')
}

/** Gives the code of an answer's document, or '' where it has none, as an answer to HEAD. */
export function codeOf(answer: Answer): string {
  return textOf(documentOf(answer), 'Code') ?? ''
}
