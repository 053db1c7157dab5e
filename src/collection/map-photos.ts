/**
 * Makes a map of the photos of a collection, on which those lie near each other that are alike, and keeps it with the collection in `map.json`: later photos are
 * placed among those that are there, which do not move.
 */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type { LayoutOptions } from '../numerics/layout.js'
import { neighbourGraph } from '../numerics/neighbour-graph.js'
import { fitPlaneTurn, turnPoints } from '../numerics/procrustes.js'
import { drawRows, gatherRows } from '../numerics/row-blocks.js'
import { seededRandom } from '../numerics/seeded-random.js'
import { trustworthiness } from '../numerics/trustworthiness.js'
import { layOutMap, type MapJob, placeRows, startMap } from '../numerics/umap.js'
import type { Collection } from './collection.js'
import { CollectionError } from './collection-error.js'
import { type EmbeddedPhotos, embeddedPhotos } from './embedded-photos.js'
import { photoGraph } from './photo-graph.js'
import type { Row } from './row-block.js'

/** Says how a map is made. */
export interface MapPhotosOptions {
  /** Makes the map anew from all photos, and turns it to fit the one before; default `false`: what is there stays, and new photos are placed. */
  readonly rebuild?: boolean | undefined
  /** Counts the photos that a photo is held near to, itself with them, 2 or more; default 15. It is for a map that is made, and not for photos that are placed. */
  readonly neighbours?: number | undefined
  /** Is the distance within which photos may lie together on the map; default 0.1. It is for a map that is made. */
  readonly leastDistance?: number | undefined
  /** Decides what is drawn; the same photos and seed give the same map on one machine. Default: 0. */
  readonly seed?: number | undefined
  /** Names columns that are wanted with each photo, beside `id`, `root` and `path`. */
  readonly columns?: readonly string[] | undefined
  /** Keeps the map with the collection, which is opened for writing; default `true`. */
  readonly save?: boolean | undefined
  /** Lays out a map that is made; default: on this thread, which gives others their turns. `layOutInThread` of plumage/node takes a thread of its own. */
  readonly layOut?: ((job: MapJob, work: LayoutOptions) => Promise<Float32Array>) | undefined
  /** Is told the share of the layout that is done, 0 to 1. */
  readonly onProgress?: ((done: number) => void) | undefined
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Holds where N photos lie on a map. */
export interface PhotoMap {
  /** Holds `id`, `root`, `path`, and the columns that were asked for, of each photo. */
  readonly rows: readonly Row[]
  /** [N, 2] Across, then up. Only distances on the map mean something, and only short ones. */
  readonly points: Float32Array
  /** Says whether the map was made from all photos now. */
  readonly isNew: boolean
  /** Counts the photos that were placed now among those of an earlier map. */
  readonly placed: number
  /** Counts the photos of which the map was made; all others were placed later. */
  readonly made: number
  /** Is the share of true neighbours on the graph that the map was made by, 1 where all pairs of photos were compared; null where none was made now. */
  readonly recall: number | null
  /** Says how far neighbours on the map are true ones, 0 to 1 (Venna and Kaski 2001): of 15, or fewer where there are few, on 2,000 photos at most. Null for fewer than 5. */
  readonly trustworthiness: number | null
}

/** Is the file `map.json`. */
interface KeptMap {
  readonly format: 1
  readonly neighbours: number
  readonly leastDistance: number
  readonly seed: number
  /** Lists the photos of which it was made first. */
  readonly made: number
  readonly ids: readonly string[]
  /** Tells for each photo what it was when it was placed, by the beginning of its content's digest. */
  readonly contents: readonly string[]
  /** [x, y] of each. */
  readonly points: readonly (readonly [number, number])[]
}

const OPTIONS = {
  rebuild: true,
  neighbours: true,
  leastDistance: true,
  seed: true,
  columns: true,
  layOut: true,
  save: true,
  onProgress: true,
  signal: true,
} satisfies OptionNames<MapPhotosOptions>

const FILE = 'map.json'
const NEIGHBOURS = 15
const LEAST_DISTANCE = 0.1
/** Trust is measured on so many photos at most, by so many neighbours. */
const MOST_TRIED = 2000
const TRIED_NEIGHBOURS = 15
const DIGITS_KEPT = 16

/**
 * Gives the map of all photos that have an embedding. Throws `CollectionError` `empty`, `unknown-column`, `damaged`, `read-only` where it is to be kept; RangeError
 * for numbers that make no sense; the signal's reason.
 */
export async function mapPhotos(collection: Collection, options: MapPhotosOptions = {}): Promise<PhotoMap> {
  checkOptionNames(options, OPTIONS)
  const { columns = [], save = true, rebuild = false, signal } = options
  if (save && !collection.store.isWritable)
    throw new CollectionError(
      'read-only',
      `${collection.store.label} was opened for reading. Open it with { write: true } to keep the map, or give { save: false }.`,
    )
  const photos = await embeddedPhotos(collection, ['root', 'path', 'content', ...columns], signal)
  const kept = await readMap(collection)
  const known = knownPlaces(photos, kept)
  const isNew = kept === null || rebuild || known.size === 0
  const map = isNew
    ? await made(collection, photos, known, options)
    : await placed(collection, photos, kept, known, options)
  if (save && (isNew || map.placed > 0)) await writeMap(collection, photos, map, isNew ? null : kept, options)
  const { points } = map
  return {
    ...map,
    rows: photos.rows,
    isNew,
    trustworthiness: await trustOf(collection, photos, points, signal),
  }
}

type Places = Pick<PhotoMap, 'points' | 'placed' | 'made' | 'recall'> & {
  /** Names the photos of which the map was made. */
  readonly founders: ReadonlySet<string>
}

/** Gives where photos lie that have not changed since. */
function knownPlaces(
  { ids, rows }: EmbeddedPhotos,
  kept: KeptMap | null,
): Map<number, readonly [number, number]> {
  const places = new Map(kept?.ids.map((id, at) => [id, at]))
  const known = new Map<number, readonly [number, number]>()
  for (const [row, id] of ids.entries()) {
    const at = places.get(id)
    const point = at === undefined ? undefined : kept?.points[at]
    if (at !== undefined && point !== undefined && kept?.contents[at] === contentOf(rows[row]))
      known.set(row, point)
  }
  return known
}

function contentOf(row: Row | undefined): string {
  return String(row?.content ?? '').slice(0, DIGITS_KEPT)
}

async function made(
  collection: Collection,
  { ids, blocks }: EmbeddedPhotos,
  known: ReadonlyMap<number, readonly [number, number]>,
  options: MapPhotosOptions,
): Promise<Places> {
  const { about, products } = collection
  const { neighbours = NEIGHBOURS, leastDistance, seed, onProgress, signal } = options
  if (!(Number.isInteger(neighbours) && neighbours >= 2))
    throw new RangeError(`A photo is held near to 2 or more, itself with them, not ${neighbours}.`)
  const graph = await photoGraph(collection, blocks, neighbours - 1, signal)
  const start = await startMap(blocks, about.width, { products, seed, signal })
  const job = { graph, points: start, neighbours, leastDistance, seed }
  const found = await (options.layOut ?? layOutMap)(job, { onProgress, signal })
  const [from, to] = [
    [...known.keys()].flatMap((row) => [found[2 * row] ?? 0, found[2 * row + 1] ?? 0]),
    [...known.values()].flat(),
  ]
  const points =
    known.size === 0 ? found : turnPoints(fitPlaneTurn(Float32Array.from(from), Float32Array.from(to)), found)
  return { points, placed: 0, made: ids.length, founders: new Set(ids), recall: graph.recall }
}

async function placed(
  { about: { width }, products }: Collection,
  { ids, blocks }: EmbeddedPhotos,
  kept: KeptMap,
  known: ReadonlyMap<number, readonly [number, number]>,
  { onProgress, signal }: MapPhotosOptions,
): Promise<Places> {
  const { neighbours, leastDistance, seed } = kept
  const old = [...known.keys()]
  const fresh = [...ids.keys()].filter((row) => !known.has(row))
  const founders = new Set(kept.ids.slice(0, kept.made))
  const points = new Float32Array(2 * ids.length)
  for (const [row, point] of known) points.set(point, 2 * row)
  if (fresh.length > 0) {
    const [there, asked] = [gatherRows(blocks, width, old), gatherRows(blocks, width, fresh)]
    const graph = await neighbourGraph([there], width, neighbours, { queries: [asked], products, signal })
    const places = Float32Array.from([...known.values()].flat())
    const found = await placeRows(graph, places, {
      neighbours,
      leastDistance,
      seed,
      onProgress,
      signal,
    })
    for (const [i, row] of fresh.entries()) points.set(found.subarray(2 * i, 2 * i + 2), 2 * row)
  }
  return {
    points,
    placed: fresh.length,
    made: old.filter((row) => founders.has(ids[row] ?? '')).length,
    founders,
    recall: null,
  }
}

async function trustOf(
  { about: { width }, products }: Collection,
  { ids, blocks }: EmbeddedPhotos,
  points: Float32Array,
  signal: AbortSignal | undefined,
): Promise<number | null> {
  const drawn = drawRows(ids.length, MOST_TRIED, seededRandom(0))
  const count = Math.min(TRIED_NEIGHBOURS, Math.ceil(drawn.length / 2) - 1)
  if (count < 2) return null
  const rows = gatherRows(blocks, width, drawn)
  return await trustworthiness(rows, width, gatherRows([points], 2, drawn), count, { products, signal })
}

async function readMap(collection: Collection): Promise<KeptMap | null> {
  const bytes = await collection.store.readFile(FILE)
  if (bytes === null) return null
  try {
    const file = JSON.parse(new TextDecoder().decode(bytes)) as KeptMap
    const { ids, contents, points, format } = file
    const isWhole = ids.length === points.length && ids.length === contents.length
    if (
      format === 1 &&
      isWhole &&
      points.every((point) => point.length === 2 && point.every(Number.isFinite))
    )
      return file
  } catch {
    // What is no JSON is told as what lacks a field is.
  }
  throw new CollectionError(
    'damaged',
    `${FILE} of ${collection.store.label} does not hold what it should. Remove it, and make the map again.`,
  )
}

/** Photos of which the map was made come first. */
async function writeMap(
  collection: Collection,
  { ids, rows }: EmbeddedPhotos,
  { points, founders }: Places,
  kept: KeptMap | null,
  options: MapPhotosOptions,
): Promise<void> {
  const order = [...ids.keys()].sort(
    (a, b) => Number(founders.has(ids[b] ?? '')) - Number(founders.has(ids[a] ?? '')) || a - b,
  )
  const file: KeptMap = {
    format: 1,
    neighbours: kept?.neighbours ?? options.neighbours ?? NEIGHBOURS,
    leastDistance: kept?.leastDistance ?? options.leastDistance ?? LEAST_DISTANCE,
    seed: kept?.seed ?? options.seed ?? 0,
    made: ids.filter((id) => founders.has(id)).length,
    ids: order.map((row) => ids[row] ?? ''),
    contents: order.map((row) => contentOf(rows[row])),
    points: order.map((row) => [points[2 * row] ?? 0, points[2 * row + 1] ?? 0]),
  }
  await collection.store.writeFile(FILE, new TextEncoder().encode(JSON.stringify(file)))
}
