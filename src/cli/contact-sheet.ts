/**
 * Writes what a search has found as one HTML document that needs nothing else: small pictures, how alike each is, and where in it. There is no script in it, and its
 * policy lets it fetch nothing. Names of files come from anybody, and stand in it as text.
 */
import type { Row } from '../collection/row-block.js'
import type { RankedPhoto } from '../collection/search/search-photos.js'
import type { Box } from '../image/image.js'
import { escapedMarkup } from '../picture/map/escaped-markup.js'
import type { ReducedPhoto } from '../platform/node/reduce-photo.js'
import { base64, shown } from './document-text.js'
import { pageHead } from './page-head.js'
import { placeText, shareText } from './search-output.js'

export interface SheetPhoto extends RankedPhoto {
  /** Is the small picture, or why there is none. */
  readonly picture: ReducedPhoto | string
}

export interface ContactSheet {
  /** Says in words what was searched for. */
  readonly asked: readonly string[]
  /** Names and says what the results rest on. */
  readonly facts: readonly (readonly [name: string, text: string])[]
  readonly photos: AsyncIterable<SheetPhoto>
}

/** By this a sheet is told from any other file, and may be replaced by a newer one. */
const MARK = '<meta name="generator" content="plumage search">'
export const SHEET_HEAD_BYTES = 200

export function isContactSheet(head: string): boolean {
  return head.slice(0, SHEET_HEAD_BYTES).includes(MARK)
}

const STYLE = `:root{--mark:light-dark(#b45309,#fbbf24)}body{margin:0 auto;padding:1.5rem 1rem;max-width:80rem}header{margin-bottom:1.5rem}
ol{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(14rem,100%),1fr));gap:1.25rem;margin:0;padding:0;list-style:none}
figure{margin:0}.frame{position:relative;display:flow-root;width:fit-content;margin:0 auto}
img{display:block;max-width:100%;height:auto;max-height:16rem;width:auto;border-radius:.25rem}
svg{position:absolute;inset:0;width:100%;height:100%}rect{fill:none;stroke:var(--mark);stroke-width:3;vector-effect:non-scaling-stroke}
figcaption{margin-top:.4rem;font-size:.875rem}.rank{font-variant-numeric:tabular-nums;font-weight:600}
.soft{color:var(--soft)}.none{border:1px dashed var(--line);padding:1rem;border-radius:.25rem}`

export async function* contactSheetDocument({ asked, facts, photos }: ContactSheet): AsyncGenerator<string> {
  const names = asked.map((name) => `<bdi>${escapedMarkup(shown(name))}</bdi>`).join(', ')
  const rows = facts
    .map(([name, text]) => `<dt>${escapedMarkup(name)}</dt><dd>${escapedMarkup(text)}</dd>`)
    .join('')
  yield pageHead({ title: 'Plumage: photos found', mark: MARK, style: STYLE })
  yield `<body>
<header>
<h1>Photos found</h1>
<p>Most like ${names}</p>
<dl>${rows}</dl>
</header>
<main>
<ol>
`
  let rank = 0
  for await (const photo of photos) yield cardOf(photo, ++rank)
  yield rank === 0 ? '</ol>\n<p>No photo is as it was asked for.</p>\n' : '</ol>\n'
  yield '</main>\n</body>\n</html>\n'
}

function cardOf({ picture, similarity, share, row, box }: SheetPhoto, rank: number): string {
  const name = escapedMarkup(shown(`${row.root}/${row.path}`))
  const less =
    share === null ? '' : `, more alike than ${share === 1 ? 'all' : `${shareText(share)} of`} random pairs`
  const place = box === undefined ? '' : `<br>at ${placeText(box)}`
  return `<li><figure>${pictureOf(picture, name, box, row)}<figcaption><span class="rank">${rank}. ${similarity.toFixed(4)}</span><span class="soft">${less}${place}</span><br><bdi>${name}</bdi></figcaption></figure></li>
`
}

function pictureOf(picture: ReducedPhoto | string, name: string, box: Box | undefined, row: Row): string {
  if (typeof picture === 'string')
    return `<p class="none">It cannot be shown: ${escapedMarkup(shown(picture))}</p>`
  const { width, height, jpeg } = picture
  const image = `<img src="data:image/jpeg;base64,${base64(jpeg)}" width="${width}" height="${height}" alt="${name}">`
  if (box === undefined) return `<div class="frame">${image}</div>`
  const { left, top, right, bottom } = box
  const numbers = [left, top, right - left, bottom - top].map((value) => value.toFixed(1))
  const [x, y, w, h] = numbers
  return `<div class="frame">${image}<svg viewBox="0 0 ${Number(row.width)} ${Number(row.height)}" preserveAspectRatio="none" aria-hidden="true"><rect x="${x}" y="${y}" width="${w}" height="${h}"/></svg></div>`
}
