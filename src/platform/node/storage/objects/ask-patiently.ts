/** Asks a server of objects with credentials that may have expired, and with a clock that may be wrong, until it answers what another try would not change. */
import { StorageError } from '../../../../storage/storage-error.js'
import { type Answer, headerOf, retryAfterOf } from '../ask-once.js'
import { keepTrying, Passing } from '../passing.js'
import { documentOf } from './document.js'
import type { Expiring, KeptCredentials } from './kept-credentials.js'
import type { ObjectQuestion } from './object-server.js'

const PASSING_STATUS = new Set([408, 429, 500, 502, 503, 504])
/** Servers that judge signatures by the clock take a quarter of an hour. */
const SKEW_MS = 4 * 60_000

/** Is what a kind of server has of its own. */
export interface PatientAsker<Credentials extends Expiring> {
  /** Names the server, for messages. */
  host(): string
  readonly credentials: KeptCredentials<Credentials>
  readonly patienceMs: number
  /** @param skewMs is what the server's clock says more than ours */
  send(question: ObjectQuestion, credentials: Credentials | null, skewMs: number): Promise<Answer>
  codeOf(answer: Answer): string
  /** Says of an answer whether the next one may be another, beside those whose status tells it. */
  isPassing?(code: string, answer: Answer, question: ObjectQuestion): boolean
  /** Are said of credentials that have expired, beside the statuses 401 and 403. */
  readonly expiredCodes?: ReadonlySet<string>
  /** Mends what else of ours was wrong, which is tried once in a question; tells whether something was. */
  mends?(answer: Answer): boolean
}

/** Says what has not been tried yet to mend in a question. */
interface Untried {
  mayMend: boolean
  mayTellTime: boolean
  mayRenew: boolean
}

export class PatientClient<Credentials extends Expiring> {
  readonly #asker: PatientAsker<Credentials>
  /** Is what the server's clock says more than ours, in milliseconds: signatures are judged by that. */
  #skewMs = 0

  constructor(asker: PatientAsker<Credentials>) {
    this.#asker = asker
  }

  /** Throws `StorageError` `unavailable` and what finding credentials throws; the signal's reason. */
  async ask(question: ObjectQuestion, label: string): Promise<Answer> {
    const { patienceMs = this.#asker.patienceMs, mustHold, signal } = question
    const untried = { mayMend: true, mayTellTime: true, mayRenew: true }
    return await keepTrying(
      async () => {
        const used = await this.#asker.credentials.get()
        const answer = await this.#asker.send(question, used, this.#skewMs)
        if (answer.status < 300) {
          if (mustHold === undefined || documentOf(answer).includes(mustHold)) return answer
          throw new Passing(
            `${label} is answered with a document of ${this.#asker.host()} that ends before its end`,
          )
        }
        const code = this.#asker.codeOf(answer)
        const said = `${label} is answered with ${answer.status} ${code} by ${this.#asker.host()}`
        const isPassing =
          PASSING_STATUS.has(answer.status) || this.#asker.isPassing?.(code, answer, question) === true
        if (isPassing) throw new Passing(said, retryAfterOf(answer))
        if (await this.#mends(answer, code, used, untried)) throw new Passing(said, { waitMs: 0 })
        return answer
      },
      { patienceMs, signal },
    )
  }

  /** Finds what of ours was wrong, once for each kind in one question. */
  async #mends(answer: Answer, code: string, used: Credentials | null, untried: Untried): Promise<boolean> {
    if (untried.mayMend && this.#asker.mends?.(answer) === true) {
      untried.mayMend = false
      return true
    }
    const isRefused = answer.status === 403 || answer.status === 401
    if (!isRefused && this.#asker.expiredCodes?.has(code) !== true) return false
    const theirs = Date.parse(headerOf(answer, 'date') ?? '')
    if (untried.mayTellTime && Math.abs(theirs - (Date.now() + this.#skewMs)) > SKEW_MS) {
      untried.mayTellTime = false
      this.#skewMs = theirs - Date.now()
      return true
    }
    if (!untried.mayRenew) return false
    untried.mayRenew = false
    return await this.#asker.credentials.renew(used)
  }
}

/** Is what a server says of a question that it does not do. */
export interface Refusal {
  /** Begins the message. */
  readonly what: string
  readonly host: string
  readonly status: number
  readonly code: string
  readonly message: string
  /** Are taken out of its message, since some servers repeat what they were sent. */
  readonly secrets: readonly string[]
  /** Names what credentials must be of: `this place`. */
  readonly place: string
}

/** Says why a server does not do what it was asked: of what it says only the code and the message are told. */
export function refusalOf({ what, host, status, code, message, secrets, place }: Refusal): StorageError {
  const shown = secrets.reduce((text, secret) => text.replaceAll(secret, '…'), message).slice(0, 300)
  const advice =
    status === 403 || status === 401
      ? `Look whether the credentials are those of ${place}, and what they may do there.`
      : 'Look at what the server says.'
  return new StorageError(
    'refused',
    `${what}: ${host} answers ${status} ${code}${shown === '' ? '' : ` "${shown}"`}. ${advice}`,
  )
}
