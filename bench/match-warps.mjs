/**
 * Measures matching on photos that were warped, so that the truth is known: the share of matches that lie within one patch of where the warp takes them, of all
 * mutual neighbours and of those that one homography agrees with (RANSAC), and how far that homography is from the truth.
 *
 *     node bench/match-warps.mjs [model, default models/small] [size, default 448]
 */
import { PHOTOS, readPhoto } from './composites.mjs'
import { dist } from './dist.mjs'

const library = new URL('../dist/platform/node/index.js', import.meta.url).href
const { agreeingMatches, loadEncoder, matchPatches } = await import(library)
const { composeMaps, invertMap, mapPoints } = await dist('numerics/plane-map.js')
const [model = 'models/small', size = '448'] = process.argv.slice(2)

/** Turns by degrees and scales, then leans, all about the middle. */
function warpOf({ width, height }, { degrees = 0, scale = 1, lean = 0, tilt = 0 }) {
  const angle = (degrees * Math.PI) / 180
  const [c, s] = [scale * Math.cos(angle), scale * Math.sin(angle)]
  const moved = (x, y) => Float64Array.of(1, 0, x, 0, 1, y, 0, 0, 1)
  const steps = [
    moved(-width / 2, -height / 2),
    Float64Array.of(c, -s, 0, s, c, 0, 0, 0, 1),
    Float64Array.of(1, 0, 0, 0, 1, 0, lean / width, tilt / height, 1),
    moved(width / 2, height / 2),
  ]
  return steps.reduce((warp, step) => composeMaps(step, warp))
}

const apply = (map, x, y) => mapPoints(map, Float64Array.of(x, y))

/** Samples between pixels, and at the nearest edge outside of the photo. */
function warped({ width, height, data }, map, colour) {
  const back = invertMap(map)
  const out = new Uint8Array(data.length)
  const inside = (value, most) => Math.max(0, Math.min(most, value))
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [x, y] = apply(back, column + 0.5, row + 0.5)
      const [u, v] = [inside(x - 0.5, width - 1.001), inside(y - 0.5, height - 1.001)]
      const [left, top] = [Math.floor(u), Math.floor(v)]
      const [dx, dy] = [u - left, v - top]
      for (let c = 0; c < 3; c++) {
        const at = (r, q) => data[((top + r) * width + left + q) * 3 + c]
        const level =
          (at(0, 0) * (1 - dx) + at(0, 1) * dx) * (1 - dy) + (at(1, 0) * (1 - dx) + at(1, 1) * dx) * dy
        out[(row * width + column) * 3 + c] = inside(Math.round(colour(level, c)), 255)
      }
    }
  }
  return { width, height, data: out }
}

const plain = (level) => level
const WARPS = {
  'as it is': [{}],
  'rotation 10': [{ degrees: 10 }, { degrees: -10 }],
  'rotation 20': [{ degrees: 20 }, { degrees: -20 }],
  'rotation 30': [{ degrees: 30 }, { degrees: -30 }],
  'scale 0.7, 0.85': [{ scale: 0.7 }, { scale: 0.85 }],
  'scale 1.2, 1.4': [{ scale: 1.2 }, { scale: 1.4 }],
  perspective: [{ lean: 0.4 }, { tilt: -0.4 }],
  colour: [
    { colour: (level) => 255 * (level / 255) ** 1.8 },
    { colour: (level, c) => level * [1.25, 1, 0.75][c] },
  ],
  'all together': [{ degrees: 15, scale: 0.85, lean: 0.25, colour: (level, c) => level * [0.8, 1, 1.1][c] }],
}

const encoder = await loadEncoder(model, { size: Number(size) })
const photos = await Promise.all(PHOTOS.map(readPhoto))
const own = []
for (const photo of photos) own.push(await encoder.encode(photo))
console.log(
  `${encoder.identity.model}, ${size} x ${size}, ${photos.length} photos: matches within one patch of the truth`,
)
const all = { found: 0, right: 0, agreed: 0, agreedRight: 0, maps: 0, good: 0, pairs: 0 }
for (const [name, settings] of Object.entries(WARPS)) {
  const sum = { found: 0, right: 0, agreed: 0, agreedRight: 0, maps: 0, good: 0, pairs: 0 }
  for (const [at, photo] of photos.entries())
    for (const { colour = plain, ...setting } of settings) await measure(photo, own[at], setting, colour, sum)
  for (const key of Object.keys(all)) all[key] += sum[key]
  print(name, sum)
}
print('all', all)
await encoder[Symbol.asyncDispose]()

async function measure(photo, first, setting, colour, sum) {
  const truth = warpOf(photo, setting)
  const second = await encoder.encode(warped(photo, truth, colour))
  const { matches } = await matchPatches(first, second, { threshold: 0 })
  const { matches: told, map } = agreeingMatches(matches, first, second)
  const { rows, columns } = second.grid
  for (const { from, to, isInlier } of told) {
    const [x, y] = apply(truth, ...middleOf(first, from))
    const [u, v] = middleOf(second, to)
    const far = Math.max((Math.abs(x - u) * columns) / photo.width, (Math.abs(y - v) * rows) / photo.height)
    sum.found++
    if (far <= 1) sum.right++
    if (isInlier) sum.agreed++
    if (isInlier && far <= 1) sum.agreedRight++
  }
  sum.pairs++
  if (map === null) return
  sum.maps++
  const corners = [
    [0.2, 0.2],
    [0.8, 0.2],
    [0.2, 0.8],
    [0.8, 0.8],
  ].map(([x, y]) => [x * photo.width, y * photo.height])
  const off = corners.map(([x, y]) => {
    const [[a, b], [c, d]] = [apply(truth, x, y), apply(map, x, y)]
    return Math.hypot(((a - c) * columns) / photo.width, ((b - d) * rows) / photo.height)
  })
  if (Math.max(...off) <= 1) sum.good++
}

function middleOf(features, patch) {
  const { columns } = features.grid
  const { left, right, top, bottom } = features.patchBox(Math.floor(patch / columns), patch % columns)
  return [(left + right) / 2, (top + bottom) / 2]
}

function print(name, { found, right, agreed, agreedRight, pairs, good }) {
  const share = (part, whole) => `${((100 * part) / Math.max(1, whole)).toFixed(0)} %`.padStart(6)
  console.log(
    `${name.padEnd(16)} ${String(Math.round(found / pairs)).padStart(5)} matches a pair, right ${share(right, found)}; ` +
      `${share(agreed, found)} agree, of which right ${share(agreedRight, agreed)}; homographies within a patch ${share(good, pairs)}`,
  )
}
