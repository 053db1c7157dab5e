/**
 * Keeps patches of many photos in few bytes each, so that a page can look for what is alike among all of them: vectors of length 1 along their principal
 * components, in int8 with a scale for each component. What that costs is measured (`nearestAgreement`) and never guessed.
 */
import { cosineSimilarity } from '../../numerics/cosine-similarity.js'
import {
  type PrincipalComponents,
  principalComponents,
  projectRow,
} from '../../numerics/principal-components.js'
import type { PatchMap } from '../patch-colors.js'
import { patchCount, patchWidth, spreadPatches } from './spread-patches.js'

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

/** Components are fitted to so many patches, spread evenly: more of them change no component that anybody could see, and take minutes. */
const MOST_FITTED = 8192
const LARGEST_CODE = 127

/** Throws RangeError where there are no patches. */
export function indexPatches(maps: readonly PatchMap[], components: number): PatchIndex {
  const fitted = spreadPatches(maps, MOST_FITTED)
  for (let at = 0; at < fitted.patches.length; at += fitted.width)
    normalise(fitted.patches.subarray(at, at + fitted.width))
  const count = Math.min(components, fitted.width)
  const found = principalComponents(fitted.patches, fitted.width, count)
  const places = maps.map((map) => placesOf(map, found, count))
  const largest = new Float64Array(count)
  for (const values of places)
    for (const [i, value] of values.entries())
      largest[i % count] = Math.max(largest[i % count] ?? 0, Math.abs(value))
  const scales = [...largest].map((value) => value / LARGEST_CODE)
  const codes = places.map((values) =>
    Int8Array.from(values, (value, i) => {
      const scale = scales[i % count] ?? 0
      return scale === 0 ? 0 : Math.round(value / scale)
    }),
  )
  const zero = new Float32Array(fitted.width)
  const toZero = new Float64Array(count)
  projectRow(zero, found, toZero)
  const origin = [...toZero].map((value) => 0 - value)
  const square = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value * value, 0)
  return { scales, origin, beside: square(found.mean) - square(origin), codes }
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
const MOST_PRODUCTS = 5e8
const QUERIES = { fewest: 16, most: 256 }

/**
 * Measures how well the index finds what all numbers find: of the ten patches nearest to one among all photos, that one left out, the share that is the
 * same, 0 to 1, as a mean over patches that are spread evenly. It is 1 where there is nothing to find.
 */
export function nearestAgreement(maps: readonly PatchMap[], index: PatchIndex): number {
  const total = maps.reduce((sum, map) => sum + patchCount(map), 0)
  const nearest = Math.min(NEAREST, total - 1)
  const [first] = maps
  if (first === undefined || nearest < 1) return 1
  const affordable = Math.floor(MOST_PRODUCTS / (total * patchWidth(first)))
  const queries = Math.min(total, QUERIES.most, Math.max(QUERIES.fewest, affordable))
  let same = 0
  for (let query = 0; query < queries; query++) {
    const place = Math.floor(((query + 0.5) * total) / queries)
    const full = nearestTo(place, fullSimilarities(maps, place), nearest)
    const kept = nearestTo(place, keptSimilarities(maps, index, place), nearest)
    for (const patch of full) if (kept.has(patch)) same++
  }
  return same / (queries * nearest)
}

function fullSimilarities(maps: readonly PatchMap[], place: number): Float32Array {
  const { map, patch } = patchOf(maps, place)
  const width = patchWidth(map)
  const query = map.patches.subarray(patch * width, (patch + 1) * width)
  return joined(
    maps.map(({ patches }) =>
      Float32Array.from({ length: patches.length / width }, (_, i) =>
        cosineSimilarity(query, patches.subarray(i * width, (i + 1) * width)),
      ),
    ),
  )
}

function keptSimilarities(maps: readonly PatchMap[], index: PatchIndex, place: number): Float32Array {
  const { at, patch } = patchOf(maps, place)
  const count = index.scales.length
  const code = index.codes[at]?.subarray(patch * count, (patch + 1) * count) ?? new Int8Array(count)
  return joined(index.codes.map((codes) => similarToCode(code, codes, index)))
}

/** Finds the patch at a place among all maps, one after the other. */
function patchOf(maps: readonly PatchMap[], place: number) {
  let patch = place
  for (const [at, map] of maps.entries()) {
    if (patch < patchCount(map)) return { at, map, patch }
    patch -= patchCount(map)
  }
  throw new RangeError(`There is no patch ${place}.`)
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Finds the places of the largest values but for one place; of equal ones the first. */
function nearestTo(self: number, similarities: Float32Array, count: number): ReadonlySet<number> {
  const best: { readonly place: number; readonly value: number }[] = []
  for (const [place, value] of similarities.entries()) {
    const last = best[count - 1]
    if (place === self || (last !== undefined && value <= last.value)) continue
    const rank = best.findIndex((other) => value > other.value)
    best.splice(rank < 0 ? best.length : rank, 0, { place, value })
    if (best.length > count) best.pop()
  }
  return new Set(best.map(({ place }) => place))
}

/** Places all patches of a map along the components, [rows * columns, K], as vectors of length 1. */
function placesOf(map: PatchMap, found: PrincipalComponents, count: number): Float32Array {
  const width = patchWidth(map)
  const places = new Float32Array(patchCount(map) * count)
  const row = new Float32Array(width)
  const out = new Float64Array(count)
  for (let patch = 0; patch * count < places.length; patch++) {
    row.set(map.patches.subarray(patch * width, (patch + 1) * width))
    normalise(row)
    projectRow(row, found, out)
    places.set(out, patch * count)
  }
  return places
}

/** Gives a vector the length 1; zeros stay zeros. */
function normalise(vector: Float32Array): void {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  if (length > 0) for (const [i, value] of vector.entries()) vector[i] = value / length
}
