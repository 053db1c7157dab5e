/** Says what a job's rows are: each source row becomes one row of the result, embedded or failed with its reason. */

/**
 * Says where the bytes of a row's image lie: a whole file or object, or a range of one, as the member of a tar shard.
 * `address` is a path, or an address that begins with `file:`, `s3:`, `http:`, `https:` or `data:`.
 */
export interface Place {
  /** Leads to the file or object. */
  readonly address: string
  /** Is the version of the object that the plan saw, where its place has versions: another one there fails the row. */
  readonly version?: string
  /** Is the first byte, of a range. */
  readonly offset?: number
  /** Counts the bytes of a range. */
  readonly length?: number
}

/** Is a row of the source, as the plan has it. */
export interface SourceRow {
  /**
   * Names the row within its source for good, as `line 17`, `bucket/key@version`, `shard.tar#42`: the proof counts these.
   */
  readonly id: string
  /** Names the image for people, as it stands in the result. */
  readonly name: string
  /** Says where its bytes lie. */
  readonly place: Place
}

/** Says why a row has no embedding. */
export interface RowFailure {
  /** Groups failures: `timeout`, `not-found`, `unreadable`, `refused`, `killed` … */
  readonly code: string
  /** Says for people what happened. */
  readonly reason: string
  /** Says that it may pass by itself, as an outage does. */
  readonly transient: boolean
}

/** Gives the SHA-256 of a text. */
export type RowHash = (text: string) => Uint8Array
