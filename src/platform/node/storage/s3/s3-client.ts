/**
 * Asks an S3 server: signs, tries again what may pass, renews credentials that have expired, and follows a bucket to its region. What it gives is an answer
 * that another try would not change.
 */
import { createHash } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import type { Dispatcher } from 'undici'
import { StorageError } from '../../../../storage/storage-error.js'
import { type Answer, askOnce, headerOf, retryAfterOf } from '../ask-once.js'
import { codeOf, documentOf } from '../objects/document.js'
import type { KeptCredentials } from '../objects/kept-credentials.js'
import type { ObjectQuestion } from '../objects/object-server.js'
import { textOf } from '../objects/xml.js'
import { keepTrying, Passing } from '../passing.js'
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

const PASSING_STATUS = new Set([408, 429, 500, 502, 503, 504])
const PASSING_CODES = new Set([
  'RequestTimeout',
  'SlowDown',
  'InternalError',
  'ServiceUnavailable',
  'IncompleteBody',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
])
const MOST_DOCUMENT = 2 ** 24
const SLOW_MS = 180_000
/** S3 takes a quarter of an hour. */
const SKEW_MS = 4 * 60_000

export class S3Client {
  readonly #place: S3Place
  #region: string
  /** Is what the server's clock says more than ours, in milliseconds: signatures are judged by that. */
  #skewMs = 0

  #used: S3Credentials | null = null

  constructor(place: S3Place) {
    this.#place = place
    this.#region = place.region
  }

  /** Names the server, for messages. */
  get host(): string {
    return this.#base().host
  }

  /** Throws `StorageError` `unavailable` and what finding credentials throws; the signal's reason. */
  async ask(question: ObjectQuestion): Promise<Answer> {
    const { patienceMs = this.#place.patienceMs, mustHold, signal } = question
    const label = `${question.method} ${this.#place.bucket}/${question.key}`
    const state = { mayRenew: true, mayMove: true, mayTellTime: true }
    return await keepTrying(
      async () => {
        const credentials = await this.#place.credentials.get()
        this.#used = credentials
        const answer = asTold(await this.#send(question, label, credentials), question)
        if (answer.status < 300) {
          if (mustHold === undefined || documentOf(answer).includes(mustHold)) return answer
          throw new Passing(`${label} is answered with a document of ${this.host} that ends before its end`)
        }
        const code = codeOf(answer)
        if (isPassing(answer, question) || PASSING_CODES.has(code))
          throw new Passing(
            `${label} is answered with ${answer.status} ${code} by ${this.host}`,
            retryAfterOf(answer),
          )
        if (await this.#mends(answer, code, credentials, state))
          throw new Passing(`${label} is answered with ${answer.status} ${code}`, { waitMs: 0 })
        return answer
      },
      { patienceMs, signal },
    )
  }

  /** Finds what of ours was wrong, once for each kind in one question: the region, the clock, the credentials. */
  async #mends(
    answer: Answer,
    code: string,
    credentials: S3Credentials | null,
    state: { mayRenew: boolean; mayMove: boolean; mayTellTime: boolean },
  ): Promise<boolean> {
    const region = headerOf(answer, 'x-amz-bucket-region') ?? textOf(documentOf(answer), 'Region')
    if (
      state.mayMove &&
      region !== null &&
      region !== this.#region &&
      [301, 307, 400, 403].includes(answer.status)
    ) {
      state.mayMove = false
      this.#region = region
      return true
    }
    if (answer.status !== 403 && answer.status !== 401 && code !== 'ExpiredToken' && code !== 'InvalidToken')
      return false
    const theirs = Date.parse(headerOf(answer, 'date') ?? '')
    if (state.mayTellTime && Math.abs(theirs - (Date.now() + this.#skewMs)) > SKEW_MS) {
      state.mayTellTime = false
      this.#skewMs = theirs - Date.now()
      return true
    }
    if (!state.mayRenew) return false
    state.mayRenew = false
    return await this.#place.credentials.renew(credentials)
  }

  async #send(question: ObjectQuestion, label: string, credentials: S3Credentials | null): Promise<Answer> {
    const { method, key, query = {}, body, isSlow = false, mostBytes = MOST_DOCUMENT, signal } = question
    const url = this.#urlOf(key, query)
    const signed = await this.#sign(url, question, credentials)
    const { agent, stallMs } = this.#place
    return await askOnce(agent, {
      method,
      url,
      headers: signed,
      body,
      label,
      stallMs: isSlow ? Math.max(SLOW_MS, stallMs) : stallMs,
      mostBytes,
      signal,
    })
  }

  /** The digest of the body is signed, so that a server finds a body that was changed or cut on the way. */
  async #sign(
    url: URL,
    { method, headers = {}, body }: ObjectQuestion,
    credentials: S3Credentials | null,
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
      datetime: new Date(Date.now() + this.#skewMs).toISOString().replace(/[:-]|\.\d{3}/g, ''),
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

  /** Some servers repeat what they were sent. */
  #withoutSecrets(text: string): string {
    const { accessKeyId, secretAccessKey, sessionToken } = this.#used ?? {}
    const secrets = [accessKeyId, secretAccessKey, sessionToken].filter((secret) => secret !== undefined)
    return secrets.reduce((shown, secret) => shown.replaceAll(secret, '…'), text)
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
    const message = this.#withoutSecrets(textOf(xml, 'Message') ?? '').slice(0, 300)
    const advice =
      answer.status === 403 || answer.status === 401
        ? 'Look whether the credentials are those of this place, and what they may do there.'
        : 'Look at what the server says.'
    return new StorageError(
      'refused',
      `${what}: ${this.host} answers ${answer.status} ${code}${message === '' ? '' : ` "${message}"`}. ${advice}`,
    )
  }
}

/** Two who wrote at the same time may both be told of a conflict, and one of them may win the next time; parts have to be sent anew then. */
function isPassing({ status }: Answer, { method }: ObjectQuestion): boolean {
  return PASSING_STATUS.has(status) || (status === 409 && method !== 'POST')
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
