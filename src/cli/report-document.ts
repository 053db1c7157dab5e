/**
 * Writes a report as one HTML document that needs nothing else: what it does, how it looks and all photos stand in it, and its policy lets it fetch nothing
 * and run no other script. Names of files come from anybody, and stand in it as text.
 */
import type { PatchGrid } from '../model/positions.js'
import { escapedMarkup } from '../picture/map/escaped-markup.js'
import type { Report, ReportedPhoto } from '../picture/report/make-report.js'
import type { PageData } from '../picture/report/page-data.js'
import type { BuiltPage } from '../platform/node/built-page.js'
import type { ReducedPhoto } from '../platform/node/reduce-photo.js'
import type { Failure } from '../work/files.js'
import { counted } from './counted.js'
import { base64, shown } from './document-text.js'
import { pageHead } from './page-head.js'
import { printable } from './progress.js'

/** Is what is shown of a photo beside what was made of its features. */
export interface DocumentPhoto {
  readonly path: string
  readonly picture: ReducedPhoto
  readonly grid: PatchGrid
  readonly seen: PageData['photos'][number]['seen']
}

export interface ReportDocument {
  readonly page: BuiltPage
  readonly report: Report
  readonly photos: readonly DocumentPhoto[]
  readonly failures: readonly Failure[]
  /** Says in one line what the photos were looked at with. */
  readonly summary: string
  /** Names and says what the numbers rest on. */
  readonly facts: readonly (readonly [name: string, text: string])[]
}

/** By this a report is told from any other file, and may be replaced by a newer one. */
const MARK = '<meta name="generator" content="plumage report">'
/** The mark stands in front of so many characters. */
const HEAD_LENGTH = 200

export function isReport(head: string): boolean {
  return head.slice(0, HEAD_LENGTH).includes(MARK)
}

export const REPORT_HEAD_BYTES = HEAD_LENGTH

export function* reportDocument(document: ReportDocument): Generator<string> {
  const { page, report, failures, summary } = document
  const folder = commonFolder(document.photos.map(({ path }) => path))
  const photos = document.photos.map((photo) => ({ ...photo, path: photo.path.slice(folder.length) }))
  yield pageHead({ title: `Plumage: ${counted(photos.length, 'photo')}`, mark: MARK, ...page })
  yield `<body>
<header>
<h1>Plumage report</h1>
<p>${escapedMarkup(summary)}</p>
${factsOf(document.facts, folder)}
</header>
<main>
${TOOLS}
<ul class="photos" id="photos">
`
  for (const [i, photo] of photos.entries()) yield cardOf(photo, i, report.photos[i], photos)
  yield '</ul>\n'
  if (failures.length > 0) yield failuresOf(failures)
  yield '</main>\n<noscript><p>Colours, and finding what is alike, need JavaScript.</p></noscript>\n'
  yield* dataOf(document)
  yield `<script type="module">${page.script}</script>\n</body>\n</html>\n`
}

const TOOLS = `<div class="tools" id="tools" hidden>
<fieldset><legend>Show</legend>
<label><input type="radio" name="view" value="colors" checked> Colours</label>
<label><input type="radio" name="view" value="groups"> Groups</label>
<label><input type="radio" name="view" value="photo"> Photo</label>
</fieldset>
<label>Strength <input type="range" id="strength" min="0" max="1" step="0.05" value="0.75"></label>
</div>
<ul class="groups" id="groups" hidden></ul>
<div class="now"><p id="status" role="status"></p><button type="button" id="clear" hidden>Clear <kbd>Esc</kbd></button></div>`

function factsOf(facts: ReportDocument['facts'], folder: string): string {
  const all = folder === '' ? facts : [['Folder', shown(folder)] as const, ...facts]
  const rows = all.map(([name, text]) => `<dt>${escapedMarkup(name)}</dt><dd>${escapedMarkup(text)}</dd>`)
  return `<details><summary>How was this made?</summary>
<p>A vision transformer describes every place of a photo by numbers. Places that show alike things have alike numbers, and like colours: these are three principal components of all photos together, of what is no background. Groups are places that are most alike, in all photos (k-means by direction). Choose a place, and all photos show what is like it.</p>
<dl>${rows.join('')}</dl></details>`
}

function cardOf(
  { path, picture }: DocumentPhoto,
  index: number,
  found: ReportedPhoto | undefined,
  photos: readonly DocumentPhoto[],
): string {
  const { width, height, jpeg } = picture
  const near = (found?.neighbours ?? []).map(({ photo, similarity }) => {
    const name = shown(photos[photo]?.path ?? '')
    return `<a href="#photo-${photo}"><bdi>${escapedMarkup(name)}</bdi></a> ${similarity.toFixed(2)}`
  })
  const name = escapedMarkup(shown(path))
  return `<li class="card" id="photo-${index}"><div class="picture"><div class="frame"><img src="data:image/jpeg;base64,${base64(jpeg)}" width="${width}" height="${height}" alt="${name}"></div></div><div class="caption"><bdi class="name">${name}</bdi><span class="score"></span></div>${near.length === 0 ? '' : `<p class="near">Alike: ${near.join(', ')}</p>`}</li>
`
}

function failuresOf(failures: readonly Failure[]): string {
  const rows = failures.map(
    ({ path, reason }) =>
      `<li><bdi>${escapedMarkup(shown(path))}</bdi>: <span class="problem">${escapedMarkup(cut(printable(reason), LONGEST_REASON))}</span></li>`,
  )
  return `<section class="failed"><h2>Not in this report</h2><ul>${rows.join('')}</ul></section>\n`
}

/** No text of JSON holds what ends a script, once its angle brackets are written as numbers. */
function* dataOf({ report, photos }: ReportDocument): Generator<string> {
  yield '<script type="application/json" id="data">{"photos":['
  for (const [i, { grid, seen }] of photos.entries()) {
    const found = report.photos[i]
    if (found === undefined) throw new Error(`The report has no photo ${i}.`)
    const photo: PageData['photos'][number] = {
      grid: { rows: grid.rows, columns: grid.columns },
      seen,
      colors: base64(found.colors),
      groups: base64(found.groups),
      codes: base64(found.codes),
    }
    yield (i > 0 ? ',\n' : '\n') + jsonOf(photo)
  }
  const rest = { ...report.scale, groupPhotos: report.groupPhotos }
  yield `],${jsonOf(rest).slice(1)}</script>\n`
}

const jsonOf = (value: object) => JSON.stringify(value).replaceAll('<', '\\u003c')

/** Finds the folder that all paths begin with, with what separates it from their names; it is empty where they share none. */
function commonFolder(paths: readonly string[]): string {
  const [first = '', ...others] = paths
  let folder = first.slice(0, Math.max(first.lastIndexOf('/'), first.lastIndexOf('\\')) + 1)
  while (folder !== '' && !others.every((path) => path.startsWith(folder))) {
    const inner = folder.slice(0, -1)
    folder = inner.slice(0, Math.max(inner.lastIndexOf('/'), inner.lastIndexOf('\\')) + 1)
  }
  return folder
}

const LONGEST_REASON = 600

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}
