/**
 * Groups the photos of a collection by what they show, names the groups, and keeps them with the collection: the column `cluster` has the number of each photo's
 * group, or -1, and the file `clusters.json` what is known of the groups. Numbers stay when it is done again.
 */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { exemplars } from '../numerics/exemplars.js'
import { hdbscan, hdbscanOnGraph } from '../numerics/hdbscan.js'
import { sphericalKMeans } from '../numerics/k-means.js'
import { keepNumbers } from '../numerics/keep-numbers.js'
import { type ProposedCount, proposeCount } from '../numerics/propose-count.js'
import { type ProposedName, proposeNames } from '../numerics/propose-names.js'
import { adjustedRandIndex } from '../numerics/rand-index.js'
import { drawRows, gatherRows } from '../numerics/row-blocks.js'
import { seededRandom } from '../numerics/seeded-random.js'
import type { Collection } from './collection.js'
import { CollectionError } from './collection-error.js'
import { columnOf } from './columns.js'
import { type EmbeddedPhotos, embeddedPhotos } from './embedded-photos.js'
import { photoGraph } from './photo-graph.js'
import type { Row } from './row-block.js'

/** Names the ways to group photos. */
export const CLUSTER_METHODS = ['k-means', 'hdbscan'] as const

/** `k-means` puts each photo into one of a number of groups; `hdbscan` finds groups where photos lie densely, and leaves others alone. */
export type ClusterMethod = (typeof CLUSTER_METHODS)[number]

/** Says how photos are grouped. */
export interface ClusterPhotosOptions {
  /** Default: `k-means`. */
  readonly method?: ClusterMethod | undefined
  /** Is the number of groups for `k-means`; default: the one, 2 to 100, whose mean silhouette is largest. */
  readonly count?: number | undefined
  /** Is the least number of photos of a group for `hdbscan`, 2 or more; default 5. */
  readonly leastPhotos?: number | undefined
  /** Says for `hdbscan` of how many photos, itself with them, a photo's surroundings are dense by; default: `leastPhotos`. */
  readonly samples?: number | undefined
  /** Takes for `hdbscan` the smallest groups of its hierarchy; default `false`: those that last longest. */
  readonly leaf?: boolean | undefined
  /** Names the column of texts that names of groups are taken from; default: the folders that photos lie in. */
  readonly namesFrom?: string | undefined
  /** Counts the photos that are given for each group; default 5. */
  readonly exemplars?: number | undefined
  /** Decides what is drawn; the same seed gives the same groups. Default: 0. */
  readonly seed?: number | undefined
  /** Keeps the groups with the collection, which is opened for writing; default `true`. */
  readonly save?: boolean | undefined
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Is a group of photos. */
export interface PhotoCluster {
  /** Is what stands in the column `cluster`. */
  readonly number: number
  /** Is proposed from names that its photos have, or null where none stands out. */
  readonly name: ProposedName | null
  /** Counts its photos. */
  readonly count: number
  /** Holds ids of photos that stand for it, best first: the first is its medoid. */
  readonly exemplars: readonly string[]
}

/** Holds all groups. */
export interface PhotoClusters {
  /** Says how they were found. */
  readonly method: ClusterMethod
  /** Lists the groups, largest first. */
  readonly clusters: readonly PhotoCluster[]
  /** Counts the photos that were grouped. */
  readonly total: number
  /** Counts those that are in no group. */
  readonly alone: number
  /** Says how the number of groups came about, where nobody gave it. */
  readonly proposed: ProposedCount | null
  /** For `hdbscan`, says how far the exact groups and those on the graph of neighbours agree; else null. */
  readonly agreement: {
    /** Is the adjusted Rand index, at most 1. */
    readonly index: number
    /** Counts the photos that it was measured on. */
    readonly photos: number
  } | null
  /** Says for `hdbscan` whether the groups are exact, and not those on a graph of neighbours. */
  readonly isExact: boolean
  /** Is the share of true neighbours on the graph that groups were found on, 1 where all pairs of photos were compared; null where they were not found on one. */
  readonly recall: number | null
}

/** Is the file `clusters.json`. */
interface KeptClusters {
  readonly format: 1
  readonly method: ClusterMethod
  /** Counts the numbers that groups ever had. */
  readonly used: number
  readonly clusters: readonly PhotoCluster[]
}

const OPTIONS = {
  method: true,
  count: true,
  leastPhotos: true,
  samples: true,
  leaf: true,
  namesFrom: true,
  exemplars: true,
  seed: true,
  save: true,
  signal: true,
} satisfies OptionNames<ClusterPhotosOptions>

const COLUMN = 'cluster'
const FILE = 'clusters.json'
const LEAST_PHOTOS = 5
const EXEMPLARS = 5
const STARTS = 4
/** As many photos are all compared with each other; more are grouped on a graph of neighbours. */
const MOST_EXACT = 20_000
/** Fewer would cost agreement with exact groups where there are few photos. */
const GRAPH_NEIGHBOURS = 30

/**
 * Groups the photos that have an embedding. Throws `CollectionError` `empty`, `read-only` where it is to keep the groups, `unknown-column`, `wrong-value` for
 * names from a column that holds no text; RangeError for numbers that make no sense; the signal's reason.
 */
export async function clusterPhotos(
  collection: Collection,
  options: ClusterPhotosOptions = {},
): Promise<PhotoClusters> {
  checkOptionNames(options, OPTIONS)
  const { namesFrom, signal, save = true, exemplars: most = EXEMPLARS } = options
  if (!(Number.isInteger(most) && most >= 1)) throw new RangeError(`No group has ${most} exemplars.`)
  const names = namesFrom === undefined ? foldersOf : textsOf(collection, namesFrom)
  const hasColumn = collection.about.columns.some(({ name }) => name === COLUMN)
  // An added column changes the version of the rows, so that it is there before they are read.
  if (save) await collection.addColumns([{ name: COLUMN, type: 'integer' }])
  const columns = [
    'root',
    'path',
    ...(hasColumn ? [COLUMN] : []),
    ...(namesFrom === undefined ? [] : [namesFrom]),
  ]
  const photos = await embeddedPhotos(collection, columns, signal)
  const found = await groupsOf(collection, photos, options)
  const before = Int32Array.from(photos.rows, (row) => (typeof row[COLUMN] === 'number' ? row[COLUMN] : -1))
  const kept = await readClusters(collection)
  const used = before.reduce((most, number) => Math.max(most, number + 1), kept?.used ?? 0)
  const numbered = keepNumbers(found.labels, before, used)
  const { labels } = numbered
  const count = numbered.used
  const rowNames = photos.rows.map(names)
  const proposed = proposeNames(labels, count, rowNames)
  const standing = exemplars(photos.blocks, collection.about.width, labels, count, most)
  const sizes = new Int32Array(count)
  for (const label of labels) if (label >= 0) sizes[label] = (sizes[label] ?? 0) + 1
  const clusters = [...new Set(labels)]
    .filter((number) => number >= 0)
    .map((number) => ({
      number,
      name: proposed[number] ?? null,
      count: sizes[number] ?? 0,
      exemplars: [...(standing[number] ?? [])].map((row) => photos.ids[row] ?? ''),
    }))
    .sort((a, b) => b.count - a.count || a.number - b.number)
  const method = options.method ?? 'k-means'
  if (save) {
    const changed = photos.ids.flatMap((id, row) =>
      hasColumn && photos.rows[row]?.[COLUMN] === labels[row]
        ? []
        : [{ id, values: { [COLUMN]: labels[row] ?? -1 } }],
    )
    if (changed.length > 0) await collection.change(changed)
    const file: KeptClusters = { format: 1, method, used: count, clusters }
    await collection.store.writeFile(FILE, new TextEncoder().encode(JSON.stringify(file)))
  }
  const alone = labels.filter((label) => label < 0).length
  const { proposed: proposedCount, agreement, isExact, recall } = found
  return {
    method,
    clusters,
    total: labels.length,
    alone,
    proposed: proposedCount,
    agreement,
    isExact,
    recall,
  }
}

/** Gives the groups that are kept with a collection, or null. Throws `CollectionError` `damaged`. */
export async function readClusters(collection: Collection): Promise<KeptClusters | null> {
  const bytes = await collection.store.readFile(FILE)
  if (bytes === null) return null
  try {
    const file = JSON.parse(new TextDecoder().decode(bytes)) as KeptClusters
    if (file.format === 1 && Number.isSafeInteger(file.used) && Array.isArray(file.clusters)) return file
  } catch {
    // What is no JSON is told as what lacks a field is.
  }
  throw new CollectionError(
    'damaged',
    `${FILE} of ${collection.store.label} does not hold what it should. Remove it, and group the photos again.`,
  )
}

type Found = Pick<PhotoClusters, 'proposed' | 'agreement' | 'isExact' | 'recall'> & {
  readonly labels: Int32Array
}

async function groupsOf(
  collection: Collection,
  { blocks, ids }: EmbeddedPhotos,
  options: ClusterPhotosOptions,
): Promise<Found> {
  const {
    products,
    about: { width },
  } = collection
  const { method = 'k-means', seed = 0, signal } = options
  if (!CLUSTER_METHODS.includes(method))
    throw new RangeError(
      `There is no method ${JSON.stringify(method)}: photos are grouped by ${CLUSTER_METHODS.join(' or ')}.`,
    )
  if (method === 'k-means') {
    const proposed =
      options.count === undefined ? await proposeCount(blocks, width, { products, signal, seed }) : null
    const count = options.count ?? proposed?.count ?? 1
    const found = await sphericalKMeans(blocks, width, count, { products, signal, seed, starts: STARTS })
    return { labels: found.labels, proposed, agreement: null, isExact: true, recall: null }
  }
  const { leastPhotos = LEAST_PHOTOS, samples = leastPhotos, leaf = false } = options
  const density = {
    leastRows: leastPhotos,
    samples,
    choice: leaf ? 'leaf' : 'mass',
    products,
    signal,
  } as const
  const onGraph = async (rows: readonly Float32Array[]) => {
    const graph = await photoGraph(collection, rows, Math.max(GRAPH_NEIGHBOURS, samples - 1), signal)
    return { ...(await hdbscanOnGraph(graph, rows, width, density)), recall: graph.recall }
  }
  const isExact = ids.length <= MOST_EXACT
  if (ids.length === 1)
    return { labels: Int32Array.of(-1), proposed: null, agreement: null, isExact, recall: null }
  const drawn = [gatherRows(blocks, width, drawRows(ids.length, MOST_EXACT, seededRandom(seed)))]
  const exact = await hdbscan(drawn, width, density)
  const graphed = await onGraph(drawn)
  const agreement = { index: adjustedRandIndex(exact.labels, graphed.labels), photos: exact.labels.length }
  const { labels, recall } = isExact ? { ...exact, recall: null } : await onGraph(blocks)
  return { labels, proposed: null, agreement, isExact, recall }
}

/** Gives the folder that a photo lies in, and all that this lies in, by their paths from the root on. */
function foldersOf({ root, path }: Row): readonly string[] {
  const parts = [String(root), ...String(path).split('/').slice(0, -1)]
  return parts.map((_, depth) => parts.slice(0, depth + 1).join('/'))
}

function textsOf(collection: Collection, name: string): (row: Row) => readonly string[] {
  const { type } = columnOf(name, collection.columns)
  if (type !== 'text' && type !== 'texts')
    throw new CollectionError('wrong-value', `The column ${name} holds ${type}: groups are named by text.`)
  return ({ [name]: value }) =>
    typeof value === 'string' && value !== ''
      ? [value]
      : Array.isArray(value)
        ? (value as readonly string[])
        : []
}
