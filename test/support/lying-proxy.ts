/**
 * Stands before an S3 server and does to requests what networks, balancers and other servers do to them. It changes nothing of what is signed, so that whoever asks it
 * can tell it from the server by its faults alone.
 */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AwsV4Signer } from 'aws4fetch'
import { S3_KEYS } from './s3-server.js'

/**
 * `unavailable`: 503 without an effect. `reset-before`, `reset-after`: the connection breaks, the latter once the request took effect. `truncated`: a body that is cut, with 200 and a length that fits.
 * `error-in-200`: an error document with 200. `stale-list`: an empty listing. `ignore-condition`: the server is not told the condition. `conflict`: 409 without an effect. `drip`: a body byte by
 * byte. `wrong-etag`: an ETag of nothing.
 */
export type Lie =
  | 'unavailable'
  | 'reset-before'
  | 'reset-after'
  | 'truncated'
  | 'error-in-200'
  | 'stale-list'
  | 'ignore-condition'
  | 'conflict'
  | 'drip'
  | 'wrong-etag'

export interface Asked {
  readonly method: string
  /** Is the path with the query. */
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** Counts the requests from 0. */
  readonly visit: number
}

export interface LyingProxy extends AsyncDisposable {
  /** Reads like `http://127.0.0.1:port`. */
  readonly endpoint: string
  /** Holds what it was asked, and how it lied. */
  readonly asked: readonly (Asked & { readonly lie: Lie | null })[]
  /** Decides for each request; null tells the truth. It may be replaced at any time. */
  choose: (asked: Asked) => Lie | null
  /** Waits so long, in milliseconds, before each request goes on. */
  delayMs: number
}

/** A drip gives a byte in each of these spans, in milliseconds. */
const DRIP_MS = 20

export async function startLyingProxy(target: string): Promise<LyingProxy> {
  const asked: (Asked & { readonly lie: Lie | null })[] = []
  const agent = new Agent({ keepAlive: true })
  const server = createServer((from, to) => {
    const question = {
      method: from.method ?? '',
      path: from.url ?? '',
      headers: from.headers,
      visit: asked.length,
    }
    const lie = proxy.choose(question)
    asked.push({ ...question, lie })
    setTimeout(() => {
      answer(from, to, { target, agent, lie }).catch(() => from.socket.destroy())
    }, proxy.delayMs)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: LyingProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    choose: () => null,
    delayMs: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      agent.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}

interface Way {
  readonly target: string
  readonly agent: Agent
  readonly lie: Lie | null
}

async function answer(from: IncomingMessage, to: ServerResponse, way: Way): Promise<void> {
  const { lie } = way
  const sent = await bodyOf(from)
  if (lie === 'reset-before') return void from.socket.destroy()
  if (lie === 'unavailable') return sendError(to, 503, 'SlowDown')
  if (lie === 'conflict') return sendError(to, 409, 'ConditionalRequestConflict')
  if (lie === 'error-in-200') return sendError(to, 200, 'InternalError')
  const { status, headers, body } = await forward(from, sent, way)
  if (lie === 'reset-after') return void from.socket.destroy()
  if (lie === 'wrong-etag' && headers.etag !== undefined) headers.etag = '"00000000000000000000000000000000"'
  if (lie === 'stale-list') return sendList(to)
  if (lie === 'truncated') return sendShort(to, headers, body)
  to.writeHead(status, headers)
  if (lie === 'drip') await drip(to, body)
  to.end(lie === 'drip' ? undefined : body)
}

async function bodyOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function forward(
  from: IncomingMessage,
  sent: Buffer,
  { target, agent, lie }: Way,
): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> {
  const to = new URL(from.url ?? '/', target)
  const { connection: _, ...said } = from.headers
  const headers = lie === 'ignore-condition' ? await unconditional(to, from.method ?? '', said) : said
  return await new Promise((resolve, reject) => {
    const asking = request(
      { host: to.hostname, port: to.port, path: from.url, method: from.method, headers, agent },
      (answer) => {
        bodyOf(answer).then((body) => {
          const { connection: _, 'transfer-encoding': _chunked, ...kept } = answer.headers
          const length = from.method === 'HEAD' ? {} : { 'content-length': String(body.length) }
          resolve({ status: answer.statusCode ?? 500, headers: { ...kept, ...length }, body })
        }, reject)
      },
    )
    asking.on('error', reject)
    asking.end(sent)
  })
}

/** Conditions are signed as all else, so that what lacks them is signed anew. */
async function unconditional(
  url: URL,
  method: string,
  headers: IncomingMessage['headers'],
): Promise<IncomingMessage['headers']> {
  const left = Object.entries(headers).filter(
    ([name]) => !['if-match', 'if-none-match', 'authorization', 'host'].includes(name),
  )
  const signed = await new AwsV4Signer({
    method,
    url: url.href,
    headers: left.map(([name, value]): [string, string] => [name, String(value)]),
    accessKeyId: S3_KEYS.AWS_ACCESS_KEY_ID,
    secretAccessKey: S3_KEYS.AWS_SECRET_ACCESS_KEY,
    service: 's3',
    region: 'us-east-1',
  }).sign()
  return { ...Object.fromEntries(signed.headers), host: url.host }
}

function sendError(to: ServerResponse, status: number, code: string): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>A lie.</Message></Error>`
  to.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) }).end(
    body,
  )
}

function sendList(to: ServerResponse): void {
  const body =
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'
  to.writeHead(200, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) }).end(
    body,
  )
}

function sendShort(to: ServerResponse, headers: IncomingMessage['headers'], body: Buffer): void {
  const half = body.subarray(0, body.length >> 1)
  to.writeHead(200, { ...headers, 'content-length': String(half.length) }).end(half)
}

async function drip(to: ServerResponse, body: Buffer): Promise<void> {
  for (const byte of body) {
    if (to.destroyed) return
    to.write(Buffer.of(byte))
    await new Promise((resolve) => setTimeout(resolve, DRIP_MS))
  }
}
