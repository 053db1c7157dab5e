/** Writes a map as SVG, which any size is sharp in, and which says the name of a photo that the pointer rests on. */
import type { Rgb } from '../draw/canvas.js'
import { MOST_NAMES } from './draw-map.js'
import { escapedMarkup } from './escaped-markup.js'
import { dotRadius, groupColors, groupCounts, type MapView, NO_GROUP, placesWithin } from './map-view.js'

const SIDE = 1000
const LEGEND_WIDTH = 280
const LINE = 22

/** Writes a map; `names` [N] are what points are called, text of anybody. It draws on whatever is behind it, light or dark. */
export function mapSvg(view: MapView, names: readonly string[]): string {
  const colors = groupColors(view)
  const radius = dotRadius(view.groups.length, SIDE)
  const margin = Math.ceil(radius) + SIDE / 50
  const places = placesWithin(view.points, SIDE - 2 * margin, SIDE - 2 * margin)
  const dots = Array.from(view.groups, (group, i) => {
    const [x, y] = [0, 1].map((axis) => (margin + (places[2 * i + axis] ?? 0)).toFixed(1))
    const name = escapedMarkup(names[i] ?? '')
    return `<circle cx="${x}" cy="${y}" r="${radius.toFixed(1)}" fill="${hex(colors[group] ?? NO_GROUP)}"><title>${name}</title></circle>`
  })
  const width = SIDE + (view.groupNames.length > 0 ? LEGEND_WIDTH : 0)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${SIDE}" role="img" aria-label="Map of ${names.length} photos">
<!-- plumage picture -->
<style>text { font: 14px system-ui, sans-serif; fill: #545e6c } @media (prefers-color-scheme: dark) { text { fill: #a5afbd } }</style>
<g fill-opacity="0.85">
${dots.join('\n')}
</g>
${legendOf(view, colors)}
</svg>
`
}

function legendOf(view: MapView, colors: readonly Rgb[]): string {
  const counts = groupCounts(view)
  const lines = view.groupNames.slice(0, MOST_NAMES).map((name, group) => {
    const y = LINE * (group + 1)
    const text = escapedMarkup(`${name} ${counts[group] ?? 0}`)
    return `<rect x="${SIDE}" y="${y}" width="13" height="13" fill="${hex(colors[group] ?? NO_GROUP)}"/><text x="${SIDE + 22}" y="${y + 12}">${text}</text>`
  })
  const more = view.groupNames.length - lines.length
  if (more > 0)
    lines.push(`<text x="${SIDE + 22}" y="${LINE * (lines.length + 1) + 12}">and ${more} more</text>`)
  return lines.join('\n')
}

/** Writes a colour as `#rrggbb`. */
export function hex(color: Rgb): string {
  return `#${color.map((level) => level.toString(16).padStart(2, '0')).join('')}`
}
