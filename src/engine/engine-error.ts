/** Why a plan cannot be run. Programs branch on the code, people read the message. */
export type EngineErrorCode =
  | 'unsupported'
  | 'unavailable'
  | 'out-of-memory'
  | 'disposed'
  | 'wrong-size'
  | 'non-finite'

export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly code: EngineErrorCode

  constructor(code: EngineErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.code = code
  }
}
