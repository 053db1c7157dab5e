/** Says why an image cannot be used. Programs branch on the code, people read the message. */
import { CodedError } from '../coded-error.js'

/** Says why an image cannot be used. */
export type ImageErrorCode =
  /** There is no such file. Check the path. */
  | 'not-found'
  /** The file is there, but it may not or cannot be read. */
  | 'unreadable'
  /** The file has no bytes. Copy it again. */
  | 'empty'
  /** It does not begin as any image that can be decoded. */
  | 'not-an-image'
  /** The image is of a kind that is not decoded, such as HEIC; or a setting asks for what no recipe here does. */
  | 'unsupported'
  /** The file is cut off, or damaged in another way: decoders cannot always tell which. */
  | 'truncated'
  /** The decoder gives up for a reason that does not tell damage from a kind that it does not know. */
  | 'undecodable'
  /** It has more bytes or pixels than allowed (`maxFileBytes`, `maxPixels`), or is too long a strip to be resized. */
  | 'too-large'
  /** An address may not be asked: the network is not to be used, or it leads to a private one. */
  | 'refused'
  /** The server, or the way to it, did not give the image. */
  | 'download-failed'
  /** Pixels were given as an array whose length is not that of its height and width. */
  | 'wrong-shape'

/** Is thrown where an image cannot be used. `code` is for programs, `message` says what to do. */
export class ImageError extends CodedError<ImageErrorCode> {
  override readonly name = 'ImageError'
}
