/** Finds what is most like a chosen place in all photos, or like a chosen photo as a whole, photo by photo while the page stays free. */
import { cosineSimilarity, type Features, patchAt, patchSimilarity } from 'plumage/browser'
import { useEffect, useRef, useState } from 'preact/hooks'
import { at } from './at.js'
import type { PatchPlace, Photo } from './photo.js'
import { photoOf, type Search } from './search.js'

export interface Match {
  readonly photo: number
  /** Is the best place of the photo; it is null where photos are compared as wholes. */
  readonly place: PatchPlace | null
  /** Is the cosine similarity, -1 to 1. */
  readonly similarity: number
}

export interface Matches {
  readonly search: Search
  /** Holds the similarity of every patch, for each photo by its number; it is empty where photos are compared as wholes. */
  readonly maps: ReadonlyMap<number, Float32Array>
  /** Lists the best of each photo, best first; what was chosen itself is left out. */
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

/** Gives null where nothing is looked for, or its photo has no features (it was removed, or is being computed). Photos that come later join in. */
export function useMatches(photos: readonly Photo[], search: Search | null): Matches | null {
  const [matches, setMatches] = useState<Matches | null>(null)
  /** Keeps what is known for the present search. */
  const known = useRef<{ key: string; found: WeakMap<Features, Found> }>({ key: '', found: new WeakMap() })
  const source = search === null ? null : (photos.find(({ id }) => id === photoOf(search))?.features ?? null)

  useEffect(() => {
    if (search === null || source === null) return setMatches(null)
    if (search.kind === 'photo') return setMatches(wholeMatches(photos, source, search))
    const { place } = search
    if (!inside(place, source)) return setMatches(null)
    const key = `${place.photo} ${place.row} ${place.column}`
    if (known.current.key !== key) known.current = { key, found: new WeakMap() }
    const { found } = known.current
    const query = patchAt(source, place.row, place.column)
    const abort = new AbortController()
    const look = async () => {
      let since = performance.now()
      for (const { id, features } of photos) {
        if (features === null || found.has(features)) continue
        if (performance.now() - since > TURN) {
          await new Promise((resolve) => setTimeout(resolve))
          if (abort.signal.aborted) return
          since = performance.now()
        }
        found.set(features, matchesIn(id, features, query, place))
      }
      setMatches(joined(photos, found, search))
    }
    void look()
    return () => abort.abort()
  }, [photos, search, source])

  // What was found for another search stays until this one's is there: nothing flickers.
  return search === null ? null : matches
}

/** Compares photos by their embeddings. */
function wholeMatches(photos: readonly Photo[], source: Features, search: Search): Matches {
  const best = photos.flatMap(({ id, features }) =>
    features === null || id === photoOf(search)
      ? []
      : [{ photo: id, place: null, similarity: cosineSimilarity(source.embedding, features.embedding) }],
  )
  best.sort((a, b) => b.similarity - a.similarity)
  return { search, maps: new Map(), best, low: 0, high: 1 }
}

function inside({ row, column }: PatchPlace, { grid }: Features): boolean {
  return row < grid.rows && column < grid.columns
}

function matchesIn(photo: number, features: Features, query: Float32Array, chosen: PatchPlace): Found {
  const map = patchSimilarity(query, features)
  const { columns } = features.grid
  const self = photo === chosen.photo ? chosen.row * columns + chosen.column : -1
  const counts = new Uint32Array(STEPS + 1)
  let best: Match | null = null
  for (const [patch, similarity] of map.entries()) {
    count(counts, Math.round(((Math.min(1, Math.max(-1, similarity)) + 1) / 2) * STEPS), 1)
    if (patch === self || (best !== null && similarity <= best.similarity)) continue
    const place = { photo, row: Math.floor(patch / columns), column: patch % columns }
    best = { photo, place, similarity }
  }
  return { map, best, counts }
}

function joined(photos: readonly Photo[], found: WeakMap<Features, Found>, search: Search): Matches {
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
  return { search, maps, best, low: quantile(counts, 0.5), high: quantile(counts, 0.995) }
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
