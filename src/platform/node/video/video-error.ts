/** Says why a clip gives no frames, or none can be written. Programs branch on the code, people read the message. */
import { CodedError } from '../../../coded-error.js'

/** Says why a clip gives no frames, or why none is written. */
export type VideoErrorCode =
  /** There is no ffmpeg on this machine, or it does not start: the message says how to get one. */
  | 'no-ffmpeg'
  /** The ffmpeg that is there is older than 5.1, or lacks a part that this clip needs. */
  | 'unfit-ffmpeg'
  /** There is no such file. Check the path. */
  | 'not-found'
  /** The file is there, but it may not or cannot be read. */
  | 'unreadable'
  /** It does not begin as any film that is read. */
  | 'not-a-video'
  /** It is a list of other files or addresses, such as m3u8, and these are never followed. */
  | 'playlist'
  /** The file has no pictures, as one of sound alone. */
  | 'no-frames'
  /** Its levels are not those of a usual screen (PQ, HLG, Dolby Vision): `toneMap` names a way to bring them there. */
  | 'hdr'
  /** It is of a kind that is not read: turned by an odd angle, without times, of a codec that this ffmpeg lacks. */
  | 'unsupported'
  /** A frame has more pixels than allowed. */
  | 'too-large'
  /** The file is damaged from its beginning on. */
  | 'undecodable'
  /** The film that was to be written cannot be: its ending, its place, or a sound that its format does not hold. */
  | 'not-writable'
  /** The ffmpeg under way was ended by somebody else. */
  | 'interrupted'

/** Is thrown where a clip cannot be read or written. `code` is for programs, `message` says what to do. */
export class VideoError extends CodedError<VideoErrorCode> {
  override readonly name = 'VideoError'
}
