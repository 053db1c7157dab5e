/**
 * Reads which way an AVIF or HEIC lies (ISO 23008-12, ISO 23000-22): as a rotation and a mirror among the properties of its primary image. As in Pillow, EXIF
 * beside them says nothing, and XMP counts only where neither of them says anything.
 */

import { type ImageHeader, textAt } from './image-header.js'
import { type Box, boxesIn, boxOrNull, readItems } from './iso-boxes.js'
import { type ByteEdit, exifOrientationOrNull, orientationFrom } from './orientation.js'

export function readHeifHeader(file: Uint8Array): ImageHeader {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const unknown: ImageHeader = { size: null, orientation: 1, uprightEdits: [], mayHaveAlpha: true }
  const meta = boxOrNull(view, { start: 0, end: view.byteLength }, 'meta')
  if (meta === null) return unknown
  // The box begins with its version and flags.
  const inside = { start: meta.start + 4, end: meta.end }
  const primary = primaryItemOrNull(view, inside)
  if (primary === null) return unknown
  const { properties, associations } = propertiesIn(view, inside)
  const own = associations
    .filter(({ item }) => item === primary)
    .map(({ property }) => properties[property - 1])
  const turned = orientationOf(view, own)
  return {
    size: sizeOf(view, own),
    orientation: turned === 1 ? orientationBeside(file, view, inside, primary) : turned,
    uprightEdits: associations
      .filter(({ property }) => NOT_STORED.includes(properties[property - 1]?.kind ?? ''))
      .map(({ edit }) => edit),
    mayHaveAlpha: true,
  }
}

/** These change the image as it is stored; Pillow leaves the crop out. */
const NOT_STORED = ['irot', 'imir', 'clap']

/** EXIF that has the tag at all keeps XMP from being asked, and is then overruled. */
function orientationBeside(
  file: Uint8Array,
  view: DataView,
  meta: Pick<Box, 'start' | 'end'>,
  primary: number,
): number {
  const items = readItems(view, meta).filter(({ describes }) => describes === primary)
  const bytesOf = (wanted: (item: (typeof items)[number]) => boolean) => {
    const place = items.find(wanted)?.place
    return place == null ? null : file.subarray(place.start, place.end)
  }
  // The EXIF item begins with the length of what stands before the TIFF structure.
  const exif = bytesOf(({ type }) => type === 'Exif')?.subarray(4)
  if (exif !== undefined && exifOrientationOrNull(exif) !== null) return 1
  const xmp = bytesOf(({ type, contentType }) => type === 'mime' && contentType === 'application/rdf+xml')
  return orientationFrom({ exif: null, xmp })
}

function primaryItemOrNull(view: DataView, meta: Pick<Box, 'start' | 'end'>): number | null {
  const box = boxOrNull(view, meta, 'pitm')
  if (box === null || box.end - box.start < 6) return null
  const isShort = view.getUint8(box.start) === 0
  if (!isShort && box.end - box.start < 8) return null
  return isShort ? view.getUint16(box.start + 4) : view.getUint32(box.start + 4)
}

interface Association {
  readonly item: number
  /** Counts from 1. */
  readonly property: number
  /** Takes the association away: 0 means no property. */
  readonly edit: ByteEdit
}

function propertiesIn(
  view: DataView,
  meta: Pick<Box, 'start' | 'end'>,
): { readonly properties: readonly Box[]; readonly associations: readonly Association[] } {
  const container = boxOrNull(view, meta, 'iprp')
  const list = container === null ? null : boxOrNull(view, container, 'ipco')
  if (container === null || list === null) return { properties: [], associations: [] }
  const associations = [...boxesIn(view, container)]
    .filter(({ kind }) => kind === 'ipma')
    .flatMap((box) => [...associationsIn(view, box)])
  return { properties: [...boxesIn(view, list)], associations }
}

function* associationsIn(view: DataView, { start, end }: Box): Generator<Association> {
  if (end - start < 8) return
  const version = view.getUint8(start)
  const isWide = (view.getUint8(start + 3) & 1) === 1
  const idLength = version < 1 ? 2 : 4
  const count = view.getUint32(start + 4)
  let at = start + 8
  for (let i = 0; i < count && at + idLength + 1 <= end; i++) {
    const item = idLength === 2 ? view.getUint16(at) : view.getUint32(at)
    const properties = view.getUint8(at + idLength)
    at += idLength + 1
    for (let j = 0; j < properties && at + (isWide ? 2 : 1) <= end; j++) {
      // The highest bit says whether the property is essential.
      const property = isWide ? view.getUint16(at) & 0x7fff : view.getUint8(at) & 0x7f
      yield { item, property, edit: { offset: at, bytes: isWide ? [0, 0] : [0] } }
      at += isWide ? 2 : 1
    }
  }
}

/** Orientations by quarter turns to the left, without a mirror, then with one that swaps top and bottom, then left and right. */
const TURNED: readonly (readonly [plain: number, flipped: number, mirrored: number])[] = [
  [1, 4, 2],
  [8, 5, 7],
  [3, 2, 4],
  [6, 7, 5],
]

function orientationOf(view: DataView, properties: readonly (Box | undefined)[]): number {
  const byteOf = (kind: string) => {
    const box = properties.find((property) => property?.kind === kind)
    return box === undefined || box.end <= box.start ? null : view.getUint8(box.start)
  }
  const [turns, axis] = [byteOf('irot') ?? 0, byteOf('imir')]
  const row = TURNED[turns & 3]
  if (row === undefined) return 1
  return axis === null ? row[0] : row[(axis & 1) === 0 ? 1 : 2]
}

function sizeOf(view: DataView, properties: readonly (Box | undefined)[]): ImageHeader['size'] {
  const box = properties.find((property) => property?.kind === 'ispe')
  if (box === undefined || box.end - box.start < 12) return null
  return { width: view.getUint32(box.start + 4), height: view.getUint32(box.start + 8) }
}

/** Tells a moving picture, whose frames lie in tracks, by its first brand. */
export function isAvifSequence(file: Uint8Array): boolean {
  return textAt(new DataView(file.buffer, file.byteOffset, file.byteLength), 8, 4) === 'avis'
}
