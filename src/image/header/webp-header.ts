/** Reads the chunks of a WebP (RFC 9649). */
import { type ImageHeader, textAt } from './image-header.js'
import { type ByteEdit, orientationFrom, uprightExifEdits } from './orientation.js'

/** libwebp hands a chunk out only where the header announces it. */
const ANNOUNCED = { alpha: 0x10, exif: 0x08, xmp: 0x04 }

export function readWebpHeader(file: Uint8Array): ImageHeader {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  let size: ImageHeader['size'] = null
  let mayHaveAlpha = false
  let announced = 0
  let exif: Uint8Array | null = null
  let xmp: Uint8Array | null = null
  const uprightEdits: ByteEdit[] = []
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const kind = textAt(view, at, 4)
    const length = view.getUint32(at + 4, true)
    const start = at + 8
    const found = FRAMES[kind]?.(view, start) ?? null
    if (found !== null) {
      size ??= found
      mayHaveAlpha ||= kind === 'VP8L'
    }
    if (kind === 'VP8X' && found !== null) {
      announced = view.getUint8(start)
      mayHaveAlpha ||= (announced & ANNOUNCED.alpha) !== 0
    }
    if (kind === 'EXIF') {
      if ((announced & ANNOUNCED.exif) !== 0) exif ??= file.subarray(start, start + length)
      uprightEdits.push(...uprightExifEdits(file, start, start + length))
    }
    if (kind === 'XMP ' && (announced & ANNOUNCED.xmp) !== 0) xmp ??= file.subarray(start, start + length)
    at = start + length + (length % 2)
  }
  return { size, orientation: orientationFrom({ exif, xmp }), uprightEdits, mayHaveAlpha }
}

/** Read the size out of the chunks that have one; null where they are cut off. */
const FRAMES: { readonly [kind: string]: (view: DataView, start: number) => ImageHeader['size'] } = {
  VP8X: (view, start) =>
    start + 10 > view.byteLength
      ? null
      : { width: uint24(view, start + 4) + 1, height: uint24(view, start + 7) + 1 },
  'VP8 ': (view, start) =>
    start + 10 > view.byteLength
      ? null
      : {
          width: view.getUint16(start + 6, true) & 0x3fff,
          height: view.getUint16(start + 8, true) & 0x3fff,
        },
  VP8L: (view, start) => {
    if (start + 5 > view.byteLength) return null
    const bits = view.getUint32(start + 1, true)
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
  },
}

function uint24(view: DataView, at: number): number {
  return view.getUint16(at, true) + view.getUint8(at + 2) * 65536
}
