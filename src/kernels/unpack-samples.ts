/** Reads rows of samples of any width into levels of 8 bits, as Pillow's unpackers and its conversions to RGB do together. */

/**
 * Reads `count` samples that follow each other in `row`, and writes a level for each to `out`, from `start` on and `step` apart.
 */
export type UnpackSamples = (
  row: Uint8Array,
  count: number,
  out: Uint8Array,
  start: number,
  step: number,
  littleEndian: boolean,
) => void

export const unpackBytes: UnpackSamples = (row, count, out, start, step) => {
  if (step === 1) out.set(row.subarray(0, count), start)
  else for (let i = 0, to = start; i < count; i++, to += step) out[to] = row[i]
}

/**
 * Samples of 1, 2 or 4 bits stand highest first.
 *
 * @param factor spreads them over 0 to 255, or is 1 for indices
 */
export function unpackBits(bits: number, factor: number): UnpackSamples {
  const most = (1 << bits) - 1
  return (row, count, out, start, step) => {
    for (let i = 0, to = start; i < count; i++, to += step) {
      const bit = i * bits
      out[to] = ((row[bit >> 3] >> (8 - bits - (bit & 7))) & most) * factor
    }
  }
}

/** Takes the upper of each two bytes. */
export const unpackUpperBytes: UnpackSamples = (row, count, out, start, step, littleEndian) => {
  const first = littleEndian ? 1 : 0
  for (let i = 0, to = start; i < count; i++, to += step) out[to] = row[2 * i + first]
}

/** Two samples of 12 bits lie in three bytes, highest first. */
export const unpack12Bits: UnpackSamples = (row, count, out, start, step) => {
  for (let i = 0, to = start; i < count; i++, to += step) {
    const at = (i >> 1) * 3
    const value = i % 2 === 0 ? (row[at] << 4) | (row[at + 1] >> 4) : ((row[at + 1] & 15) << 8) | row[at + 2]
    out[to] = Math.min(value, 255)
  }
}

/** Cuts numbers at 0 and 255 and drops their fraction; what is no number becomes 0. */
export function unpackClipped(
  size: 2 | 4,
  read: (view: DataView, at: number, littleEndian: boolean) => number,
): UnpackSamples {
  return (row, count, out, start, step, littleEndian) => {
    const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
    for (let i = 0, to = start; i < count; i++, to += step) {
      const value = read(view, i * size, littleEndian)
      out[to] = value >= 255 ? 255 : value > 0 ? Math.trunc(value) : 0
    }
  }
}
