/**
 * Advice says what to do next where the user is. Each field ends a message about a download, in whole
 * sentences.
 */
export interface Advice {
  /** Begins a sentence that says how the same file is asked for once more, such as "Run again". */
  readonly again: string
  readonly notFound: string
  readonly forbidden: string
  readonly busy: string
  readonly wrongHash: string
}
