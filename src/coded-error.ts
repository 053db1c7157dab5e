/**
 * Every named error of this library is one of these: programs branch on the code, people read the message, which says what was found, what was
 * expected, which thing, and what to do next. Each room that can fail has one class of it.
 */
export abstract class CodedError<Code extends string> extends Error {
  /** Says what happened, for programs. */
  readonly code: Code

  constructor(code: Code, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.code = code
  }
}
