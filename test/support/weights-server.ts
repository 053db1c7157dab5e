/** Runs a real web server on this machine that serves a file well or badly, and remembers what it was asked. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface WeightsServer extends AsyncDisposable {
  /** Reads like `http://127.0.0.1:port`. */
  readonly origin: string
  readonly requests: readonly IncomingMessage[]
}

/** `visit` counts the requests from 0. */
export type Answerer = (request: IncomingMessage, response: ServerResponse, visit: number) => void

export async function startServer(answer: Answerer): Promise<WeightsServer> {
  const requests: IncomingMessage[] = []
  const listener: RequestListener = (request, response) => {
    requests.push(request)
    answer(request, response, requests.length - 1)
  }
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export interface Manners {
  readonly etag?: string
  /** Says whether `Range` is understood; true unless said otherwise. */
  readonly ranges?: boolean
  /** Says whether the length is announced; true unless said otherwise. */
  readonly length?: boolean
  /** The connection is cut when so many bytes of this answer have been sent. */
  readonly cutAfter?: number
  /** Nothing more is sent when so many bytes of this answer have been. */
  readonly stallAfter?: number
}

/** Answers as a good static file server does: 200, 206 with `If-Range`, 416; bad manners on request. */
export function serve(
  request: IncomingMessage,
  response: ServerResponse,
  file: Uint8Array,
  manners: Manners = {},
): void {
  const { etag = '"one"', ranges = true, length = true } = manners
  const condition = request.headers['if-range']
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')
  const start = ranges && range && (condition === undefined || condition === etag) ? Number(range[1]) : 0
  if (start >= file.length) {
    response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end()
    return
  }
  const body = file.subarray(start)
  response.writeHead(start > 0 ? 206 : 200, {
    etag,
    ...(length ? { 'content-length': body.length } : {}),
    ...(start > 0 ? { 'content-range': `bytes ${start}-${file.length - 1}/${file.length}` } : {}),
  })
  const stop = manners.cutAfter ?? manners.stallAfter ?? body.length
  if (stop >= body.length) {
    response.end(body)
    return
  }
  response.write(body.subarray(0, stop), () => {
    // What was written is let out and read first, so that a cut comes after it and not in its place: an error discards what waits to be read.
    if (manners.cutAfter !== undefined) setTimeout(() => response.destroy(), 200)
  })
}

export function someBytes(length: number): { readonly bytes: Uint8Array; readonly sha256: string } {
  const bytes = randomBytes(length)
  return { bytes, sha256: sha256Of(bytes) }
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Makes a folder of this test's own, gone after it. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'plumage-hub-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
