/** Reads which attention heads are meant, the same way for pictures and for files. */
import { InvalidArgumentError } from 'commander'
import type { AttentionHeads } from '../encoder/types.js'
import { nearestNames } from '../nearest-names.js'

const JOINED = ['mean', 'max', 'min', 'each'] as const

/** Reads the heads, for commander. */
export function parseHeads(text: string): AttentionHeads {
  const joined = JOINED.find((name) => name === text)
  if (joined !== undefined) return joined
  const numbers = text.split(',').map(Number)
  if (numbers.every((head) => Number.isSafeInteger(head) && head >= 0) && text.trim() !== '') return numbers
  const [nearest] = nearestNames(text, JOINED, 1)
  throw new InvalidArgumentError(
    `Expected ${JOINED.join(', ')}, or numbers such as 0,3; found ${text}. Did you mean ${nearest}?`,
  )
}
