/** Why there is nothing to work on. A single file that cannot be read is no such reason: it fails alone, later. */
export type InputErrorCode = 'nothing-found' | 'unreadable-folder'

export class InputError extends Error {
  override readonly name = 'InputError'
  readonly code: InputErrorCode

  constructor(code: InputErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.code = code
  }
}
