/**
 * Writes pictures with their times for ffmpeg to read from a pipe: Matroska (RFC 9559) with plain pixels (`V_UNCOMPRESSED`), a cluster for each picture.
 * Nothing simpler that goes through a pipe tells each picture's own time.
 */
import type { RgbImage } from '../../../image/image.js'

/** Times count in units of this many nanoseconds. */
const TICK_NS = 1000
export const TICKS_PER_SECOND = 1e9 / TICK_NS

/** Begins a film of pictures of one size. */
export function rawHeader({ height, width }: Pick<RgbImage, 'height' | 'width'>): Uint8Array {
  const ebml = element(0x1a45dfa3, [
    element(0x4282, text('matroska')),
    element(0x4287, number(4)),
    element(0x4285, number(2)),
  ])
  const info = element(0x1549a966, [
    element(0x2ad7b1, number(TICK_NS)),
    element(0x4d80, text('plumage')),
    element(0x5741, text('plumage')),
  ])
  const picture = element(0xe0, [
    element(0xb0, number(width)),
    element(0xba, number(height)),
    element(0x2eb524, text('RGB\x18')),
  ])
  const track = element(0xae, [
    element(0xd7, number(1)),
    element(0x73c5, number(1)),
    element(0x83, number(1)),
    element(0x86, text('V_UNCOMPRESSED')),
    picture,
  ])
  // How long the whole is, nobody knows yet.
  const segment = Buffer.from([0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
  return Buffer.concat([ebml, segment, info, element(0x1654ae6b, [track])])
}

/** Stands before the pixels of a picture. @param ticks is its time */
export function rawFrameHead({ data }: RgbImage, ticks: number): Uint8Array {
  const time = element(0xe7, number(ticks))
  // A block of track 1, at the cluster's own time, that needs no other.
  const block = Buffer.from([0x81, 0, 0, 0x80])
  const blockHead = Buffer.concat([id(0xa3), size(block.length + data.length), block])
  return Buffer.concat([id(0x1f43b675), size(time.length + blockHead.length + data.length), time, blockHead])
}

function element(name: number, content: Uint8Array | readonly Uint8Array[]): Uint8Array {
  const bytes = content instanceof Uint8Array ? content : Buffer.concat(content)
  return Buffer.concat([id(name), size(bytes.length), bytes])
}

function id(name: number): Uint8Array {
  return number(name)
}

/** Is always written in eight bytes. */
function size(length: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(length) | (1n << 56n))
  return bytes
}

/** Writes a whole number without zeros in front. */
function number(value: number): Uint8Array {
  const digits = value.toString(16)
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
}

function text(value: string): Uint8Array {
  return Buffer.from(value, 'latin1')
}
