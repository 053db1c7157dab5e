/**
 * Reads directories of a TIFF structure, which TIFF files and EXIF blocks share, with the choices that Pillow's ImageFileDirectory_v2 makes:
 * the first of two entries with one tag counts, an entry of an unknown type or with values outside the bytes is passed over, and what a
 * cut directory still holds is kept.
 */

export interface TiffDirectory {
  readonly littleEndian: boolean
  readonly isBig: boolean
  readonly entries: ReadonlyMap<number, TiffEntry>
  /** Holds the tags whose values lie outside of the bytes. */
  readonly cut: ReadonlySet<number>
  /** Tells that the bytes end within the list of entries. */
  readonly isShort: boolean
}

export interface TiffEntry {
  /** Is one of TIFF's numbers for types. */
  readonly type: number
  readonly count: number
  /** Counts bytes from the beginning of the structure to the first value. */
  readonly offset: number
}

/** Gives the bytes that a value of each type takes. */
const SIZE_OF_TYPE: ReadonlyMap<number, number> = new Map([
  [1, 1],
  [2, 1],
  [3, 2],
  [4, 4],
  [5, 8],
  [6, 1],
  [7, 1],
  [8, 2],
  [9, 4],
  [10, 8],
  [11, 4],
  [12, 8],
  [13, 4],
  [16, 8],
])

type ReadNumber = (view: DataView, at: number, littleEndian: boolean) => number

/** Reads the types whose values Pillow hands on as numbers; bytes (1) and texts are none. */
const NUMBERS: ReadonlyMap<number, ReadNumber> = new Map<number, ReadNumber>([
  [3, (view, at, little) => view.getUint16(at, little)],
  [4, (view, at, little) => view.getUint32(at, little)],
  [5, (view, at, little) => view.getUint32(at, little) / view.getUint32(at + 4, little)],
  [6, (view, at) => view.getInt8(at)],
  [8, (view, at, little) => view.getInt16(at, little)],
  [9, (view, at, little) => view.getInt32(at, little)],
  [10, (view, at, little) => view.getInt32(at, little) / view.getInt32(at + 4, little)],
  [11, (view, at, little) => view.getFloat32(at, little)],
  [12, (view, at, little) => view.getFloat64(at, little)],
  [13, (view, at, little) => view.getUint32(at, little)],
  [16, (view, at, little) => Number(view.getBigUint64(at, little))],
])

/** Gives null where the bytes do not begin as a TIFF structure or their directory lies outside of them. */
export function tiffDirectoryOrNull(bytes: Uint8Array): TiffDirectory | null {
  if (bytes.length < 8) return null
  const view = viewOf(bytes)
  const mark = String.fromCharCode(...bytes.subarray(0, 4))
  const littleEndian = mark.startsWith('II')
  const isBig = ['MM\0+', 'II+\0'].includes(mark)
  if (!isBig && !['II*\0', 'MM\0*', 'MM*\0', 'II\0*'].includes(mark)) return null
  if (isBig && bytes.length < 16) return null
  const start = isBig ? Number(view.getBigUint64(8, littleEndian)) : view.getUint32(4, littleEndian)
  return tiffDirectoryAtOrNull(bytes, start, { littleEndian, isBig })
}

type Layout = Pick<TiffDirectory, 'littleEndian' | 'isBig'>

/** Reads another directory of the same structure. Gives null where it lies outside of the bytes. */
export function tiffDirectoryAtOrNull(
  bytes: Uint8Array,
  start: number,
  { littleEndian, isBig }: Layout,
): TiffDirectory | null {
  if (!(start >= 0 && start + (isBig ? 8 : 2) <= bytes.length)) return null
  return { littleEndian, isBig, ...readEntries(viewOf(bytes), start, { littleEndian, isBig }) }
}

function readEntries(
  view: DataView,
  start: number,
  { littleEndian, isBig }: Layout,
): Omit<TiffDirectory, keyof Layout> {
  const entries = new Map<number, TiffEntry>()
  const cut = new Set<number>()
  const count = isBig ? Number(view.getBigUint64(start, littleEndian)) : view.getUint16(start, littleEndian)
  const [first, length, inside] = isBig ? [start + 8, 20, 8] : [start + 2, 12, 4]
  for (let i = 0; i < count; i++) {
    const at = first + i * length
    if (at + length > view.byteLength) return { entries, cut, isShort: true }
    const tag = view.getUint16(at, littleEndian)
    const type = view.getUint16(at + 2, littleEndian)
    const values = isBig
      ? Number(view.getBigUint64(at + 4, littleEndian))
      : view.getUint32(at + 4, littleEndian)
    const size = SIZE_OF_TYPE.get(type)
    if (size === undefined || values === 0 || entries.has(tag)) continue
    const place = at + length - inside
    const offset = values * size <= inside ? place : numberAt(view, place, { littleEndian, isBig })
    if (offset + values * size <= view.byteLength) entries.set(tag, { type, count: values, offset })
    else cut.add(tag)
  }
  return { entries, cut, isShort: false }
}

function numberAt(view: DataView, at: number, { littleEndian, isBig }: Layout): number {
  return isBig ? Number(view.getBigUint64(at, littleEndian)) : view.getUint32(at, littleEndian)
}

/** Gives the entry's first value, or null where its type holds no numbers. */
export function firstNumberOrNull(
  bytes: Uint8Array,
  { littleEndian }: TiffDirectory,
  { type, offset }: TiffEntry,
): number | null {
  const read = NUMBERS.get(type)
  return read === undefined ? null : read(viewOf(bytes), offset, littleEndian)
}

/** Gives all of an entry's values, bytes as numbers too, or null where its type holds none. */
export function numbersOrNull(
  bytes: Uint8Array,
  { littleEndian }: TiffDirectory,
  { type, count, offset }: TiffEntry,
): readonly number[] | null {
  if (type === 1) return [...bytes.subarray(offset, offset + count)]
  const read = NUMBERS.get(type)
  const size = SIZE_OF_TYPE.get(type)
  if (read === undefined || size === undefined) return null
  const view = viewOf(bytes)
  return Array.from({ length: count }, (_, i) => read(view, offset + i * size, littleEndian))
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
