/**
 * Parses JSON from files that are not trusted: it must be valid UTF-8 and have no key twice in one object.
 *
 * `JSON.parse` keeps the last of two equal keys and tells nobody, so a header could name a tensor twice and every reader
 * would choose its own. The scan below runs over text that `JSON.parse` has accepted and may therefore be simple.
 */
import type { PlainValue } from '../plain-value.js'
import { CheckpointError } from './checkpoint-error.js'

/** `what` names the text in errors, such as `model.safetensors: the header`. Throws `malformed`. */
export function parseJson(text: string, what: string): PlainValue {
  let value: PlainValue
  try {
    value = JSON.parse(text) as PlainValue
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CheckpointError('malformed', `${what} is not JSON (${reason})`, { cause })
  }
  const duplicate = duplicateKeyOrNull(text)
  if (duplicate !== null) {
    throw new CheckpointError(
      'malformed',
      `${what} names ${JSON.stringify(duplicate)} twice; which of the two is meant?`,
    )
  }
  return value
}

/** Throws `malformed` where the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new CheckpointError('malformed', `${what} is not valid UTF-8`, { cause })
  }
}

/** Finds the first key that stands twice in one object, compared after its escapes are resolved. `text` must be valid JSON. */
function duplicateKeyOrNull(text: string): string | null {
  // Each open bracket has an entry: the keys seen so far in an object, null in a list.
  const open: (Set<string> | null)[] = []
  let expectsKey = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '{') open.push(new Set())
    else if (character === '[') open.push(null)
    else if (character === '}' || character === ']') open.pop()
    if (character === '{' || character === ',') expectsKey = open[open.length - 1] instanceof Set
    else if (character === '[' || character === ':') expectsKey = false
    if (character !== '"') continue
    const end = endOfString(text, i)
    const keys = open[open.length - 1]
    if (expectsKey && keys instanceof Set) {
      const key = JSON.parse(text.slice(i, end)) as string
      if (keys.has(key)) return key
      keys.add(key)
    }
    i = end - 1
  }
  return null
}

/** Finds the index after the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1
  return i + 1
}
