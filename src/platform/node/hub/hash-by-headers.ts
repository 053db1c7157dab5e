/**
 * Asks for the headers of a file whose hash the listing of its repository does not give, as those of some mirrors: the hub's own answer names it, and mirrors that
 * hand answers on name it too.
 */
import type { Answer, Opener } from '../../../hub/answer.js'
import { isGitHash, isSha256 } from '../../../hub/hash-names.js'
import type { RepositoryFile } from '../../../hub/repository-listing.js'
import type { DownloadOptions } from './download-file.js'
import { applyEndpoint, isOffline } from './hub-settings.js'

const PATIENCE_MS = 30_000

/** Gives the file as it is where nobody says more of it, whatever the reason: the download itself tells what is wrong. Throws the signal's reason. @param opener keeps its connection for the next file */
export async function withHash(
  file: RepositoryFile,
  url: string,
  opener: Opener,
  { env = process.env, offline, signal, stallTimeoutMs = PATIENCE_MS }: DownloadOptions,
): Promise<RepositoryFile> {
  if (file.etag !== undefined || offline || isOffline(env)) return file
  const patience = AbortSignal.timeout(stallTimeoutMs)
  const ends = signal === undefined ? patience : AbortSignal.any([signal, patience])
  const question = { method: 'HEAD', headers: {}, signal: ends } as const
  const answer = await opener.open(new URL(applyEndpoint(url, env)), question).catch(() => null)
  signal?.throwIfAborted()
  if (answer === null) return file
  // Such an answer has no body, and its connection serves the next question where that is read to its end.
  await drained(answer).catch(() => {})
  const told = (header: string) => (answer.header(header) ?? '').replace(/^W\//, '').replaceAll('"', '')
  const linked = told('x-linked-etag')
  if (isSha256(linked)) return { ...file, etag: linked, sha256: linked }
  // A server's own etag may be of any kind; the hub's, which says the commit beside it, is git's hash of a small file.
  const own = told('etag')
  return isGitHash(own) && told('x-repo-commit') !== '' ? { ...file, etag: own } : file
}

async function drained({ body }: Answer): Promise<void> {
  for await (const _ of body);
}
