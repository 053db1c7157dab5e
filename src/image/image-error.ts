/** Why an image cannot be used. Programs branch on the code, people read the message. */
import { CodedError } from '../coded-error.js'

export type ImageErrorCode =
  | 'not-found'
  /** There, but it may not or cannot be read. */
  | 'unreadable'
  | 'empty'
  | 'not-an-image'
  /** An image of a kind that is not decoded, such as HEIC; or a setting that no recipe here follows. */
  | 'unsupported'
  /** Cut off, or damaged in another way: decoders cannot always tell which. */
  | 'truncated'
  | 'too-large'
  /** Pixels given as an array whose length is not that of its height and width. */
  | 'wrong-shape'

export class ImageError extends CodedError<ImageErrorCode> {
  override readonly name = 'ImageError'
}
