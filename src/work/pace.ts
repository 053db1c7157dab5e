/**
 * Says when finished work is to be made safe, which costs time each time: at an age that grows with the run, from the first to the last of these, at
 * this share of the run's time. A run that is soon ended has moved forward all the same, and one of many days does not do it a million times.
 */
const AGE_MS = [500, 30_000] as const
const SHARE = 0.05

/** Tells the time in milliseconds since some moment. */
export type Clock = () => number

export class Pace {
  readonly #clock: Clock
  readonly #begun: number
  #since: number | null = null

  constructor(clock: Clock = () => performance.now()) {
    this.#clock = clock
    this.#begun = clock()
  }

  /** Is asked with each piece of work that is not safe yet, and tells whether all of it should be made so now. */
  isDue(): boolean {
    const now = this.#clock()
    this.#since ??= now
    const [shortest, longest] = AGE_MS
    return now - this.#since > Math.min(Math.max((now - this.#begun) * SHARE, shortest), longest)
  }

  /** Is told that all is safe. */
  rest(): void {
    this.#since = null
  }
}
