/** Says what S3 credentials are, and keeps them until they expire. Nothing here is ever written anywhere, or said in a message. */

/** Is what requests to S3 are signed with. */
export interface S3Credentials {
  /** Is the public half. */
  readonly accessKeyId: string
  /** Is the secret half. */
  readonly secretAccessKey: string
  /** Goes along with credentials that expire. */
  readonly sessionToken?: string
  /** Is when they expire, in milliseconds since 1970; undefined: never. */
  readonly expiresMs?: number
}

/** Gives credentials anew; null signs nothing, for buckets that are public. */
export type GiveCredentials = (signal: AbortSignal | undefined) => Promise<S3Credentials | null>

/** So long before they expire new ones are asked for. */
const EARLY_MS = 5 * 60_000

export class KeptCredentials {
  readonly #give: GiveCredentials
  #kept: S3Credentials | null | undefined
  #asked: Promise<S3Credentials | null> | null = null

  constructor(give: GiveCredentials) {
    this.#give = give
  }

  /** Many who ask at once share one question, so that it is nobody's signal that ends it. */
  async get(): Promise<S3Credentials | null> {
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
  async renew(refused: S3Credentials | null): Promise<boolean> {
    // Another request may have renewed them since.
    if (this.#kept !== undefined && !isSame(this.#kept, refused)) return true
    return !isSame(await this.#ask(), refused)
  }

  async #ask(): Promise<S3Credentials | null> {
    this.#asked ??= this.#give(undefined).finally(() => {
      this.#asked = null
    })
    this.#kept = await this.#asked
    return this.#kept
  }
}

function isEnding(credentials: S3Credentials | null, earlyMs: number): boolean {
  return credentials?.expiresMs !== undefined && credentials.expiresMs - earlyMs <= Date.now()
}

function isSame(a: S3Credentials | null, b: S3Credentials | null): boolean {
  return (
    a?.accessKeyId === b?.accessKeyId &&
    a?.sessionToken === b?.sessionToken &&
    a?.secretAccessKey === b?.secretAccessKey
  )
}
