/**
 * Asks Google's storage by its JSON API, of whose objects each has a generation, by which reads and writes are conditional (Cloud Storage JSON API v1: objects, uploads, request
 * preconditions).
 */
import type { Dispatcher } from 'undici'
import { isRecord, type PlainRecord, parseJsonOrNull } from '../../../../plain-value.js'
import { StorageError } from '../../../../storage/storage-error.js'
import { type Answer, askOnce } from '../ask-once.js'
import { PatientClient, refusalOf } from '../objects/ask-patiently.js'
import { documentOf, MOST_DOCUMENT } from '../objects/document.js'
import type { IdentityToken } from '../objects/identity-tokens.js'
import type { KeptCredentials } from '../objects/kept-credentials.js'
import type { ObjectQuestion } from '../objects/object-server.js'

export interface GooglePlace {
  readonly bucket: string
  readonly endpoint: URL
  readonly credentials: KeptCredentials<IdentityToken>
  readonly agent: Dispatcher
  readonly patienceMs: number
  readonly stallMs: number
}

/** Is a question by the path below the endpoint, and not by a key. */
export interface GoogleQuestion extends ObjectQuestion {
  /** Begins with a slash; what stands in it is encoded. */
  readonly path: string
}

export class GoogleClient {
  readonly #place: GooglePlace
  readonly #client: PatientClient<IdentityToken>
  #used: IdentityToken | null = null

  constructor(place: GooglePlace) {
    this.#place = place
    this.#client = new PatientClient({
      host: () => place.endpoint.host,
      credentials: place.credentials,
      patienceMs: place.patienceMs,
      send: (question, credentials) => this.#send(question as GoogleQuestion, credentials),
      codeOf: reasonOf,
    })
  }

  /** Throws as `PatientClient`. */
  async ask(question: GoogleQuestion): Promise<Answer> {
    return await this.#client.ask(question, this.#labelOf(question))
  }

  #labelOf({ method, key }: ObjectQuestion): string {
    return `${method} ${this.#place.bucket}/${key}`
  }

  async #send(question: GoogleQuestion, credentials: IdentityToken | null): Promise<Answer> {
    const { method, path, query = {}, headers = {}, body, isSlow = false, mostBytes, signal } = question
    const { endpoint, agent, stallMs } = this.#place
    this.#used = credentials
    const url = new URL(endpoint)
    url.pathname = url.pathname.replace(/\/$/, '') + path
    url.search = String(new URLSearchParams(query))
    return await askOnce(agent, {
      method,
      url,
      headers: credentials === null ? headers : { ...headers, authorization: `Bearer ${credentials.token}` },
      body,
      label: this.#labelOf(question),
      stallMs: isSlow ? 2 * stallMs : stallMs,
      mostBytes: mostBytes ?? MOST_DOCUMENT,
      signal,
    })
  }

  /** Says why a server does not do what it was asked, without anything secret. */
  refusal(answer: Answer, what: string): StorageError {
    const { bucket, endpoint } = this.#place
    if (isNoBucket(answer))
      return new StorageError(
        'refused',
        `${what}: there is no bucket ${bucket} at ${endpoint.host}. Make it, or correct the address.`,
      )
    const { message } = errorOf(answer)
    return refusalOf({
      what,
      host: endpoint.host,
      status: answer.status,
      code: reasonOf(answer),
      message: typeof message === 'string' ? message : '',
      secrets: this.#used === null ? [] : [this.#used.token],
      place: 'this bucket',
    })
  }
}

export function isNoBucket(answer: Answer): boolean {
  return answer.status === 404 && /bucket does not exist/i.test(documentOf(answer))
}

/** Gives what an answer's document says; an empty record where it is none. */
export function recordOf(answer: Answer): PlainRecord {
  const found = parseJsonOrNull(documentOf(answer))
  return isRecord(found) ? found : {}
}

function errorOf(answer: Answer): PlainRecord {
  const { error } = recordOf(answer)
  return isRecord(error) ? error : {}
}

function reasonOf(answer: Answer): string {
  const { errors } = errorOf(answer)
  const [first] = Array.isArray(errors) ? errors : []
  return isRecord(first) && typeof first.reason === 'string' ? first.reason : ''
}
