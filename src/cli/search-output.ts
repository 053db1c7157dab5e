/** Shows what a search has found: as lines for people, as JSON or paths for programs, and as thumbnails where the person sits. */
import type { Collection } from '../collection/collection.js'
import type { Row } from '../collection/row-block.js'
import type { RankedPhoto } from '../collection/search/search-photos.js'
import type { CollectionSet } from '../collection/set/collection-set.js'
import { jsonText } from '../formats/json-text.js'
import type { RgbImage } from '../image/image.js'
import { drawBox } from '../picture/draw/draw-lines.js'
import { contactSheet, framed, stacked, textStrip } from '../picture/draw/layout.js'
import { fullPath } from '../platform/node/collection/find-duplicates.js'
import type { CommandContext } from './context.js'
import { shown } from './document-text.js'
import { printable } from './progress.js'

/** Leads to the photo of this row, on this machine. */
export function fullPathOf(collection: Collection, { root, path }: Row): string {
  return fullPath(collection, { root: String(root), path: String(path) })
}

/** Leads to a photo that was found, on this machine. */
export function photoPathOf(set: CollectionSet, { collection, row }: RankedPhoto): string {
  return fullPathOf(collection === undefined ? set.first : set.at(set.numberOf(collection)), row)
}

/** Gives similarity, share of pairs that are less alike, and path, behind the name of the collection where there are several. */
export function tableLine({ similarity, share, row, box, collection }: RankedPhoto): string {
  const path = collection === undefined ? `${row.root}/${row.path}` : `${collection}/${row.root}/${row.path}`
  const place = box === undefined ? '' : `  at ${placeText(box)}`
  return `${similarity.toFixed(4)}  ${shareText(share).padStart(9)}  ${printable(path)}${place}\n`
}

/** Gives `99.98 %`; nothing where it is not known. */
export function shareText(share: number | null): string {
  return share === null ? '' : `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`
}

/** Gives left, top, right and bottom, as `--box` takes them. */
export function placeText({ left, top, right, bottom }: NonNullable<RankedPhoto['box']>): string {
  return [left, top, right, bottom].map(Math.round).join(',')
}

export function jsonLine({ row, ...told }: RankedPhoto): string {
  return `${jsonText({ ...told, ...row })}\n`
}

/** A path that would break the rule of one a line, or that a terminal would obey, is written as a JSON string. */
export function pathLine(path: string): string {
  return `${/[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|^"/u.test(path) ? jsonText(path) : path}\n`
}

/** Is the longer side of a thumbnail. */
const SIDE = 220
const COLUMNS = 5

/** Puts thumbnails on a sheet. A photo that cannot be read is left out: its line says where it should be. */
export async function thumbnailSheet(
  { pictures, signal }: CommandContext,
  set: CollectionSet,
  photos: readonly RankedPhoto[],
): Promise<RgbImage | null> {
  const tiles: RgbImage[] = []
  for (const [at, found] of photos.entries()) {
    const { similarity, row, box } = found
    const full = photoPathOf(set, found)
    const photo = await pictures.decode(full, { orientation: 'apply', signal }).catch(() => null)
    signal.throwIfAborted()
    if (photo === null) continue
    const small = await pictures.reduce(photo, SIDE)
    const canvas = { ...small, data: small.data.slice() }
    if (box !== undefined) {
      const scale = small.width / photo.width
      const { left, top, right, bottom } = box
      const scaled = { left: left * scale, top: top * scale, right: right * scale, bottom: bottom * scale }
      drawBox(canvas, scaled, { color: [255, 196, 0] })
    }
    const name = shown(String(row.path)).split('/').at(-1) ?? ''
    tiles.push(stacked([canvas, textStrip(`${at + 1}  ${similarity.toFixed(3)} ${name}`, SIDE, 1)], 4))
  }
  return tiles.length === 0 ? null : framed(contactSheet(tiles, Math.min(COLUMNS, tiles.length)))
}
