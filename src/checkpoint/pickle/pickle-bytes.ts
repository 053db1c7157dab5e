/** Reads a pickle's bytes one after the other. Every length is checked before memory is taken. */
import { CheckpointError } from '../checkpoint-error.js'
import { decodeUtf8 } from '../parse-json.js'

/** Longer lines hold neither a number nor the name of a global. */
const LONGEST_LINE = 512

export interface PickleBytes {
  /** Counts the bytes read so far. */
  position(): number
  u8(): number
  u16(): number
  u32(): number
  i32(): number
  /** Reads a length. What is beyond exact counting is also beyond the end, so that taking it throws. */
  u64(): number
  f64BigEndian(): number
  take(length: number): Uint8Array
  utf8(length: number): string
  /** Reads up to the next newline, which is skipped. */
  line(): string
}

/** `label` names the file in errors. Reading past the end throws `truncated`. */
export function pickleBytes(bytes: Uint8Array, label: string): PickleBytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0

  const advance = (length: number): number => {
    if (length > bytes.byteLength - at) {
      throw new CheckpointError(
        'truncated',
        `${label}: the pickle announces ${length} more bytes at ${at}, but ends at ${bytes.byteLength}`,
      )
    }
    at += length
    return at - length
  }
  const take = (length: number) => {
    const start = advance(length)
    return bytes.subarray(start, start + length)
  }
  const utf8 = (length: number) => decodeUtf8(take(length), `${label}: the text at ${at} of the pickle`)

  return {
    position: () => at,
    u8: () => view.getUint8(advance(1)),
    u16: () => view.getUint16(advance(2), true),
    u32: () => view.getUint32(advance(4), true),
    i32: () => view.getInt32(advance(4), true),
    u64: () => Number(view.getBigUint64(advance(8), true)),
    f64BigEndian: () => view.getFloat64(advance(8), false),
    take,
    utf8,
    line: () => {
      const newline = bytes.subarray(at, at + LONGEST_LINE).indexOf(10)
      if (newline < 0) {
        const code = bytes.byteLength - at < LONGEST_LINE ? 'truncated' : 'malformed'
        throw new CheckpointError(code, `${label}: a line of the pickle at ${at} has no end`)
      }
      const text = utf8(newline)
      at += 1
      return text
    },
  }
}
