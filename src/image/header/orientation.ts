/**
 * Decides which way a photo lies as Pillow's `getexif` does (Image.py of Pillow 13), which `ImageOps.exif_transpose` goes by: EXIF counts where it has
 * the tag at all, whatever stands in it; else the first `tiff:Orientation` of the XMP text.
 */
import { firstNumberOrNull, tiffDirectoryOrNull } from '../tiff/directory.js'

/** Holds what a file says of its orientation, as its format wraps it. */
export interface OrientationClues {
  /** Is a TIFF structure, before which `Exif\0\0` may stand. */
  readonly exif: Uint8Array | null
  readonly xmp: Uint8Array | null
}

const ORIENTATION_TAG = 0x0112
const SHORT = 3

/** Gives 1 to 8; what is no orientation counts as 1. */
export function orientationFrom({ exif, xmp }: OrientationClues): number {
  const told = exif === null ? null : exifOrientationOrNull(exif)
  return upright(told ?? (xmp === null ? 1 : xmpOrientation(xmp)))
}

/** Gives null where the tag is not there; 0 where it is and holds no number. */
export function exifOrientationOrNull(exif: Uint8Array): number | null {
  const bytes = withoutMark(exif)
  const directory = tiffDirectoryOrNull(bytes)
  const entry = directory?.entries.get(ORIENTATION_TAG)
  if (directory === null || entry === undefined) return null
  return firstNumberOrNull(bytes, directory, entry) ?? 0
}

function xmpOrientation(xmp: Uint8Array): number {
  // What is looked for is ASCII, so that any encoding that keeps ASCII will do.
  const [, digit = '1'] = /tiff:Orientation(?:="|>)([0-9])/.exec(new TextDecoder('latin1').decode(xmp)) ?? []
  return Number(digit)
}

function upright(found: number): number {
  return [2, 3, 4, 5, 6, 7, 8].includes(found) ? found : 1
}

/** Says how to change some bytes of a file, of which there are as many as before. */
export interface ByteEdit {
  /** Counts bytes from the beginning of the file. */
  readonly offset: number
  readonly bytes: readonly number[]
}

/** Makes the EXIF block at `start` say that the photo lies as it is stored; there is no edit where it says nothing. */
export function uprightExifEdits(file: Uint8Array, start: number, end: number): readonly ByteEdit[] {
  const block = file.subarray(start, end)
  const bytes = withoutMark(block)
  const directory = tiffDirectoryOrNull(bytes)
  const entry = directory?.entries.get(ORIENTATION_TAG)
  if (directory === null || entry === undefined || entry.type !== SHORT) return []
  const offset = start + block.length - bytes.length + entry.offset
  return [{ offset, bytes: directory.littleEndian ? [1, 0] : [0, 1] }]
}

const EXIF_MARK = 'Exif\0\0'

/** Takes away the mark, which some programs write twice. */
function withoutMark(exif: Uint8Array): Uint8Array {
  let start = 0
  while (start < 12 && String.fromCharCode(...exif.subarray(start, start + 6)) === EXIF_MARK) start += 6
  return exif.subarray(start)
}
