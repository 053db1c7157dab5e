/**
 * Asks Azure's storage of blobs: signs, tries again what may pass, and renews credentials that have expired. What it gives is an answer that another try would not change. What
 * is asked and how it is signed is told in Microsoft's reference of the Blob service's REST API (Authorize with Shared Key; version 2021-12-02).
 */
import { createHash, createHmac } from 'node:crypto'
import type { Dispatcher } from 'undici'
import { StorageError } from '../../../../storage/storage-error.js'
import { type Answer, askOnce, headerOf } from '../ask-once.js'
import { PatientClient, refusalOf } from '../objects/ask-patiently.js'
import { codeOf, documentOf, MOST_DOCUMENT } from '../objects/document.js'
import type { KeptCredentials } from '../objects/kept-credentials.js'
import type { ObjectQuestion } from '../objects/object-server.js'
import { textOf } from '../objects/xml.js'
import type { AzureCredentials } from './azure-credentials.js'

export interface AzurePlace {
  readonly account: string
  readonly container: string
  /** Stands in front of containers. */
  readonly endpoint: URL
  readonly credentials: KeptCredentials<AzureCredentials>
  readonly agent: Dispatcher
  readonly patienceMs: number
  readonly stallMs: number
}

const VERSION = '2021-12-02'
const PASSING_CODES = new Set([
  'Md5Mismatch',
  'ServerBusy',
  'OperationTimedOut',
  'InternalError',
  'ContainerBeingDeleted',
])

export class AzureClient {
  readonly #place: AzurePlace
  readonly #client: PatientClient<AzureCredentials>
  #used: AzureCredentials | null = null

  constructor(place: AzurePlace) {
    this.#place = place
    this.#client = new PatientClient({
      host: () => place.endpoint.host,
      credentials: place.credentials,
      patienceMs: place.patienceMs,
      send: (question, credentials, skewMs) => this.#send(question, credentials, skewMs),
      codeOf: azureCodeOf,
      isPassing: (code) => PASSING_CODES.has(code),
    })
  }

  /** Throws as `PatientClient`. */
  async ask(question: ObjectQuestion): Promise<Answer> {
    return await this.#client.ask(question, this.#labelOf(question))
  }

  #labelOf({ method, key }: ObjectQuestion): string {
    return `${method} ${this.#place.container}/${key}`
  }

  async #send(
    question: ObjectQuestion,
    credentials: AzureCredentials | null,
    skewMs: number,
  ): Promise<Answer> {
    const { method, body, isSlow = false, mostBytes = MOST_DOCUMENT, signal } = question
    this.#used = credentials
    const url = this.#urlOf(question, credentials)
    const { agent, stallMs } = this.#place
    return await askOnce(agent, {
      method,
      url,
      headers: this.#headersOf(url, question, credentials, skewMs),
      body,
      label: this.#labelOf(question),
      stallMs: isSlow ? 2 * stallMs : stallMs,
      mostBytes,
      signal,
    })
  }

  #urlOf({ key, query = {} }: ObjectQuestion, credentials: AzureCredentials | null): URL {
    const { endpoint, container } = this.#place
    const url = new URL(endpoint)
    const names = key === '' ? [container] : [container, ...key.split('/')]
    url.pathname = [url.pathname.replace(/\/$/, ''), ...names.map(encoded)].join('/')
    const own = Object.entries(query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    const signature = credentials?.kind === 'signature' ? [credentials.signature] : []
    url.search = [...own, ...signature].join('&')
    return url
  }

  /** The digest of the body goes along, so that a server finds a body that was changed or cut on the way. */
  #headersOf(
    url: URL,
    { method, headers = {}, body }: ObjectQuestion,
    credentials: AzureCredentials | null,
    skewMs: number,
  ): Record<string, string> {
    const all: Record<string, string> = {
      ...headers,
      'x-ms-version': VERSION,
      'x-ms-date': new Date(Date.now() + skewMs).toUTCString(),
      ...(body === undefined ? {} : { 'content-md5': createHash('md5').update(body).digest('base64') }),
    }
    if (credentials?.kind === 'token') return { ...all, authorization: `Bearer ${credentials.token}` }
    if (credentials?.kind !== 'key') return all
    const { account } = this.#place
    const signature = createHmac('sha256', Buffer.from(credentials.key, 'base64'))
      .update(textToSign(account, method, url, all, body?.length ?? 0))
      .digest('base64')
    return { ...all, authorization: `SharedKey ${account}:${signature}` }
  }

  #secrets(): readonly string[] {
    const used = this.#used
    if (used === null) return []
    if (used.kind === 'token') return [used.token]
    return [used.kind === 'key' ? used.key : used.signature]
  }

  /** Says why a server does not do what it was asked, without anything secret: of what it says only the code and the message are told. */
  refusal(answer: Answer, what: string): StorageError {
    const { container, endpoint, account } = this.#place
    const code = azureCodeOf(answer)
    if (code === 'ContainerNotFound')
      return new StorageError(
        'refused',
        `${what}: there is no container ${container} in the account ${account} at ${endpoint.host}. Make it, or correct the address or the account.`,
      )
    const [message = ''] = (textOf(documentOf(answer), 'Message') ?? '').split('\n')
    const { host } = endpoint
    const { status } = answer
    return refusalOf({ what, host, status, code, message, secrets: this.#secrets(), place: 'this account' })
  }
}

/** An answer to HEAD has its code in a header. */
export function azureCodeOf(answer: Answer): string {
  return headerOf(answer, 'x-ms-error-code') ?? codeOf(answer)
}

/** Are what is signed of the usual headers, in this order, behind the length of the body. */
const SIGNED = [
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
]

function textToSign(
  account: string,
  method: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
  length: number,
): string {
  const ofAzure = Object.entries(headers)
    .filter(([name]) => name.startsWith('x-ms-'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}\n`)
  const query = [...url.searchParams]
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `\n${name}:${value}`)
  // The encoding and the language of the body stay empty, since neither is sent.
  const head = [
    method,
    '',
    '',
    length === 0 ? '' : String(length),
    ...SIGNED.map((name) => headers[name] ?? ''),
  ]
  return `${head.join('\n')}\n${ofAzure.join('')}/${account}${url.pathname}${query.join('')}`
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
