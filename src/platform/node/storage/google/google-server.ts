/** Is a bucket of Google's storage: what its generations, answers and uploads mean. */
import { createHash, randomUUID } from 'node:crypto'
import { isRecord, type PlainRecord } from '../../../../plain-value.js'
import type { StoredObject } from '../../../../storage/storage.js'
import { StorageError } from '../../../../storage/storage-error.js'
import { type Answer, headerOf } from '../ask-once.js'
import type {
  Listing,
  NotWritten,
  ObjectQuestion,
  ObjectServer,
  ObjectWrite,
} from '../objects/object-server.js'
import { GoogleClient, type GooglePlace, isNoBucket, recordOf } from './google-client.js'

const WRITER = 'plumage-writer'
const JSON_TYPE = 'application/json; charset=UTF-8'
/** So many objects are on a page at most. */
const PAGE = '1000'
const FIELDS = 'name,size,generation,updated'

export class GoogleServer implements ObjectServer {
  readonly address: string
  readonly #client: GoogleClient
  readonly #place: GooglePlace

  constructor(place: GooglePlace) {
    this.#place = place
    this.#client = new GoogleClient(place)
    this.address = `gs://${place.bucket}`
  }

  async ask(question: ObjectQuestion): Promise<Answer> {
    const { method, key, query = {} } = question
    const path = `${this.#objects()}/${encodeURIComponent(key)}`
    if (method === 'GET')
      return await this.#client.ask({ ...question, path, query: { ...query, alt: 'media' } })
    if (method !== 'HEAD') return await this.#client.ask({ ...question, path })
    const fields = `${FIELDS},metadata`
    const answer = await this.#client.ask({ ...question, method: 'GET', path, query: { ...query, fields } })
    return answer.status === 200 ? asHead(recordOf(answer)) : answer
  }

  async put(write: ObjectWrite, body: Uint8Array): Promise<Answer> {
    const boundary = randomUUID()
    const md5Hash = createHash('md5').update(body).digest('base64')
    const head = `--${boundary}\r\ncontent-type: ${JSON_TYPE}\r\n\r\n${described(write, { md5Hash })}\r\n--${boundary}\r\ncontent-type: application/octet-stream\r\n\r\n`
    return await this.#client.ask({
      method: 'POST',
      key: write.key,
      path: this.#uploads(),
      query: { uploadType: 'multipart', ...conditionOf(write) },
      headers: { 'content-type': `multipart/related; boundary=${boundary}` },
      body: Buffer.concat([Buffer.from(head), body, Buffer.from(`\r\n--${boundary}--\r\n`)]),
      signal: write.signal,
    })
  }

  /** One part is sent after the other, since an upload that can be gone on with is a single stream. */
  async putParts(
    write: ObjectWrite,
    first: Uint8Array,
    rest: AsyncIterator<{ readonly bytes: Uint8Array }>,
  ): Promise<Answer> {
    const { key, what, signal } = write
    const begun = await this.#client.ask({
      method: 'POST',
      key,
      path: this.#uploads(),
      query: { uploadType: 'resumable', ...conditionOf(write) },
      headers: { 'content-type': JSON_TYPE, 'x-upload-content-type': 'application/octet-stream' },
      body: Buffer.from(described(write)),
      signal,
    })
    const session = this.#sessionOf(begun)
    try {
      if (begun.status >= 300 || session === null) {
        if (this.notWritten(begun) !== 'refused') return begun
        throw this.#client.refusal(begun, what)
      }
      let [part, offset] = [first, 0]
      for (;;) {
        const next = await rest.next()
        const total = next.done ? offset + part.length : null
        const answer = await this.#sendPart(write, session, { part, offset, total })
        if (answer.status !== 308) return answer
        if (next.done) throw this.#client.refusal(answer, what)
        offset += part.length
        part = next.value.bytes
      }
    } catch (error) {
      // The server itself forgets the upload after a week; what failed before is the error that counts.
      if (session !== null)
        await this.#client.ask({ method: 'DELETE', key, ...session, patienceMs: 5000 }).catch(() => {})
      throw error
    } finally {
      await rest.return?.()
    }
  }

  /** A part whose answer was lost may have been kept in part, and the server says how far. */
  async #sendPart(
    { key, signal, what }: ObjectWrite,
    session: { readonly path: string; readonly query: Readonly<Record<string, string>> },
    { part, offset, total }: { part: Uint8Array; offset: number; total: number | null },
  ): Promise<Answer> {
    const end = offset + part.length
    for (let from = offset; ; ) {
      const body = part.subarray(from - offset)
      const range = body.length === 0 ? `bytes */${total ?? '*'}` : `bytes ${from}-${end - 1}/${total ?? '*'}`
      const answer = await this.#client.ask({
        method: 'PUT',
        key,
        ...session,
        headers: { 'content-range': range },
        body,
        isSlow: total !== null,
        signal,
      })
      if (answer.status !== 308) return answer
      const kept = Number(/-(\d+)$/.exec(headerOf(answer, 'range') ?? '')?.[1] ?? -1) + 1
      if (kept === end && total === null) return answer
      if (kept <= from || kept > end) throw this.#client.refusal(answer, what)
      from = kept
    }
  }

  /** The address of an upload opens it to anybody, so that it is believed only where it is of the same server. */
  #sessionOf(
    answer: Answer,
  ): { readonly path: string; readonly query: Readonly<Record<string, string>> } | null {
    const location = headerOf(answer, 'location')
    if (location === null || !URL.canParse(location)) return null
    const url = new URL(location)
    if (url.origin !== this.#place.endpoint.origin)
      throw new StorageError(
        'refused',
        `${this.address} sends an upload to ${url.host}, another server. Look at the endpoint.`,
      )
    return { path: url.pathname, query: Object.fromEntries(url.searchParams) }
  }

  /** A page says where the next one begins, so that pages are asked for one after the other. */
  async *list({ prefix, after, what, signal }: Listing): AsyncGenerator<StoredObject> {
    let pageToken = ''
    do {
      const answer = await this.#client.ask({
        method: 'GET',
        key: '',
        path: this.#objects(),
        query: {
          prefix,
          maxResults: PAGE,
          fields: `nextPageToken,items(${FIELDS})`,
          ...(after === undefined ? {} : { startOffset: after }),
          ...(pageToken === '' ? {} : { pageToken }),
        },
        signal,
      })
      if (answer.status >= 300) throw this.#client.refusal(answer, what)
      const { items = [], nextPageToken } = recordOf(answer)
      for (const item of Array.isArray(items) ? items : []) {
        yield objectOf(isRecord(item) ? item : {})
      }
      pageToken = typeof nextPageToken === 'string' ? nextPageToken : ''
    } while (pageToken !== '')
  }

  versionOf(answer: Answer): string {
    return headerOf(answer, 'x-goog-generation') ?? ''
  }

  onlyVersion(version: string | undefined): Pick<ObjectQuestion, 'query'> {
    return version === undefined ? {} : { query: { ifGenerationMatch: version } }
  }

  isNoBucket(answer: Answer): boolean {
    return isNoBucket(answer)
  }

  isNoObject(answer: Answer): boolean {
    return answer.status === 404 && !isNoBucket(answer)
  }

  isOf(answer: Answer, writer: string): boolean {
    return headerOf(answer, `x-goog-meta-${WRITER}`) === writer
  }

  notWritten(answer: Answer): NotWritten {
    if (answer.status === 412) return 'unmet'
    // A session that the server has forgotten.
    return (answer.status === 404 && !isNoBucket(answer)) || answer.status === 410 ? 'lost' : 'refused'
  }

  writtenVersion(answer: Answer): string | null {
    const { generation } = recordOf(answer)
    return typeof generation === 'string' ? generation : null
  }

  refusal(answer: Answer, what: string): StorageError {
    return this.#client.refusal(answer, what)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place.agent.destroy()
  }

  #objects(): string {
    return `/storage/v1/b/${encodeURIComponent(this.#place.bucket)}/o`
  }

  #uploads(): string {
    return `/upload${this.#objects()}`
  }
}

function described({ key, writer }: ObjectWrite, further: PlainRecord = {}): string {
  return JSON.stringify({ name: key, metadata: { [WRITER]: writer }, ...further })
}

/** Generation 0 is where nothing is. */
function conditionOf({ condition: { ifAbsent = false, ifVersion } }: ObjectWrite): Record<string, string> {
  if (ifAbsent) return { ifGenerationMatch: '0' }
  return ifVersion === undefined ? {} : { ifGenerationMatch: ifVersion }
}

/** Tells of an object what an answer to HEAD tells elsewhere. */
function asHead(object: PlainRecord): Answer {
  const { size, generation, updated, metadata } = object
  const writer = isRecord(metadata) ? metadata[WRITER] : undefined
  return {
    status: 200,
    headers: {
      'content-length': String(size),
      'x-goog-generation': String(generation),
      'last-modified': String(updated),
      ...(typeof writer === 'string' ? { [`x-goog-meta-${WRITER}`]: writer } : {}),
    },
    body: new Uint8Array(0),
  }
}

function objectOf({ name, size, generation, updated }: PlainRecord): StoredObject {
  return {
    key: String(name),
    size: Number(size),
    version: String(generation),
    modifiedMs: Date.parse(String(updated)),
  }
}
