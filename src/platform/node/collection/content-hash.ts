/** Tells files by their content. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** Gives the SHA-256 of a file, of which no more than a piece is in memory. */
export async function hashOfFile(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256')
  // Many files are read at once, and a signal that each stream listened to would be warned of.
  for await (const chunk of createReadStream(path)) {
    signal?.throwIfAborted()
    hash.update(chunk)
  }
  return hash.digest('hex')
}

/** Tells a frame by its film's content and its time, as it stands behind the film's name: `#t=12.500`. */
export function contentOfFrame(film: string, time: string): string {
  return createHash('sha256').update(film).update(time).digest('hex')
}
