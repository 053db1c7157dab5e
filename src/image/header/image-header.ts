/** Describes what a file says of itself before any pixel is decoded. */
import type { ByteEdit } from './orientation.js'

export interface ImageHeader {
  /** Counts pixels as stored, before any turning; it is null where the format is not looked into or the file lies. */
  readonly size: { readonly width: number; readonly height: number } | null
  /** Is EXIF's, 1 to 8, and 1 where there is none. */
  readonly orientation: number
  /** Make the file say nothing of any turning. */
  readonly uprightEdits: readonly ByteEdit[]
  /** Tells whether pixels may be anything but opaque. */
  readonly mayHaveAlpha: boolean
}

/** Looks like text where a format has names of four letters; it is empty where the bytes end before. */
export function textAt(view: DataView, at: number, length: number): string {
  if (at < 0 || at + length > view.byteLength) return ''
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, length))
}
