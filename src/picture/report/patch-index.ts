/**
 * Keeps patches of many photos in few bytes each, so that a page can look for what is alike among all of them: vectors of length 1 along their principal
 * components, in int8 with a scale for each component. What that costs is measured (`nearestAgreement`) and never guessed.
 */
import { unitRows } from '../../numerics/lengths.js'
import { principalComponents } from '../../numerics/principal-components.js'
import { type ProductOptions, type Products, plainProducts } from '../../numerics/products.js'
import { type PatchMap, widthOf } from '../patch-map.js'
import { patchCount, spreadPatches } from './spread-patches.js'

/** Says what codes stand for: along component k, a patch lies at its code times `scales[k]`. */
export interface PatchScale {
  /** [K] */
  readonly scales: readonly number[]
  /** [K]. Is where the origin lies along each component: components are measured from the mean, and cosines from the origin. */
  readonly origin: readonly number[]
  /** Is what the mean's part beside all components adds to every product. */
  readonly beside: number
}

export interface PatchIndex extends PatchScale {
  /** int8 [rows * columns, K] of each map. */
  readonly codes: readonly Int8Array[]
}

/** Says who computes, and when to give up. */
export interface ReportOptions extends ProductOptions {
  readonly products?: Products | undefined
}

/** Components are fitted to so many patches, spread evenly: more of them change no component that anybody could see. */
const MOST_FITTED = 16_384
const LARGEST_CODE = 127

/** Throws `PictureError` as `spreadPatches`; the signal's reason. */
export async function indexPatches(
  maps: readonly PatchMap[],
  components: number,
  { products = plainProducts, signal }: ReportOptions = {},
): Promise<PatchIndex> {
  const sample = spreadPatches(maps, MOST_FITTED)
  const width = widthOf(sample)
  const count = Math.min(components, width)
  const fitted = unitRows(sample.patches, width)
  const found = await principalComponents([fitted], width, count, { products, signal })
  const directions = Float32Array.from(found.components)
  const origin = Array.from({ length: count }, (_, k) =>
    dot(found.mean, found.components.subarray(k * width, (k + 1) * width)),
  )
  const places: Float32Array[] = []
  for (const { patches } of maps)
    places.push(await products.similarity(directions, unitRows(patches, width), width, { signal }))
  const scales = origin.map((start, k) => {
    let largest = 0
    for (const along of places)
      for (const value of rowOf(along, k, count)) largest = Math.max(largest, Math.abs(value - start))
    return largest / LARGEST_CODE
  })
  const codes = places.map((along) => codesOf(along, origin, scales))
  return { scales, origin, beside: dot(found.mean, found.mean) - dot(origin, origin), codes }
}

/** Gives where patches lie along each component, [K, rows * columns], as a code for each patch, [rows * columns, K]. */
function codesOf(along: Float32Array, origin: readonly number[], scales: readonly number[]): Int8Array {
  const count = scales.length
  const codes = new Int8Array(along.length)
  for (const [k, scale] of scales.entries()) {
    if (scale === 0) continue
    const start = origin[k] ?? 0
    for (const [patch, value] of rowOf(along, k, count).entries())
      codes[patch * count + k] = Math.round((value - start) / scale)
  }
  return codes
}

function rowOf(rows: Float32Array, row: number, count: number): Float32Array {
  const length = rows.length / count
  return rows.subarray(row * length, (row + 1) * length)
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

/**
 * Computes the cosine similarity of every patch to one of those that are kept, as vectors that lie where their codes say, into [rows * columns]. Lengths
 * are theirs and not 1, or whatever lies beside the components would make a patch unlike even itself.
 */
export function similarToCode(
  code: Int8Array, // [K]
  codes: Int8Array, // [rows * columns, K]
  scale: PatchScale,
): Float32Array {
  const count = scale.scales.length
  const [scales, origin] = [Float64Array.from(scale.scales), Float64Array.from(scale.origin)]
  const along = (from: Int8Array, i: number, k: number) =>
    (from[i] ?? 0) * (scales[k] ?? 0) + (origin[k] ?? 0)
  const query = Float64Array.from({ length: count }, (_, k) => along(code, k, k))
  const square = query.reduce((sum, value) => sum + value * value, scale.beside)
  return Float32Array.from({ length: codes.length / count }, (_, patch) => {
    let product = scale.beside
    let own = scale.beside
    for (let k = 0, i = patch * count; k < count; k++, i++) {
      const value = along(codes, i, k)
      product += (query[k] ?? 0) * value
      own += value * value
    }
    const lengths = Math.sqrt(square * own)
    return lengths > 0 ? product / lengths : 0
  })
}

/** Of so many nearest patches it is asked how many are the same. */
export const NEAREST = 10
/** Products of numbers that agreement is measured with, about: more would take longer than they tell. */
const MOST_PRODUCTS = 1e9
const QUERIES = { fewest: 16, most: 256 }

/**
 * Measures how well the index finds what all numbers find: of the ten patches nearest to one among all photos, that one left out, the share that is the
 * same, 0 to 1, as a mean over patches that are spread evenly. It is 1 where there is nothing to find. Throws the signal's reason.
 */
export async function nearestAgreement(
  maps: readonly PatchMap[],
  index: PatchIndex,
  { products = plainProducts, signal }: ReportOptions = {},
): Promise<number> {
  const total = maps.reduce((sum, map) => sum + patchCount(map), 0)
  const nearest = Math.min(NEAREST, total - 1)
  const [first] = maps
  if (first === undefined || nearest < 1) return 1
  const width = widthOf(first)
  const affordable = Math.floor(MOST_PRODUCTS / (total * width))
  const queries = spreadPatches(maps, Math.min(QUERIES.most, Math.max(QUERIES.fewest, affordable)))
  const query = unitRows(queries.patches, width)
  const full: Float32Array[] = []
  for (const { patches } of maps)
    full.push(await products.similarity(query, unitRows(patches, width), width, { signal }))
  let same = 0
  const places = queries.places
  for (const [i, place] of places.entries()) {
    signal?.throwIfAborted()
    const wanted = nearestTo(
      place,
      full.map((rows) => rowOf(rows, i, places.length)),
      nearest,
    )
    const code = codeAt(index, place)
    const kept = nearestTo(
      place,
      index.codes.map((codes) => similarToCode(code, codes, index)),
      nearest,
    )
    for (const patch of wanted) if (kept.has(patch)) same++
  }
  return same / (places.length * nearest)
}

/** Finds the code of the patch at a place among all maps, one after the other. */
function codeAt({ codes, scales }: PatchIndex, place: number): Int8Array {
  let at = place * scales.length
  for (const own of codes) {
    if (at < own.length) return own.subarray(at, at + scales.length)
    at -= own.length
  }
  throw new RangeError(`There is no patch ${place}.`)
}

/** Finds the places of the largest values but for one place; of equal ones the first. */
function nearestTo(self: number, similarities: readonly Float32Array[], count: number): ReadonlySet<number> {
  const best: { readonly place: number; readonly value: number }[] = []
  let before = 0
  for (const own of similarities) {
    for (const [i, value] of own.entries()) {
      const last = best[count - 1]
      if (before + i === self || (last !== undefined && value <= last.value)) continue
      const rank = best.findIndex((other) => value > other.value)
      best.splice(rank < 0 ? best.length : rank, 0, { place: before + i, value })
      if (best.length > count) best.pop()
    }
    before += own.length
  }
  return new Set(best.map(({ place }) => place))
}
