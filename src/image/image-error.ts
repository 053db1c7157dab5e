/** Why an image cannot be used. Programs branch on the code, people read the message. */
export type ImageErrorCode =
  | 'not-found'
  | 'empty'
  | 'not-an-image'
  | 'truncated'
  | 'too-large'
  | 'unsupported'

export class ImageError extends Error {
  override readonly name = 'ImageError'
  readonly code: ImageErrorCode

  constructor(code: ImageErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.code = code
  }
}
