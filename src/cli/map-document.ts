/**
 * Writes a map as one HTML document that needs nothing else: what it does, how it looks and small photos stand in it, and its policy lets it fetch nothing and run no
 * other script. Names of files and groups come from anybody, and stand in it as text.
 */
import { escapedMarkup } from '../picture/map/escaped-markup.js'
import { hex } from '../picture/map/map-svg.js'
import { groupColors, groupCounts, type MapView, NO_GROUP, placesWithin } from '../picture/map/map-view.js'
import type { MapPageData, MapPagePhoto } from '../picture/map/page-data.js'
import type { BuiltPage } from '../platform/node/built-page.js'
import { PICTURE_MARK } from '../platform/node/picture/picture-file.js'
import { counted } from './counted.js'
import { pageHead } from './page-head.js'
import { printable } from './progress.js'

export interface MapDocument {
  readonly page: BuiltPage
  readonly view: MapView
  /** [N] Leads to each photo. */
  readonly paths: readonly string[]
  /** Holds small JPEGs of some photos, by their number. */
  readonly previews: ReadonlyMap<number, Uint8Array>
  /** Names and says what the map rests on. */
  readonly facts: readonly (readonly [name: string, text: string])[]
}

export function* mapDocument(document: MapDocument): Generator<string> {
  const { page, paths } = document
  const what = counted(paths.length, 'photo')
  yield pageHead({
    title: `Plumage: map of ${what}`,
    mark: `<meta name="generator" content="${PICTURE_MARK}">`,
    ...page,
  })
  yield `<body>
<header>
<h1>Map of ${escapedMarkup(what)}</h1>
<p>Photos lie near each other that a model finds alike. Only short distances mean something.</p>
<details><summary>How was this made?</summary><dl>${document.facts.map(([name, text]) => `<dt>${escapedMarkup(name)}</dt><dd>${escapedMarkup(text)}</dd>`).join('')}</dl></details>
</header>
<main>
${TOOLS}
<div class="frame"><canvas id="map" role="application" tabindex="0" aria-label="Map of ${escapedMarkup(what)}. Arrows go from photo to photo, Enter chooses one, plus and minus enlarge, 0 shows all, Escape chooses none." aria-describedby="status"></canvas><div id="preview" hidden></div></div>
<aside>
${groupsOf(document.view)}
${CHOSEN}
</aside>
<p id="status" role="status"></p>
</main>
<noscript><p>The map needs JavaScript.</p></noscript>
`
  yield* dataOf(document)
  yield `<script type="module">${page.script}</script>\n</body>\n</html>\n`
}

const TOOLS = `<div class="tools" id="tools" hidden>
<button type="button" id="lasso" aria-pressed="false">Draw a line around photos</button>
<button type="button" id="nearer">Enlarge</button>
<button type="button" id="farther">Reduce</button>
<button type="button" id="whole">Show all</button>
</div>`

const CHOSEN = `<section id="chosen" hidden><h2 id="count"></h2>
<textarea id="picked" readonly aria-labelledby="count" spellcheck="false"></textarea>
<div class="both"><button type="button" id="copy">Copy paths</button><button type="button" id="clear">Choose none</button></div></section>`

function groupsOf(view: MapView): string {
  if (view.groupNames.length === 0) return ''
  const [colors, counts] = [groupColors(view), groupCounts(view)]
  const items = view.groupNames.map(
    (name, group) =>
      `<li><button type="button" class="group" data-group="${group}"><svg class="swatch" viewBox="0 0 1 1" aria-hidden="true"><rect width="1" height="1" fill="${hex(colors[group] ?? NO_GROUP)}"/></svg><bdi>${escapedMarkup(printable(name))}</bdi> <span>${counts[group] ?? 0}</span></button></li>`,
  )
  return `<section><h2>Groups</h2><ul class="groups">${items.join('')}</ul></section>`
}

/** No text of JSON holds what ends a script, once its angle brackets are written as numbers. */
function* dataOf({ view, paths, previews }: MapDocument): Generator<string> {
  const colors = groupColors(view).map(hex)
  const groups = view.groupNames.map((name, group) => ({ name, color: colors[group] ?? '' }))
  const places = placesWithin(view.points, 1, 1)
  const rest: Omit<MapPageData, 'photos'> = { groups, noGroup: hex(NO_GROUP) }
  yield `<script type="application/json" id="data">${jsonOf(rest).slice(0, -1)},"photos":[`
  for (const [i, path] of paths.entries()) {
    const [x, y] = [0, 1].map((axis) => Number((places[2 * i + axis] ?? 0).toFixed(5)))
    const jpeg = previews.get(i)
    const photo: MapPagePhoto = {
      path,
      x: x ?? 0,
      y: y ?? 0,
      group: view.groups[i] ?? -1,
      ...(jpeg === undefined ? {} : { preview: Buffer.from(jpeg).toString('base64') }),
    }
    yield (i > 0 ? ',\n' : '\n') + jsonOf(photo)
  }
  yield ']}</script>\n'
}

const jsonOf = (value: object) => JSON.stringify(value).replaceAll('<', '\\u003c')
