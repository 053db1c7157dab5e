/** Says how much of each patch is shown, 0 to 1, for what is not looked for but seen anyway: where a network looks, and what stands out. */
import type { FoundObject } from 'plumage/browser'
import type { Photo } from './photo.js'

type Shares = ReadonlyMap<number, Float32Array>

/** A few patches get far more attention than others; what gets as much as one in fifty is shown as all. */
const ALL = 0.98
/** What does not stand out can still be made out. */
const BEHIND = 0.25

/** Gives for each photo where its class token looks, by one of the heads of the last block or, for null, by the mean of all. */
export function attentionShares(photos: readonly Photo[], head: number | null): Shares {
  return new Map(
    photos.flatMap(({ id, features }) => {
      const [map] = features?.attention ?? []
      if (features === null || map === undefined) return []
      const { toPatches, headCount } = map
      const count = features.grid.rows * features.grid.columns
      const heads = head === null ? Array.from({ length: headCount }, (_, each) => each) : [head]
      const weights = Float32Array.from({ length: count }, (_, patch) =>
        heads.reduce((sum, each) => sum + (toPatches[each * count + patch] ?? 0), 0),
      )
      return [[id, brightened(weights)] as const]
    }),
  )
}

/** Says of attention weights how much of each patch is shown. */
export function brightened(weights: Float32Array): Float32Array {
  const most = weights.toSorted()[Math.min(weights.length - 1, Math.floor(ALL * weights.length))] ?? 0
  return weights.map((weight) => (most > 0 ? Math.min(1, weight / most) : 1))
}

/** Gives the patches of what stands out of each photo; all are shown where nothing does. */
export function objectShares(objects: ReadonlyMap<number, FoundObject | null>): Shares {
  return new Map(
    [...objects].flatMap(([id, object]) =>
      object === null
        ? []
        : [[id, Float32Array.from(object.mask, (isObject) => (isObject ? 1 : BEHIND))] as const],
    ),
  )
}
