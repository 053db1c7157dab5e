/**
 * Asks an S3 server: signs, tries again what may pass, renews credentials that have expired, and follows a bucket to its region. What it gives is an answer
 * that another try would not change.
 */
import { createHash } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import type { Dispatcher } from 'undici'
import { StorageError } from '../../../../storage/storage-error.js'
import { type Answer, askOnce, headerOf } from '../ask-once.js'
import { PatientClient, refusalOf } from '../objects/ask-patiently.js'
import { codeOf, documentOf, MOST_DOCUMENT } from '../objects/document.js'
import type { KeptCredentials } from '../objects/kept-credentials.js'
import type { ObjectQuestion } from '../objects/object-server.js'
import { textOf } from '../objects/xml.js'
import type { S3Credentials } from './credentials.js'

export interface S3Place {
  readonly bucket: string
  readonly region: string
  /** Undefined: Amazon's own. */
  readonly endpoint: URL | undefined
  readonly pathStyle: boolean
  readonly credentials: KeptCredentials<S3Credentials>
  readonly agent: Dispatcher
  readonly patienceMs: number
  readonly stallMs: number
}

const PASSING_CODES = new Set([
  'RequestTimeout',
  'SlowDown',
  'InternalError',
  'ServiceUnavailable',
  'IncompleteBody',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
])
const EXPIRED_CODES = new Set(['ExpiredToken', 'InvalidToken'])
const SLOW_MS = 180_000

export class S3Client {
  readonly #place: S3Place
  readonly #client: PatientClient<S3Credentials>
  #region: string
  #used: S3Credentials | null = null

  constructor(place: S3Place) {
    this.#place = place
    this.#region = place.region
    this.#client = new PatientClient({
      host: () => this.host,
      credentials: place.credentials,
      patienceMs: place.patienceMs,
      send: (question, credentials, skewMs) => this.#send(question, credentials, skewMs),
      codeOf,
      isPassing,
      expiredCodes: EXPIRED_CODES,
      mends: (answer) => this.#moves(answer),
    })
  }

  /** Names the server, for messages. */
  get host(): string {
    return this.#base().host
  }

  /** Throws as `PatientClient`. */
  async ask(question: ObjectQuestion): Promise<Answer> {
    return await this.#client.ask(question, this.#labelOf(question))
  }

  #labelOf({ method, key }: ObjectQuestion): string {
    return `${method} ${this.#place.bucket}/${key}`
  }

  /** Follows the bucket to its region. */
  #moves(answer: Answer): boolean {
    const region = headerOf(answer, 'x-amz-bucket-region') ?? textOf(documentOf(answer), 'Region')
    if (region === null || region === this.#region || ![301, 307, 400, 403].includes(answer.status))
      return false
    this.#region = region
    return true
  }

  async #send(question: ObjectQuestion, credentials: S3Credentials | null, skewMs: number): Promise<Answer> {
    const { method, key, query = {}, body, isSlow = false, mostBytes = MOST_DOCUMENT, signal } = question
    this.#used = credentials
    const url = this.#urlOf(key, query)
    const signed = await this.#sign(url, question, credentials, skewMs)
    const { agent, stallMs } = this.#place
    const answer = await askOnce(agent, {
      method,
      url,
      headers: signed,
      body,
      label: this.#labelOf(question),
      stallMs: isSlow ? Math.max(SLOW_MS, stallMs) : stallMs,
      mostBytes,
      signal,
    })
    return asTold(answer, question)
  }

  /** The digest of the body is signed, so that a server finds a body that was changed or cut on the way. */
  async #sign(
    url: URL,
    { method, headers = {}, body }: ObjectQuestion,
    credentials: S3Credentials | null,
    skewMs: number,
  ): Promise<Record<string, string>> {
    if (credentials === null) return { ...headers }
    const digest = createHash('sha256')
      .update(body ?? '')
      .digest('hex')
    const { headers: signed } = await new AwsV4Signer({
      method,
      url: url.href,
      headers: { ...headers, 'x-amz-content-sha256': digest },
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken === undefined ? {} : { sessionToken: credentials.sessionToken }),
      service: 's3',
      region: this.#region,
      datetime: new Date(Date.now() + skewMs).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    }).sign()
    return Object.fromEntries(signed)
  }

  #base(): URL {
    const { bucket, endpoint, pathStyle } = this.#place
    const ending = this.#region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
    const base = new URL(endpoint ?? `https://s3.${this.#region}.${ending}`)
    if (!pathStyle) base.hostname = `${bucket}.${base.hostname}`
    return base
  }

  #urlOf(key: string, query: Readonly<Record<string, string>>): URL {
    const { bucket, pathStyle } = this.#place
    const url = this.#base()
    const folder = url.pathname.replace(/\/$/, '')
    url.pathname = [folder, ...(pathStyle ? [bucket] : []), ...key.split('/').map(encoded)].join('/')
    url.search = Object.entries(query)
      .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
      .join('&')
    return url
  }

  #secrets(): readonly string[] {
    const { accessKeyId, secretAccessKey, sessionToken } = this.#used ?? {}
    return [accessKeyId, secretAccessKey, sessionToken].filter((secret) => secret !== undefined)
  }

  /** Says why a server does not do what it was asked, without anything secret: of what it says only the code and the message are told. */
  refusal(answer: Answer, what: string): StorageError {
    const { bucket } = this.#place
    const xml = documentOf(answer)
    const code = codeOf(answer)
    if (code === 'NoSuchBucket')
      return new StorageError(
        'refused',
        `${what}: there is no bucket ${bucket} at ${this.host}. Make it, or correct the address or the endpoint.`,
      )
    if (answer.status === 507 || code === 'QuotaExceeded')
      return new StorageError(
        'disk-full',
        `${what}: ${this.host} has no room (${answer.status} ${code}). Free some, or choose another place.`,
      )
    const message = textOf(xml, 'Message') ?? ''
    const { host } = this
    const { status } = answer
    return refusalOf({ what, host, status, code, message, secrets: this.#secrets(), place: 'this place' })
  }
}

/** Two who wrote at the same time may both be told of a conflict, and one of them may win the next time; parts have to be sent anew then. */
function isPassing(code: string, { status }: Answer, { method }: ObjectQuestion): boolean {
  return PASSING_CODES.has(code) || (status === 409 && method !== 'POST')
}

/** S3 sends 200 at once where putting parts together takes long, and what became of it in the document after that. */
function asTold(answer: Answer, { method }: ObjectQuestion): Answer {
  if (method !== 'POST' || answer.status !== 200) return answer
  const xml = documentOf(answer)
  if (!/^\s*(<\?xml[^>]*>)?\s*<Error[\s>]/.test(xml)) return answer
  return { ...answer, status: STATUS_OF_CODE[textOf(xml, 'Code') ?? ''] ?? 500 }
}

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  PreconditionFailed: 412,
  ConditionalRequestConflict: 409,
  NoSuchUpload: 404,
  NoSuchKey: 404,
  NoSuchBucket: 404,
  AccessDenied: 403,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  EntityTooSmall: 400,
  NotImplemented: 501,
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
