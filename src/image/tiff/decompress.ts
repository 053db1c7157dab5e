/** Unpacks a strip or tile of a TIFF (TIFF 6.0, sections 9, 13 and 14; Adobe's supplement 2 for Deflate). */
import { unzlibSync } from 'fflate'

/** Fills `out`, or gives false where the bytes are damaged or end too soon. */
export type Decompress = (packed: Uint8Array, out: Uint8Array) => boolean

/** Gives null for a packing that is not unpacked here. A platform may have a faster way to inflate. */
export function decompressOrNull(
  compression: number,
  platformInflate: Decompress = inflate,
): Decompress | null {
  return INFLATED.includes(compression) ? platformInflate : (OTHERS.get(compression) ?? null)
}

const INFLATED = [8, 32946]

const OTHERS: ReadonlyMap<number, Decompress> = new Map<number, Decompress>([
  [1, copy],
  [5, unpackLzw],
  [32773, unpackBits],
])

function copy(packed: Uint8Array, out: Uint8Array): boolean {
  if (packed.length < out.length) return false
  out.set(packed.subarray(0, out.length))
  return true
}

function inflate(packed: Uint8Array, out: Uint8Array): boolean {
  try {
    return unzlibSync(packed, { out }).length === out.length
  } catch {
    return false
  }
}

function unpackBits(packed: Uint8Array, out: Uint8Array): boolean {
  let to = 0
  for (let at = 0; at < packed.length && to < out.length; ) {
    const head = ((packed[at] ?? 0) << 24) >> 24
    at++
    if (head >= 0) {
      const run = packed.subarray(at, at + Math.min(head + 1, out.length - to))
      out.set(run, to)
      to += run.length
      at += head + 1
    } else if (head !== -128) {
      const end = Math.min(to + 1 - head, out.length)
      const value = packed[at]
      if (value === undefined) return false
      out.fill(value, to, end)
      to = end
      at++
    }
  }
  return to === out.length
}

const CLEAR = 256
const END = 257
const FIRST_FREE = 258
const MOST_CODES = 4096

/**
 * Codes have 9 to 12 bits, highest first, and grow one code early. A string is kept as the place in the output where it was last written: no string is longer
 * than what has been written before it.
 */
function unpackLzw(packed: Uint8Array, out: Uint8Array): boolean {
  // Before TIFF 6.0 some programs wrote the bits the other way round.
  if (packed[0] === 0 && ((packed[1] ?? 0) & 1) === 1) return false
  const starts = new Uint32Array(MOST_CODES)
  const lengths = new Uint16Array(MOST_CODES)
  let [bits, held, at, to] = [0, 0, 0, 0]
  let width = 9
  let next = FIRST_FREE
  let previous = -1
  let previousStart = 0
  while (to < out.length) {
    while (bits < width) {
      const byte = packed[at++]
      if (byte === undefined) return false
      held = ((held << 8) | byte) & 0xffffff
      bits += 8
    }
    bits -= width
    const code = (held >> bits) & ((1 << width) - 1)
    if (code === END) return false
    if (code === CLEAR) {
      width = 9
      next = FIRST_FREE
      previous = -1
      continue
    }
    const start = to
    if (code < CLEAR) out[to++] = code
    else {
      // The string that is about to be added is known too: it is the one before and its own first letter.
      const isNew = code === next && previous >= 0
      if (code > next || (code === next && !isNew) || code < FIRST_FREE) return false
      const from = isNew ? previousStart : (starts[code] ?? 0)
      const length = isNew ? start - previousStart + 1 : (lengths[code] ?? 0)
      const end = Math.min(to + length, out.length)
      for (let i = from; to < end; i++) out[to++] = out[i] ?? 0
    }
    if (previous >= 0 && next < MOST_CODES) {
      starts[next] = previousStart
      lengths[next] = start - previousStart + 1
      next++
    }
    if (next + 1 >= 1 << width && width < 12) width++
    previous = code
    previousStart = start
  }
  return true
}
