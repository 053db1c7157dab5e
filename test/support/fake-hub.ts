/**
 * Runs two real web servers that behave as Hugging Face's: one tells what a repository holds, gives small files and redirects for large ones, the other
 * gives these to whoever brings a signature that has not expired. Tests spoil either.
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { serve, sha256Of, startServer, type WeightsServer } from './weights-server.js'

export const COMMIT = '0123456789abcdef0123456789abcdef01234567'

export interface FakeHub extends AsyncDisposable {
  /** Tells of repositories, and belongs into HF_ENDPOINT. */
  readonly hub: WeightsServer
  /** Gives large files. */
  readonly store: WeightsServer
  /** Counts the bytes of answers of the store, as far as they were let out. */
  readonly sent: () => number
  /** May be changed while it runs. */
  readonly repository: FakeRepository
}

export interface FakeRepository {
  id: string
  commit: string
  files: Record<string, Uint8Array>
  /** Stands beside the listing's own entries. */
  card: object
  /** Answers in place of the hub, where it says that it did. */
  hubFirst?: (request: IncomingMessage, response: ServerResponse, visit: number) => boolean
  /** Answers in place of the store. */
  storeFirst?: (request: IncomingMessage, response: ServerResponse, visit: number) => boolean
  /** So many questions may be asked with one signature. */
  signedFor: number
}

export async function startFakeHub(
  files: Record<string, Uint8Array>,
  changes: Partial<FakeRepository> = {},
): Promise<FakeHub> {
  const repository: FakeRepository = {
    id: 'somebody/tiny',
    commit: COMMIT,
    files,
    card: { gated: false, cardData: { license: 'apache-2.0' } },
    signedFor: 1,
    ...changes,
  }
  let sent = 0
  let signature = 0
  const uses = new Map<string, number>()
  const counted = <F extends (...given: never[]) => unknown>(send: F): F =>
    ((...given: Parameters<F>) => {
      const [bytes]: readonly unknown[] = given
      if (bytes instanceof Uint8Array) sent += bytes.length
      return send(...given)
    }) as F
  const store = await startServer((request, response, visit) => {
    response.write = counted(response.write.bind(response))
    response.end = counted(response.end.bind(response))
    if (repository.storeFirst?.(request, response, visit)) return
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://store')
    const signed = searchParams.get('signature') ?? ''
    uses.set(signed, (uses.get(signed) ?? 0) + 1)
    if ((uses.get(signed) ?? 0) > repository.signedFor) {
      response
        .writeHead(403, { 'content-type': 'application/xml' })
        .end('<?xml version="1.0"?><Error>Expired</Error>')
      return
    }
    const file = Object.values(repository.files).find((bytes) => sha256Of(bytes) === pathname.slice(1))
    if (file === undefined) response.writeHead(404).end()
    else serve(request, response, file)
  })
  const hub = await startServer((request, response, visit) => {
    if (repository.hubFirst?.(request, response, visit)) return
    const [path = ''] = (request.url ?? '').split('?')
    const { id, commit } = repository
    if (path.startsWith(`/api/models/${id}/revision/`)) {
      response.end(JSON.stringify(listing(repository)))
      return
    }
    const name = /\/resolve\/[^/]+\/(.+)$/.exec(path)?.[1] ?? ''
    const file = repository.files[name]
    if (!path.startsWith(`/${id}/`)) return refuse(response, 401, 'RepoNotFound')
    if (file === undefined) return refuse(response, 404, 'EntryNotFound', { 'x-repo-commit': commit })
    if (!isLarge(name)) return small(request, response, file, commit)
    signature += 1
    const sha256 = sha256Of(file)
    response
      .writeHead(302, {
        location: `${store.origin}/${sha256}?signature=${signature}`,
        'x-repo-commit': commit,
        'x-linked-etag': `"${sha256}"`,
        'x-linked-size': file.length,
        'x-xet-hash': sha256Of(Buffer.from(sha256)),
      })
      .end()
  })
  const close = async () => {
    await hub[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }
  return { hub, store, sent: () => sent, repository, [Symbol.asyncDispose]: close }
}

/** Answers as the hub does where it refuses. */
export function refuse(response: ServerResponse, status: number, code: string, headers: object = {}): void {
  response.writeHead(status, { 'x-error-code': code, ...headers }).end()
}

/** Names a small file as git does. */
export function gitHashOf(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}

function small(request: IncomingMessage, response: ServerResponse, file: Uint8Array, commit: string): void {
  response.setHeader('x-repo-commit', commit)
  if (request.method === 'HEAD') {
    response.writeHead(200, { etag: `"${gitHashOf(file)}"`, 'content-length': file.length }).end()
  } else serve(request, response, file, { etag: `"${gitHashOf(file)}"` })
}

function isLarge(name: string): boolean {
  return !/\.(json|md|txt)$|^LICENSE$/.test(name)
}

function listing({ commit, files, card }: FakeRepository) {
  const siblings = Object.entries(files).map(([rfilename, bytes]) => ({
    rfilename,
    size: bytes.length,
    blobId: gitHashOf(isLarge(rfilename) ? Buffer.from(`version\n${sha256Of(bytes)}\n`) : bytes),
    ...(isLarge(rfilename) ? { lfs: { sha256: sha256Of(bytes), size: bytes.length } } : {}),
  }))
  return { sha: commit, siblings, ...card }
}
