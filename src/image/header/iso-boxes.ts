/** Walks the boxes of an ISO media file (ISO 14496-12) and the items in its meta box, where AVIF keeps what it says of an image. */
import { textAt } from './image-header.js'

export interface Box {
  /** Is the name of four letters. */
  readonly kind: string
  /** The body begins here, in bytes from the beginning of the file. */
  readonly start: number
  readonly end: number
}

type Range = Pick<Box, 'start' | 'end'>

/** Ends where a box claims more than there is. */
export function* boxesIn(view: DataView, { start, end }: Range): Generator<Box> {
  for (let at = start; at + 8 <= end; ) {
    const short = view.getUint32(at)
    if (short === 1 && at + 16 > end) return
    const [header, size] =
      short === 1 ? [16, Number(view.getBigUint64(at + 8))] : [8, short === 0 ? end - at : short]
    if (size < header || at + size > end) return
    yield { kind: textAt(view, at + 4, 4), start: at + header, end: at + size }
    at += size
  }
}

export function boxOrNull(view: DataView, range: Range, kind: string): Box | null {
  for (const box of boxesIn(view, range)) if (box.kind === kind) return box
  return null
}

/** Is what a meta box lists beside images, such as a block of EXIF. */
export interface Item {
  readonly id: number
  readonly type: string
  /** Is a MIME type where the item's type is `mime`. */
  readonly contentType: string
  /** Names the item that this one describes; null where it describes none. */
  readonly describes: number | null
  /** Is null where the item is missing, or lies in several pieces. */
  readonly place: Range | null
}

/** @param meta is the inside of the meta box */
export function readItems(view: DataView, meta: Range): readonly Item[] {
  const list = boxOrNull(view, meta, 'iinf')
  if (list === null || list.end - list.start < 8) return []
  const first = list.start + (view.getUint8(list.start) === 0 ? 6 : 8)
  const places = placesIn(view, meta)
  const described = describedIn(view, meta)
  const items: Item[] = []
  for (const { kind, start, end } of boxesIn(view, { start: first, end: list.end })) {
    const version = kind === 'infe' && end - start >= 12 ? view.getUint8(start) : 0
    // Older versions name no type.
    if (version < 2) continue
    const idLength = version === 2 ? 2 : 4
    const id = idLength === 2 ? view.getUint16(start + 4) : view.getUint32(start + 4)
    const typeAt = start + 4 + idLength + 2
    const [, contentType = ''] = textAt(view, typeAt + 4, Math.max(0, end - typeAt - 4)).split('\0')
    const place = places.get(id) ?? null
    items.push({
      id,
      type: textAt(view, typeAt, 4),
      contentType,
      describes: described.get(id) ?? null,
      place,
    })
  }
  return items
}

/** Leads from items to what they describe. */
function describedIn(view: DataView, meta: Range): Map<number, number> {
  const found = new Map<number, number>()
  const box = boxOrNull(view, meta, 'iref')
  if (box === null || box.end - box.start < 4) return found
  const idLength = view.getUint8(box.start) === 0 ? 2 : 4
  const read = (at: number) => (idLength === 2 ? view.getUint16(at) : view.getUint32(at))
  for (const { kind, start, end } of boxesIn(view, { start: box.start + 4, end: box.end })) {
    if (kind === 'cdsc' && end - start >= 2 * idLength + 2) found.set(read(start), read(start + idLength + 2))
  }
  return found
}

/** Finds the items that lie in one piece, in the file itself or in the meta box's own data. */
function placesIn(view: DataView, meta: Range): Map<number, Range> {
  const found = new Map<number, Range>()
  const box = boxOrNull(view, meta, 'iloc')
  if (box === null) return found
  const data = boxOrNull(view, meta, 'idat')
  const reader = new FieldReader(view, box)
  const version = reader.read(1)
  reader.read(3)
  const sizes = reader.read(2)
  const [offsetSize, lengthSize, baseSize] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15]
  const indexSize = version === 0 ? 0 : sizes & 15
  const count = reader.read(version < 2 ? 2 : 4)
  for (let i = 0; i < count && !reader.isPastEnd; i++) {
    const id = reader.read(version < 2 ? 2 : 4)
    const inMetaBox = version === 0 ? false : (reader.read(2) & 15) === 1
    reader.read(2)
    const base = reader.read(baseSize)
    const extents = reader.read(2)
    let start = 0
    let length = 0
    for (let j = 0; j < extents && !reader.isPastEnd; j++) {
      reader.read(indexSize)
      start = base + reader.read(offsetSize) + (inMetaBox ? (data?.start ?? 0) : 0)
      length = reader.read(lengthSize)
    }
    if (extents === 1) found.set(id, { start, end: start + length })
  }
  return found
}

/** Reads numbers of varying length one after the other; past the end they are 0. */
class FieldReader {
  readonly #view: DataView
  readonly #end: number
  #at: number
  isPastEnd = false

  constructor(view: DataView, { start, end }: Range) {
    this.#view = view
    this.#at = start
    this.#end = end
  }

  read(length: number): number {
    if (this.#at + length > this.#end) this.isPastEnd = true
    if (this.isPastEnd) return 0
    let value = 0
    for (let i = 0; i < length; i++) value = value * 256 + this.#view.getUint8(this.#at++)
    return value
  }
}
