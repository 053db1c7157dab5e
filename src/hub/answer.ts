/**
 * A platform asks servers for the download and hands back their answers, so that the state machine itself
 * knows no socket.
 */

export interface Answer {
  readonly status: number
  /** Names the address that answered in the end, after all redirects. */
  readonly url: URL
  /** Gives a header by its name in lower case; null where there is none, or where the platform hides it. */
  header(name: string): string | null
  /** It can be walked through once. Whatever it throws is taken for a cut of the connection. */
  readonly body: AsyncIterable<Uint8Array>
  /** Lets go of a body that nobody wants, however long it is. */
  cancel(): Promise<void>
}

export interface Question {
  readonly method: 'GET' | 'HEAD'
  readonly headers: Readonly<Record<string, string>>
  /** Ends the question and, later, the walk through the body. */
  readonly signal: AbortSignal
}

export interface Opener {
  /**
   * Says whether `If-Range` may be sent. Where it may not, the version that the answer names is looked at
   * instead.
   */
  readonly sendsIfRange: boolean
  /** Says whether headers of an answer may be hidden from us, as browsers hide those of other origins. */
  readonly hidesHeaders: boolean
  /**
   * Says whether an encoded body (`Content-Encoding`) arrives decoded, so that `Content-Length` says nothing
   * of its bytes.
   */
  readonly decodes: boolean
  /**
   * Asks once, follows redirects, and hands back an answer of whatever other status. Throws `PassingTrouble`
   * for what may be gone at the next try, `HubError` for what will not, the signal's reason when aborted.
   */
  open(url: URL, question: Question): Promise<Answer>
}
