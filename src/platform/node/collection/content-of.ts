/** Reads what is in a file as the rows of a collection have it: the SHA-256 of its bytes. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { CollectionError } from '../../../collection/collection-error.js'
import { whyUnopened } from '../files/look-error.js'

/** Gives 64 hexadecimal digits. Throws `CollectionError` `not-found` where the file cannot be read. */
export async function contentOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
  } catch (error) {
    throw new CollectionError('not-found', whyUnopened(path, error).message, { cause: error })
  }
  return hash.digest('hex')
}
