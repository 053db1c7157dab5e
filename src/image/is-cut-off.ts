/** Tells from a file's own structure that it ends too soon, which decoders say in many ways or not at all. */

import { textAt } from './header/image-header.js'
import { boxesIn } from './header/iso-boxes.js'
import type { ImageFormat } from './image-format.js'

/** Says false where the structure does not show it. */
export function isCutOff(file: Uint8Array, format: ImageFormat): boolean {
  return ENDS[format]?.(file) ?? false
}

const ENDS: { readonly [format in ImageFormat]?: (file: Uint8Array) => boolean } = {
  // The mark of the end must come after the pixels have begun; what follows it does not matter.
  jpeg: (file) => {
    const start = file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xda)
    return start < 0 || !file.some((byte, i) => i > start && byte === 0xff && file[i + 1] === 0xd9)
  },
  png: (file) => {
    const view = viewOf(file)
    for (let at = 8; at + 12 <= file.length; at += 12 + view.getUint32(at)) {
      if (textAt(view, at + 4, 4) === 'IEND') return false
    }
    return true
  },
  webp: (file) => file.length < 12 || viewOf(file).getUint32(4, true) + 8 > file.length,
  gif: (file) => !file.subarray(-16).includes(0x3b),
  avif: (file) => {
    const boxes = [...boxesIn(viewOf(file), { start: 0, end: file.length })]
    return (boxes.at(-1)?.end ?? 0) < file.length || !boxes.some(({ kind }) => kind === 'meta')
  },
}

function viewOf(file: Uint8Array): DataView {
  return new DataView(file.buffer, file.byteOffset, file.byteLength)
}
