/** Asks a server of objects with credentials that may have expired, and with a clock that may be wrong, until it answers what another try would not change. */
import { type Answer, headerOf, retryAfterOf } from '../ask-once.js'
import { keepTrying, Passing } from '../passing.js'
import { documentOf } from './document.js'
import type { Expiring, KeptCredentials } from './kept-credentials.js'
import type { ObjectQuestion } from './object-server.js'

const PASSING_STATUS = new Set([408, 429, 500, 502, 503, 504])
/** A server that judges signatures by the clock takes a quarter of an hour. */
const SKEW_MS = 4 * 60_000

export interface PatientAsker<Credentials extends Expiring> {
  readonly host: string
  readonly credentials: KeptCredentials<Credentials>
  readonly patienceMs: number
  /** @param skewMs is what the server's clock says more than ours */
  send(question: ObjectQuestion, credentials: Credentials | null, skewMs: number): Promise<Answer>
  codeOf(answer: Answer): string
  /** Are of answers that may be others at the next try, whatever their status is. */
  readonly passingCodes: ReadonlySet<string>
}

export class PatientClient<Credentials extends Expiring> {
  readonly #asker: PatientAsker<Credentials>
  #skewMs = 0

  constructor(asker: PatientAsker<Credentials>) {
    this.#asker = asker
  }

  /** Throws `StorageError` `unavailable` and what finding credentials throws; the signal's reason. */
  async ask(question: ObjectQuestion, label: string): Promise<Answer> {
    const { credentials, host, passingCodes } = this.#asker
    const { patienceMs = this.#asker.patienceMs, mustHold, signal } = question
    const state = { mayRenew: true, mayTellTime: true }
    return await keepTrying(
      async () => {
        const used = await credentials.get()
        const answer = await this.#asker.send(question, used, this.#skewMs)
        if (answer.status < 300 || answer.status === 308) {
          if (mustHold === undefined || documentOf(answer).includes(mustHold)) return answer
          throw new Passing(`${label} is answered with a document of ${host} that ends before its end`)
        }
        const code = this.#asker.codeOf(answer)
        const said = `${label} is answered with ${answer.status} ${code} by ${host}`
        if (PASSING_STATUS.has(answer.status) || passingCodes.has(code))
          throw new Passing(said, retryAfterOf(answer))
        if (await this.#mends(answer, used, state)) throw new Passing(said, { waitMs: 0 })
        return answer
      },
      { patienceMs, signal },
    )
  }

  /** Finds what of ours was wrong, once for each kind in one question: the clock, the credentials. */
  async #mends(
    answer: Answer,
    used: Credentials | null,
    state: { mayRenew: boolean; mayTellTime: boolean },
  ): Promise<boolean> {
    if (answer.status !== 403 && answer.status !== 401) return false
    const theirs = Date.parse(headerOf(answer, 'date') ?? '')
    if (state.mayTellTime && Math.abs(theirs - (Date.now() + this.#skewMs)) > SKEW_MS) {
      state.mayTellTime = false
      this.#skewMs = theirs - Date.now()
      return true
    }
    if (!state.mayRenew) return false
    state.mayRenew = false
    return await this.#asker.credentials.renew(used)
  }
}

/** Some servers repeat what they were sent. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, '…'), text)
}
