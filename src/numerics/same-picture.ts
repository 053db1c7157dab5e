/**
 * Finds how one picture lies in another, if it does: places that agree on a map, or the whole frames in one of the eight ways, give a start; the map is settled on pixels; the
 * one picture is laid over the other, and they are compared.
 */
import { alignPixels, layOver, rescaled } from './align-pixels.js'
import { type Agreement, compareLaidOver } from './compare-laid-over.js'
import { findKeypoints, type Keypoints, mirrorKeypoints } from './keypoints.js'
import { mapOfPlaces } from './match-keypoints.js'
import { composeMaps, invertMap, mapPoints, type PlaneMap } from './plane-map.js'
import { type Grey, greyOf, type Rgb, reducePixels, resizePixels } from './reduce-pixels.js'

export interface ReducedPicture {
  readonly height: number
  readonly width: number
  readonly reduced: Rgb
  readonly keypoints: Keypoints
}
export const LONGEST = 512
const PLACES_LONGEST = 320
const MOST_PLACES = 400
const COMPARED_LONGEST = 384

export function reducePicture(image: Rgb): ReducedPicture {
  const reduced = reducePixels(image, LONGEST)
  const small = reducePixels(reduced, PLACES_LONGEST)
  const found = findKeypoints(greyOf(small), MOST_PLACES)
  const scale = reduced.width / small.width
  const places = found.places.map((v, i) => (i % 4 === 3 ? v : i % 4 === 2 ? v * scale : (v + 0.5) * scale - 0.5))
  return { height: image.height, width: image.width, reduced, keypoints: { ...found, places } }
}

export interface LaidPicture {
  readonly how: string
  readonly map: PlaneMap
  readonly gain: number
  readonly offset: number
  readonly agreement: Agreement
  readonly places: number
  readonly first: Grey
  readonly laid: Grey
  readonly shareOfFirst: number
  readonly shareOfSecond: number
}

export function candidates(a: ReducedPicture, b: ReducedPicture): { how: string; map: PlaneMap; places: number }[] {
  const out: { how: string; map: PlaneMap; places: number }[] = []
  const straight = mapOfPlaces(a.keypoints, b.keypoints)
  if (straight !== null) out.push({ how: 'places', map: straight.map, places: straight.count })
  const w = b.reduced.width
  const mirrored = mapOfPlaces(a.keypoints, mirrorKeypoints(b.keypoints, w))
  if (mirrored !== null && mirrored.count > (straight?.count ?? 0))
    out.unshift({
      how: 'mirrored',
      map: composeMaps(Float64Array.of(-1, 0, w - 1, 0, 1, 0, 0, 0, 1), mirrored.map),
      places: mirrored.count,
    })
  out.push({ how: 'frame', map: wholeFrame(a.reduced, b.reduced), places: 0 })
  return out
}

function wholeFrame(a: Rgb, b: Rgb): PlaneMap {
  const [x, y] = [b.width / a.width, b.height / a.height]
  return Float64Array.of(x, 0, (x - 1) / 2, 0, y, (y - 1) / 2, 0, 0, 1)
}

export function layPicture(a: ReducedPicture, b: ReducedPicture, start: { how: string; map: PlaneMap; places: number }): LaidPicture | null {
  const { map } = start
  const scale = Math.sqrt(Math.abs(map[0] * map[4] - map[1] * map[3]))
  if (!(scale > 0.1 && scale < 10)) return null
  const over = overlapBox(a.reduced, b.reduced, map)
  if (over === null) return null
  const first = Math.min(1, scale, COMPARED_LONGEST / over)
  const second = first / scale
  const [p, q] = [scaled(a.reduced, first), scaled(b.reduced, second)]
  const [sa, sb] = [p.width / a.reduced.width, q.width / b.reduced.width]
  const inScale = composeMaps(rescaleTo(sb), composeMaps(map, invertMap(rescaleTo(sa)) as PlaneMap))
  const [g, h] = [greyOf(p), greyOf(q)]
  const settled = alignPixels(g, h, inScale, start.places > 0 ? 80 : 32)
  if (settled === null) return null
  const laid = layOver(g, h, settled.map)
  let covered = 0
  for (const value of laid.data) if (!Number.isNaN(value)) covered++
  const det = Math.abs(settled.map[0] * settled.map[4] - settled.map[1] * settled.map[3])
  return {
    how: start.how,
    places: start.places,
    map: settled.map,
    gain: settled.gain,
    offset: settled.offset,
    agreement: compareLaidOver(g, laid, settled.gain),
    first: g,
    laid,
    shareOfFirst: covered / g.data.length,
    shareOfSecond: (covered * det) / h.data.length,
  }
}

function scaled(image: Rgb, by: number): Rgb {
  return by >= 0.999 ? image : resizePixels(image, image.height * by, image.width * by)
}
function rescaleTo(s: number): PlaneMap {
  return Float64Array.of(s, 0, (s - 1) / 2, 0, s, (s - 1) / 2, 0, 0, 1)
}
function overlapBox(a: Rgb, b: Rgb, map: PlaneMap): number | null {
  const back = invertMap(map)
  if (back === null) return null
  const c = mapPoints(back, Float64Array.of(0, 0, b.width - 1, 0, 0, b.height - 1, b.width - 1, b.height - 1))
  const xs = [c[0], c[2], c[4], c[6]]
  const ys = [c[1], c[3], c[5], c[7]]
  const w = Math.min(a.width, Math.max(...xs)) - Math.max(0, Math.min(...xs))
  const h = Math.min(a.height, Math.max(...ys)) - Math.max(0, Math.min(...ys))
  return w > 8 && h > 8 ? Math.max(w, h) : null
}
