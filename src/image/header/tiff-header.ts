/** Reads the size and the orientation of a TIFF's first image, which Pillow turns by itself. */
import { firstNumberOrNull, tiffDirectoryOrNull } from '../tiff/directory.js'
import type { ImageHeader } from './image-header.js'
import { orientationFrom } from './orientation.js'

const WIDTH = 256
const HEIGHT = 257
const XMP = 700

export function readTiffHeader(file: Uint8Array): ImageHeader {
  const directory = tiffDirectoryOrNull(file)
  if (directory === null) return { size: null, orientation: 1, uprightEdits: [], mayHaveAlpha: true }
  const [width, height] = [WIDTH, HEIGHT].map((tag) => {
    const entry = directory.entries.get(tag)
    return entry === undefined ? null : firstNumberOrNull(file, directory, entry)
  })
  const size = width == null || height == null ? null : { width, height }
  const entry = directory.entries.get(XMP)
  const xmp = entry === undefined ? null : file.subarray(entry.offset, entry.offset + entry.count)
  return { size, orientation: orientationFrom({ exif: file, xmp }), uprightEdits: [], mayHaveAlpha: true }
}
