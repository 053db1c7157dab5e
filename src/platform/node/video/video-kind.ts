/**
 * Tells by its first bytes which kind of film a file is, and names the one part of ffmpeg that reads that kind. ffmpeg is never left to find out by
 * itself: what it takes for a list of other files would be followed, whatever the file is called.
 */

import { open } from 'node:fs/promises'
import { fileKindOrNull, nameOfKind } from '../../../image/image-format.js'
import { whyUnopened } from '../files/look-error.js'
import { VideoError } from './video-error.js'
import { isPlaylistName } from './video-name.js'

/** Names what of ffmpeg reads a kind of file; all of them keep to the one file that they are given. */
export type Demuxer = 'mov' | 'matroska' | 'avi' | 'mpegts' | 'mpeg' | 'flv' | 'asf' | 'ogg'

/** So many bytes tell a film, of which the packets of a transport stream are the longest mark. */
const KIND_BYTES = 1024
const TS_PACKETS = [188, 192] as const

/**
 * Throws `VideoError` `not-found`, `unreadable`, `playlist`, `unsupported`, `not-a-video`.
 *
 * @param path names it in messages
 */
export async function demuxerFor(file: string, path = file): Promise<Demuxer> {
  const bytes = await beginningOf(file, path)
  const text = Buffer.from(bytes).toString('latin1')
  if (isPlaylistName(file) || PLAYLIST_TEXT.test(text)) throw playlist(path)
  const demuxer = demuxerOrNull(bytes, text)
  if (demuxer !== null) return demuxer
  if (text.startsWith('\0\0\x01') || text.startsWith('\0\0\0\x01')) {
    throw new VideoError(
      'unsupported',
      `${path} is a bare stream of pictures, which says nothing of their times: put it into a film first, as with ffmpeg -i ${path} -c copy film.mp4.`,
    )
  }
  const kind = fileKindOrNull(bytes)
  const found = bytes.length === 0 ? 'is empty' : kind === null ? 'is no film' : `is ${nameOfKind(kind)}`
  throw new VideoError(
    'not-a-video',
    `${path} ${found}: expected MP4, MOV, Matroska, WebM, AVI, MPEG, FLV, WMV or Ogg. What it is, its first bytes say and not its name.`,
  )
}

/** A list may begin with a mark of its encoding, blanks, and comments. */
const PLAYLIST_TEXT =
  /^(\xef\xbb\xbf)?[\s\0]*(#EXTM3U|#EXT-X|ffconcat version|\[playlist\]|v=0\r?\n|<\?xml[^>]*>\s*(<!--.*?-->\s*)*<(MPD|playlist|asx|SmoothStreamingMedia|manifest)\b|<(MPD|playlist|asx|SmoothStreamingMedia)\b|(file|stream)\s+\S)/is

function playlist(path: string): VideoError {
  return new VideoError(
    'playlist',
    `${path} is a list of other files or addresses, and these are not followed: name the films themselves.`,
  )
}

function demuxerOrNull(bytes: Uint8Array, text: string): Demuxer | null {
  if (isIsoFilm(bytes, text)) return 'mov'
  if (text.startsWith('\x1a\x45\xdf\xa3')) return 'matroska'
  if (text.startsWith('RIFF') && text.startsWith('AVI', 8)) return 'avi'
  if (text.startsWith('FLV\x01')) return 'flv'
  if (text.startsWith('\x30\x26\xb2\x75\x8e\x66\xcf\x11')) return 'asf'
  if (text.startsWith('OggS')) return 'ogg'
  if (text.startsWith('\0\0\x01\xba')) return 'mpeg'
  return TS_PACKETS.some((length) => isTransportStream(bytes, length)) ? 'mpegts' : null
}

/** Photos are kept in the same boxes as films (HEIC, AVIF, raw ones of Canon). */
function isIsoFilm(bytes: Uint8Array, text: string): boolean {
  const isBox = /^.{4}(ftyp|moov|mdat|free|skip|wide|pnot|styp|moof|sidx)/s.test(text)
  const kind = fileKindOrNull(bytes)
  return isBox && !(kind !== null && (kind.decoder !== 'none' || kind.isImage))
}

function isTransportStream(bytes: Uint8Array, length: number): boolean {
  return [0, 1, 2, 3].every((packet) => bytes[length - 188 + packet * length] === 0x47)
}

async function beginningOf(name: string, path: string): Promise<Uint8Array> {
  try {
    await using file = await open(name)
    const stats = await file.stat()
    if (!stats.isFile()) {
      const kind = stats.isDirectory() ? 'a folder' : 'a pipe or device'
      throw new VideoError('not-a-video', `${path} is ${kind}, where a film is expected.`)
    }
    const { buffer, bytesRead } = await file.read(new Uint8Array(KIND_BYTES), 0, KIND_BYTES, 0)
    return buffer.subarray(0, bytesRead)
  } catch (cause) {
    throw cause instanceof VideoError ? cause : cannotOpen(path, cause)
  }
}

function cannotOpen(path: string, cause: unknown): VideoError {
  const { code, message } = whyUnopened(path, cause)
  return new VideoError(code, message, { cause })
}
