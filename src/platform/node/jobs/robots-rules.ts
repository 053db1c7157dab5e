/** Keeps to what servers let be fetched: robots.txt (RFC 9309), asked for once a day. */
import robotsParser from 'robots-parser'
import type { RowFailure } from '../../../jobs/row.js'

/** Is the name under which rules are looked up. */
export const ROBOT = 'plumage'

/** What is longer is cut off there. */
export const MOST_ROBOTS_BYTES = 500 * 1024

const DAY_MS = 86_400_000
/** A server that does not say is asked again after this time; until then nothing is fetched from it. */
const UNKNOWN_MS = 300_000
/** A longer time between two requests would mean that nothing is fetched. */
const LONGEST_DELAY_MS = 30_000
const MOST_SERVERS = 10_000

/** Is what a server answers to the question for its robots.txt: its text, that it has none, or why none of its addresses is fetched. */
export type RobotsAnswer = { readonly text: string | null } | { readonly failure: RowFailure }

interface Rules {
  readonly refuses: (url: URL) => RowFailure | null
  /** Is the time between two requests that the server asks for. */
  readonly delayMs: number
  readonly untilMs: number
}

/** Its default export is the function, which its types do not say of a module of Node's older kind. */
const parse = robotsParser as unknown as (
  url: string,
  text: string,
) => {
  isAllowed(url: string, robot: string): boolean | undefined
  getCrawlDelay(robot: string): number | undefined
}

export class RobotsRules {
  readonly #ask: (url: URL, signal: AbortSignal) => Promise<RobotsAnswer>
  readonly #servers = new Map<string, Promise<Rules>>()

  /** @param ask follows redirects, and throws the signal's reason alone */
  constructor(ask: (url: URL, signal: AbortSignal) => Promise<RobotsAnswer>) {
    this.#ask = ask
  }

  /** Says why an address is not fetched, or null, and how long its server wants to be left alone between two requests. */
  async judge(
    url: URL,
    signal: AbortSignal,
  ): Promise<{ readonly failure: RowFailure | null; readonly delayMs: number }> {
    const { refuses, delayMs } = await this.#rulesOf(url, signal)
    return { failure: refuses(url), delayMs }
  }

  async #rulesOf(url: URL, signal: AbortSignal): Promise<Rules> {
    for (;;) {
      const known = this.#servers.get(url.origin)
      if (known === undefined) return await this.#learn(url.origin, signal)
      // Whoever asked may have given up, which is nothing to those who wait with it.
      const rules = await known.catch(() => null)
      signal.throwIfAborted()
      if (rules !== null && rules.untilMs > performance.now()) return rules
      if (this.#servers.get(url.origin) === known) this.#servers.delete(url.origin)
    }
  }

  #learn(origin: string, signal: AbortSignal): Promise<Rules> {
    const [oldest] = this.#servers.keys()
    if (this.#servers.size >= MOST_SERVERS && oldest !== undefined) this.#servers.delete(oldest)
    const address = new URL('/robots.txt', origin)
    const asked = this.#ask(address, signal).then((answer) => rulesFrom(address, answer))
    this.#servers.set(origin, asked)
    return asked
  }
}

function rulesFrom(address: URL, answer: RobotsAnswer): Rules {
  if ('failure' in answer)
    return { refuses: () => answer.failure, delayMs: 0, untilMs: performance.now() + UNKNOWN_MS }
  const untilMs = performance.now() + DAY_MS
  if (answer.text === null) return { refuses: () => null, delayMs: 0, untilMs }
  const rules = parse(address.href, answer.text.replace(/^\ufeff/, ''))
  return {
    // Of another scheme or port nothing is said.
    refuses: ({ href, origin, pathname }) =>
      rules.isAllowed(href, ROBOT) === false
        ? {
            code: 'refused-robots',
            reason: `the robots.txt of ${origin} forbids ${pathname}`,
            transient: false,
          }
        : null,
    delayMs: Math.min(LONGEST_DELAY_MS, (rules.getCrawlDelay(ROBOT) ?? 0) * 1000),
    untilMs,
  }
}
