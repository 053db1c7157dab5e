/** The hub names a small file by git's hash of its content, in the answer's ETag: it alone tells a page whether such a file was changed on its way. */
import type { Version } from '../../../hub/byte-ranges.js'
import { isGitHash } from '../../../hub/hash-names.js'
import { HubError } from '../../../hub/hub-error.js'
import { HUGGING_FACE } from '../../../hub/repository-name.js'

/** Gives the hash that the hub names a file by; null for a large file, whose ETag is another thing, and for what another server names. */
export function publishedHashOrNull(url: string, version: Version | null): string | null {
  const name = version?.etag?.replace(/^W\//, '').replaceAll('"', '') ?? ''
  return url.startsWith(`${HUGGING_FACE}/`) && isGitHash(name) ? name : null
}

/** Throws `HubError` `wrong-hash` for bytes of another hash. A page that is not secure can compute none, and could itself have been changed on its way. */
export async function assertGitHash(bytes: Uint8Array, expected: string, url: string): Promise<void> {
  if (crypto.subtle === undefined) return
  const blob = await new Blob([`blob ${bytes.length}\0`, bytes as Uint8Array<ArrayBuffer>]).arrayBuffer()
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-1', blob))
  const found = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  if (found === expected) return
  throw new HubError(
    'wrong-hash',
    `${url} has git's hash ${found}, expected ${expected}. Nothing was kept. It was changed on the way: load again, and look at the proxy if it stays.`,
  )
}
