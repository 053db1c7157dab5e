/**
 * Looks at the runs of a Parquet page before they are read: levels and indices into a dictionary are stored as runs, each with a count, and a count that is
 * wrong would have the reader fill an array that never ends (Encodings.md of the Parquet project, "RLE / Bit-packing hybrid").
 */

/** Is a page of data whose pages have been judged, with its bytes unpacked. */
export interface PageRuns {
  /** Counts the values, nulls among them. */
  readonly values: number
  /** Is the number that Parquet has for how the values are stored. */
  readonly encoding: number
  readonly maxRepetition: number
  readonly maxDefinition: number
  readonly isBoolean: boolean
  /** Is of a page of the second version alone, whose levels are never packed and whose header counts their bytes, and the nulls. */
  readonly second: {
    readonly levels: Uint8Array
    readonly repetitionBytes: number
    readonly nulls: number
  } | null
  /** Holds the values, behind the levels in a page of the first version. */
  readonly bytes: Uint8Array
}

const PLAIN_DICTIONARY = 2
const RLE = 3
const RLE_DICTIONARY = 8
/** Writers pack whole groups of eight, and say so of up to 63 of them at once. */
const MOST_PADDED = 63 * 8

/** Throws Error for runs that hold more than the page has. */
export function checkParquetRuns(page: PageRuns): void {
  const { values, encoding, maxRepetition, maxDefinition, isBoolean, second, bytes } = page
  const view = viewOf(bytes)
  let at = 0
  let present = values
  if (second === null) {
    if (maxRepetition > 0) at = walkLevels(view, at, maxRepetition, values).end
    if (maxDefinition > 0) {
      const levels = walkLevels(view, at, maxDefinition, values)
      at = levels.end
      present = levels.found
    }
  } else {
    const levels = viewOf(second.levels)
    if (maxRepetition > 0) walkRuns(levels, 0, bitsOf(maxRepetition), values)
    if (maxDefinition > 0) walkRuns(levels, second.repetitionBytes, bitsOf(maxDefinition), values)
    present = values - second.nulls
  }
  if (present < 0) throw new Error(`a page has ${values} values, and says that more are null`)
  if (isBoolean && encoding === RLE) walkRuns(view, at + 4, 1, present)
  if (isBoolean || ![PLAIN_DICTIONARY, RLE, RLE_DICTIONARY].includes(encoding) || present === 0) return
  const width = view.getUint8(at)
  if (width > 32) throw new Error(`a page has indices of ${width} bits`)
  // In a page of the first version, indices of no bits are all 0 and have no runs.
  if (width > 0 || second !== null) walkRuns(view, at + 1, width, present)
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

function bitsOf(level: number): number {
  return 32 - Math.clz32(level)
}

/** Walks levels that stand behind the count of their bytes. Says where they end, and how many are the largest level. */
function walkLevels(view: DataView, at: number, most: number, count: number) {
  const length = view.getUint32(at, true)
  return { end: at + 4 + length, found: walkRuns(view, at + 4, bitsOf(most), count, most) }
}

/** Gives how many of the values are `wanted`. */
function walkRuns(view: DataView, from: number, width: number, count: number, wanted = -1): number {
  let found = 0
  let at = from
  for (let seen = 0; seen < count; ) {
    let header = 0
    for (let scale = 1, byte = 128; byte >= 128; scale *= 128) {
      if (at >= view.byteLength) throw new Error('the runs of a page end before its values do')
      byte = view.getUint8(at++)
      header += (byte & 127) * scale
    }
    const isPacked = header % 2 === 1
    const run = Math.floor(header / 2) * (isPacked ? 8 : 1)
    if (run > count - seen + (isPacked ? MOST_PADDED : 0))
      throw new Error(`a run of a page has ${run} values, where ${count - seen} are left`)
    if (isPacked) {
      if (wanted >= 0) found += wantedIn(view, at, width, Math.min(run, count - seen), wanted)
      at += (run / 8) * width
    } else {
      const bytes = Math.ceil(width / 8)
      let value = 0
      for (let i = 0; i < bytes; i++) value += view.getUint8(at++) * 2 ** (8 * i)
      if (value === wanted) found += run
    }
    seen += run
  }
  return found
}

/** Counts values among those that are packed, the lowest bits first; bits behind the end are 0. */
function wantedIn(view: DataView, at: number, width: number, count: number, wanted: number): number {
  let found = 0
  for (let i = 0; i < count; i++) {
    let value = 0
    for (let bit = 0; bit < width; bit++) {
      const place = i * width + bit
      const byte = at + (place >> 3)
      if (byte < view.byteLength) value |= ((view.getUint8(byte) >> (place & 7)) & 1) << bit
    }
    if (value === wanted) found++
  }
  return found
}
