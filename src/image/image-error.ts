/** Says why an image cannot be used. Programs branch on the code, people read the message. */
import { CodedError } from '../coded-error.js'

export type ImageErrorCode =
  | 'not-found'
  /** The file is there, but it may not or cannot be read. */
  | 'unreadable'
  | 'empty'
  | 'not-an-image'
  /** The image is of a kind that is not decoded, such as HEIC; or a setting asks for what no recipe here does. */
  | 'unsupported'
  /** The file is cut off, or damaged in another way: decoders cannot always tell which. */
  | 'truncated'
  /** The decoder gives up for a reason that does not tell damage from a kind that it does not know. */
  | 'undecodable'
  | 'too-large'
  /** An address may not be asked: the network is not to be used, or it leads to a private one. */
  | 'refused'
  /** The server, or the way to it, did not give the image. */
  | 'download-failed'
  /** Pixels were given as an array whose length is not that of its height and width. */
  | 'wrong-shape'

export class ImageError extends CodedError<ImageErrorCode> {
  override readonly name = 'ImageError'
}
