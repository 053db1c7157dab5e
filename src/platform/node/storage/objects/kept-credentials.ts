/** Keeps credentials until they expire. Nothing here is ever written anywhere, or said in a message. */

export interface Expiring {
  /** Is when they expire, in milliseconds since 1970; undefined: never. */
  readonly expiresMs?: number
}

/** So long before they expire new ones are asked for. */
const EARLY_MS = 5 * 60_000

/** Null are those that sign nothing, for what is public. */
export class KeptCredentials<Credentials extends Expiring> {
  readonly #give: () => Promise<Credentials | null>
  #kept: Credentials | null | undefined
  #asked: Promise<Credentials | null> | null = null

  constructor(give: () => Promise<Credentials | null>) {
    this.#give = give
  }

  /** Many who ask at once share one question, so that it is nobody's signal that ends it. */
  async get(): Promise<Credentials | null> {
    if (this.#kept !== undefined && !isEnding(this.#kept, EARLY_MS)) return this.#kept
    try {
      return await this.#ask()
    } catch (error) {
      // The old ones are good for some minutes more, and what fails now may not fail then.
      if (this.#kept !== undefined && !isEnding(this.#kept, 0)) return this.#kept
      throw error
    }
  }

  /** Asks anew, since a server refuses those; tells whether others came. */
  async renew(refused: Credentials | null): Promise<boolean> {
    // Another request may have renewed them since.
    if (this.#kept !== undefined && !isSame(this.#kept, refused)) return true
    return !isSame(await this.#ask(), refused)
  }

  async #ask(): Promise<Credentials | null> {
    this.#asked ??= this.#give().finally(() => {
      this.#asked = null
    })
    this.#kept = await this.#asked
    return this.#kept
  }
}

function isEnding(credentials: Expiring | null, earlyMs: number): boolean {
  return credentials?.expiresMs !== undefined && credentials.expiresMs - earlyMs <= Date.now()
}

/** The same ones may be given another time to expire. */
function isSame(a: Expiring | null, b: Expiring | null): boolean {
  const told = (one: Expiring | null) =>
    JSON.stringify({ ...one, expiresMs: 0 }, Object.keys(one ?? {}).sort())
  return told(a) === told(b)
}
