/** Which patches of all photos are most like a chosen one. */
import { patchAt, patchSimilarity } from 'plumage/browser'
import { type Level, type PatchPlace, type Photo, patchMapOf } from './photo.js'

export interface Match extends PatchPlace {
  /** Cosine similarity, -1 to 1. */
  readonly similarity: number
}

export interface Matches {
  /** For each photo by its number: the similarity of every patch. */
  readonly maps: ReadonlyMap<number, Float32Array>
  /** The most similar patch of each photo, best first, the chosen patch itself left out. */
  readonly best: readonly Match[]
  /** What is shown as nothing and as all: the spread of similarities over all photos. */
  readonly low: number
  readonly high: number
}

/** Null where the photo has no features (it was removed, or is being computed). */
export function findMatches(photos: readonly Photo[], chosen: PatchPlace, level: Level): Matches | null {
  const source = photos.find(({ id }) => id === chosen.photo)?.features
  if (!source || chosen.row >= source.grid.rows || chosen.column >= source.grid.columns) return null
  const query = patchAt(patchMapOf(source, level), chosen.row, chosen.column)
  const maps = new Map<number, Float32Array>()
  const best: Match[] = []
  for (const { id, features } of photos) {
    if (features === null) continue
    const similarities = patchSimilarity(query, patchMapOf(features, level))
    maps.set(id, similarities)
    const { columns } = features.grid
    const self = id === chosen.photo ? chosen.row * columns + chosen.column : -1
    let top = -1
    for (let patch = 0; patch < similarities.length; patch++)
      if (patch !== self && (top < 0 || similarities[patch] > similarities[top])) top = patch
    if (top >= 0)
      best.push({
        photo: id,
        row: Math.floor(top / columns),
        column: top % columns,
        similarity: similarities[top],
      })
  }
  best.sort((a, b) => b.similarity - a.similarity)
  const all = new Float32Array([...maps.values()].reduce((sum, { length }) => sum + length, 0))
  let filled = 0
  for (const map of maps.values()) {
    all.set(map, filled)
    filled += map.length
  }
  all.sort()
  return {
    maps,
    best,
    low: all[Math.floor(all.length * 0.5)],
    high: all[Math.floor((all.length - 1) * 0.995)],
  }
}
