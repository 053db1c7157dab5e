/** Finds which patches of all photos are most like a chosen one, photo by photo while the page stays free. */
import { type Features, patchAt, patchSimilarity } from 'plumage/browser'
import { useEffect, useRef, useState } from 'preact/hooks'
import { at } from './at.js'
import { type Level, type PatchPlace, type Photo, patchMapOf } from './photo.js'

export interface Match extends PatchPlace {
  /** Is the cosine similarity, -1 to 1. */
  readonly similarity: number
}

export interface Matches {
  /** This was chosen when the search began. */
  readonly chosen: PatchPlace
  /** Holds the similarity of every patch, for each photo by its number. */
  readonly maps: ReadonlyMap<number, Float32Array>
  /** Lists the most similar patch of each photo, best first; the chosen patch itself is left out. */
  readonly best: readonly Match[]
  /** A similarity up to this is shown as nothing; it follows from the spread over all photos. */
  readonly low: number
  /** A similarity from this on is shown as all. */
  readonly high: number
}

/** Is what was found in one photo. */
interface Found {
  readonly map: Float32Array
  readonly best: Match | null
  /** Counts how many patches have which similarity, from -1 to 1 in equal steps. */
  readonly counts: Uint32Array
}

/** After so many milliseconds of work the page may do something else. */
const TURN = 12
const STEPS = 2000

/** Gives null where nothing is chosen, or its photo has no features (it was removed, or is being computed). Photos that come later join in. */
export function useMatches(
  photos: readonly Photo[],
  chosen: PatchPlace | null,
  level: Level,
): Matches | null {
  const [matches, setMatches] = useState<Matches | null>(null)
  /** Keeps what is known for the present choice. */
  const known = useRef<{ key: string; found: WeakMap<Features, Found> }>({ key: '', found: new WeakMap() })
  const source = photos.find(({ id }) => id === chosen?.photo)?.features ?? null

  useEffect(() => {
    const isThere = source !== null && chosen !== null && inside(chosen, source)
    if (!isThere) return setMatches(null)
    const key = `${chosen.photo} ${chosen.row} ${chosen.column} ${level}`
    if (known.current.key !== key) known.current = { key, found: new WeakMap() }
    const { found } = known.current
    const query = patchAt(patchMapOf(source, level), chosen.row, chosen.column)
    const abort = new AbortController()
    const search = async () => {
      let since = performance.now()
      for (const { id, features } of photos) {
        if (features === null || found.has(features)) continue
        if (performance.now() - since > TURN) {
          await new Promise((resolve) => setTimeout(resolve))
          if (abort.signal.aborted) return
          since = performance.now()
        }
        found.set(features, matchesIn(id, features, query, chosen, level))
      }
      setMatches(joined(photos, found, chosen))
    }
    void search()
    return () => abort.abort()
  }, [photos, chosen, level, source])

  // What was found for another choice stays until this one's is there: nothing flickers.
  return chosen === null ? null : matches
}

function inside({ row, column }: PatchPlace, { grid }: Features): boolean {
  return row < grid.rows && column < grid.columns
}

function matchesIn(
  photo: number,
  features: Features,
  query: Float32Array,
  chosen: PatchPlace,
  level: Level,
): Found {
  const map = patchSimilarity(query, patchMapOf(features, level))
  const { columns } = features.grid
  const self = photo === chosen.photo ? chosen.row * columns + chosen.column : -1
  const counts = new Uint32Array(STEPS + 1)
  let best: Match | null = null
  for (const [patch, similarity] of map.entries()) {
    count(counts, Math.round(((Math.min(1, Math.max(-1, similarity)) + 1) / 2) * STEPS), 1)
    if (patch === self || (best !== null && similarity <= best.similarity)) continue
    best = { photo, row: Math.floor(patch / columns), column: patch % columns, similarity }
  }
  return { map, best, counts }
}

function joined(photos: readonly Photo[], found: WeakMap<Features, Found>, chosen: PatchPlace): Matches {
  const maps = new Map<number, Float32Array>()
  const best: Match[] = []
  const counts = new Uint32Array(STEPS + 1)
  for (const { id, features } of photos) {
    const own = features === null ? undefined : found.get(features)
    if (own === undefined) continue
    maps.set(id, own.map)
    if (own.best !== null) best.push(own.best)
    for (const [step, found] of own.counts.entries()) count(counts, step, found)
  }
  best.sort((a, b) => b.similarity - a.similarity)
  return { chosen, maps, best, low: quantile(counts, 0.5), high: quantile(counts, 0.995) }
}

/** Adds to one of the counts. */
function count(counts: Uint32Array, step: number, found: number): void {
  counts[step] = at(counts, step) + found
}

/** Finds the similarity below which a share of all patches lies. */
function quantile(counts: Uint32Array, share: number): number {
  let left = counts.reduce((sum, count) => sum + count, 0) * share
  const step = counts.findIndex((count) => {
    left -= count
    return left < 0
  })
  return ((step < 0 ? STEPS : step) / STEPS) * 2 - 1
}
