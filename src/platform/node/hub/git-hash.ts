/** A hub names small files by git's hash of their content, as it names large ones by their SHA-256. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isGitHash } from '../../../hub/hash-names.js'
import { HubError } from '../../../hub/hub-error.js'

/** Is a file as a repository publishes it. */
export interface PublishedFile {
  /** Names the repository. */
  readonly id: string
  readonly name: string
  /** Is the SHA-256 of a large file, git's SHA-1 of a small one. */
  readonly etag: string
}

/** Computes what git calls a file: the SHA-1 of its length and its bytes. */
export async function gitHash(path: string): Promise<string> {
  const bytes = await readFile(path)
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}

/** Throws `wrong-hash` by the name of a small file that has another hash; a large one's is checked as it comes. */
export async function checkGitHash(path: string, { etag, name, id }: PublishedFile): Promise<void> {
  if (!isGitHash(etag)) return
  const found = await gitHash(path)
  if (found === etag) return
  throw new HubError(
    'wrong-hash',
    `${name} of ${id} has git's hash ${found}, expected ${etag}. Nothing was kept. It was changed on the way: run again, and look at the proxy if it stays.`,
  )
}
