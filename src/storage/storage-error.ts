/** Says why a place that keeps objects did not do what it was asked. */
import { CodedError } from '../coded-error.js'

/** Says why a place that keeps objects did not do what it was asked. */
export type StorageErrorCode =
  /** It did not answer, or not now, after all tries. Look after the server and the network. */
  | 'unavailable'
  /** It does not let this be done, by rights or by what it can do. The message says what to do. */
  | 'refused'
  /** The name cannot be that of an object, or the address none of a place. */
  | 'wrong-key'
  /** Another version is there than was asked for. Read it again. */
  | 'changed'
  /** Fewer bytes came than were promised, again and again. */
  | 'too-short'
  /** The place can only be read. */
  | 'not-writable'
  /** There is no room. */
  | 'disk-full'

/** Is thrown where a place that keeps objects does not do what it was asked. `code` is for programs, `message` says what to do. */
export class StorageError extends CodedError<StorageErrorCode> {
  override readonly name = 'StorageError'
}

/** Throws `StorageError` `wrong-key` unless the key is names with `/` between them: no path leads out of a place, and every place takes the same keys. */
export function checkKey(key: string): void {
  const names = key.split('/')
  if (
    key.length <= LONGEST_KEY &&
    names.every((name) => name !== '' && name !== '.' && name !== '..' && !CONTROL.test(name))
  )
    return
  throw new StorageError(
    'wrong-key',
    `${JSON.stringify(key.slice(0, 200))} names no object: expected names with / between them, none empty, . or .., without control characters, ${LONGEST_KEY} characters at most.`,
  )
}

/** S3 takes 1,024 bytes, of which a prefix takes some. */
const LONGEST_KEY = 900
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u001f\u007f\\]/
