/**
 * Writes groups of duplicates as one HTML page that needs nothing else: the kept photo, each member, and of a proven one a chessboard of squares of the two laid over each other,
 * on which every seam would show. Names of files come from anybody, and stand in it as text; the page's policy lets it fetch and run nothing.
 */

import type { Collection } from '../collection/collection.js'
import type { Copy } from '../collection/duplicates/copy.js'
import type { DuplicateGroup, GroupMember } from '../collection/duplicates/duplicate-group.js'
import type { RgbImage } from '../image/image.js'
import { chessboard } from '../numerics/chessboard.js'
import { reducePixels } from '../numerics/reduce-pixels.js'
import { escapedMarkup } from '../picture/map/escaped-markup.js'
import { fullPath } from '../platform/node/collection/find-duplicates.js'
import { readPhoto } from '../platform/node/collection/read-photo.js'
import { loadSharp } from '../platform/node/sharp-decoder.js'
import { counted } from './counted.js'
import { base64 } from './document-text.js'
import { fileSize } from './file-size.js'
import { pageHead } from './page-head.js'
import { printable } from './progress.js'

const SIDE = 320

const STYLE = `body{margin:0 auto;padding:1.5rem 1rem;max-width:75rem}h1{margin-bottom:.25rem}section{border-top:1px solid var(--line);margin-top:1rem;padding:1rem 0}
ul{display:flex;flex-wrap:wrap;gap:1rem;list-style:none;margin:.5rem 0 0;padding:0}li{width:min(20rem,100%)}img{max-width:100%;max-height:20rem;display:block}p{margin:.2rem 0}b{font-weight:600}`

/** Gives the page in pieces. Throws the signal's reason. */
export async function* duplicateReport(
  collection: Collection,
  groups: readonly DuplicateGroup[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  yield pageHead({ title: 'Plumage: duplicates', style: STYLE })
  yield `<body>
<h1>Duplicates</h1>
<p>${counted(groups.length, 'group')} of ${escaped(collection.store.label)}. A chessboard shows squares of the kept photo and of the copy by turns, laid over each other as was proven.</p>
`
  for (const [at, group] of groups.entries()) {
    signal.throwIfAborted()
    yield await sectionOf(collection, group, at, signal)
  }
  yield '</body></html>\n'
}

async function sectionOf(
  collection: Collection,
  { kept, members, kind, lowest }: DuplicateGroup,
  at: number,
  signal: AbortSignal,
): Promise<string> {
  const image = await readOrNull(collection, kept, signal)
  const items = [
    `<li>${await pictureOf(image, kept)}<p><b>${kind === 'copies' ? 'keep' : 'first'}</b> ${nameOf(kept)}</p></li>`,
  ]
  for (const member of members) items.push(await itemOf(collection, image, member, signal))
  return `<section><h2>${kind} ${at + 1}</h2><p>${members.length + 1} photos, lowest similarity ${lowest.toFixed(4)}</p><ul>${items.join('\n')}</ul></section>\n`
}

async function itemOf(
  collection: Collection,
  kept: RgbImage | null,
  { copy, words, kind, similarity, proposed, proof }: GroupMember,
  signal: AbortSignal,
): Promise<string> {
  const image = await readOrNull(collection, copy, signal)
  const laid =
    proof === undefined || kept === null || image === null
      ? ''
      : await pictureOf(
          chessboard(kept, image, proof.map, proof.kept, SIDE),
          copy,
          'laid over the kept photo: ',
        )
  const told = escaped(words === '' ? kind : words)
  return `<li>${await pictureOf(image, copy)}${laid}<p>${proposed ? '<b>may go</b>' : ''} ${nameOf(copy)}</p><p>${told}, ${similarity.toFixed(4)}</p></li>`
}

async function readOrNull(collection: Collection, copy: Copy, signal: AbortSignal): Promise<RgbImage | null> {
  try {
    return await readPhoto(fullPath(collection, copy), signal)
  } catch {
    signal.throwIfAborted()
    return null
  }
}

async function pictureOf(image: RgbImage | null, copy: Copy, before = ''): Promise<string> {
  if (image === null) return '<p>cannot be read any more</p>'
  const { height, width, data } = reducePixels(image, SIDE)
  const sharp = await loadSharp()
  const jpeg = await sharp(Buffer.from(data), { raw: { height, width, channels: 3 } })
    .jpeg({ quality: 82 })
    .toBuffer()
  return `<img alt="${escaped(before + copy.path)}" src="data:image/jpeg;base64,${base64(jpeg)}">`
}

function nameOf({ root, path, width, height, bytes }: Copy): string {
  return `${escaped(`${root}/${path}`)}, ${width} x ${height}, ${fileSize(bytes)}`
}

function escaped(text: string): string {
  return escapedMarkup(printable(text))
}
