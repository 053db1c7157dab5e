/** Reads the markers of a JPEG (ITU T.81) up to its pixels, as Pillow's JpegImagePlugin goes through them. */
import { concatenateBytes } from '../../tensor/concatenate.js'
import { type ImageHeader, textAt } from './image-header.js'
import { type ByteEdit, orientationFrom, uprightExifEdits } from './orientation.js'

const EXIF = 'Exif\0\0'
const XMP = 'http://ns.adobe.com/xap/1.0/\0'
const APP1 = 0xe1

export function readJpegHeader(file: Uint8Array): ImageHeader {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  let size: ImageHeader['size'] = null
  let xmp: Uint8Array | null = null
  const exif: Uint8Array[] = []
  const uprightEdits: ByteEdit[] = []
  for (const { marker, start, end } of segments(view)) {
    if (isFrame(marker) && start + 5 <= view.byteLength) {
      size = { height: view.getUint16(start + 1), width: view.getUint16(start + 3) }
    }
    if (marker !== APP1) continue
    if (textAt(view, start, EXIF.length) === EXIF) {
      // A block that does not fit into one segment goes on in the next, after the same mark.
      exif.push(file.subarray(exif.length === 0 ? start : start + EXIF.length, end))
      uprightEdits.push(...uprightExifEdits(file, start, end))
    }
    if (textAt(view, start, XMP.length) === XMP) xmp = file.subarray(start + XMP.length, end)
  }
  const orientation = orientationFrom({ exif: exif.length === 0 ? null : concatenateBytes(exif), xmp })
  return { size, orientation, uprightEdits, mayHaveAlpha: false }
}

/** Names a kind of JPEG that browsers, sharp and most programs do not decode; null for all others. */
export function rareJpegOrNull(file: Uint8Array): string | null {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  for (const { marker, start } of segments(view)) {
    if (!isFrame(marker) || start >= view.byteLength) continue
    const bits = view.getUint8(start)
    // The codes of frames say how they are packed (T.81, table B.1).
    if ([0xc3, 0xc7, 0xcb, 0xcf].includes(marker)) return 'lossless JPEG'
    if ([0xc5, 0xc6, 0xcd, 0xce].includes(marker)) return 'hierarchical JPEG'
    return bits === 8 ? null : `JPEG of ${bits} bits`
  }
  return null
}

interface Segment {
  /** Is the second byte of the marker. */
  readonly marker: number
  /** The body begins here, after its length. */
  readonly start: number
  readonly end: number
}

/** What lies between segments is passed over. */
function* segments(view: DataView): Generator<Segment> {
  let at = 2
  while (at + 4 <= view.byteLength) {
    const marker = view.getUint8(at + 1)
    if (view.getUint8(at) !== 0xff || marker === 0xff) {
      at++
      continue
    }
    // Some markers have no length.
    if (marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2
      continue
    }
    // Here pixels begin, or the file ends.
    if (marker === 0xda || marker === 0xd9) return
    const end = at + 2 + view.getUint16(at + 2)
    if (end > view.byteLength || end < at + 4) return
    yield { marker, start: at + 4, end }
    at = end
  }
}

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
}
