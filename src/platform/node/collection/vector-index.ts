/**
 * Keeps the index that LanceDB makes of embeddings: partitions of rows around centres, and in them codes of products (IVF_PQ), of which the nearest are compared
 * again as they are stored. How well it finds what is nearest is measured on the collection itself, and decides how many partitions are looked into, and when the
 * index is trained again.
 */
import type { Table } from '@lancedb/lancedb'
import type { Vector } from 'apache-arrow'
import { wideHalvesOf } from '../../../collection/row-block.js'
import { exactCosines } from '../../../numerics/exact-cosines.js'
import type { RowFile, RowScorer } from '../../../numerics/nearest-rows.js'
import { EMBEDDING, embeddingsOf } from './arrow-rows.js'
import { loadLance } from './load-lance.js'
import { INDEX_FROM, type IndexedRow, measureIndex, WANTED } from './measure-index.js'

/** Says how the index is, and how it is asked. */
export interface IndexState {
  /** Counts the rows that it was trained on. */
  readonly rows: number
  /** Says into how many partitions it looks. */
  readonly probes: number
  /** Is the share of the ten nearest that it finds, as measured last. */
  readonly recall: number
  /** Says how many times as many rows as are wanted are compared as they are stored; default 20. */
  readonly refine?: number
}

/** So many partitions are looked into, the first number that finds enough. */
const PROBES = [8, 12, 16, 24, 32, 48, 64, 96]
/** So many times as many rows as are wanted are compared as they are stored. */
const REFINE = 20

/** Says how an index is laid out. */
interface Layout {
  partitions(rows: number): number
  /** Counts the numbers of a part, the first that goes into the width. */
  readonly parts: readonly number[]
  /** The first that finds enough is taken. */
  readonly refines: readonly number[]
}

/** LanceDB is fast where a part has 8 or 16 numbers. */
const ON_DISK: Layout = {
  partitions: (rows) => Math.round(Math.sqrt(rows)),
  parts: [8, 16],
  refines: [REFINE],
}
/**
 * There each partition and each row is asked for by itself: partitions are fewer and larger, and codes fine enough that few rows need be compared as they are stored.
 * It takes twice as long to train, and where partitions are very unequal LanceDB shares them out anew when rows are added, which takes minutes for a million.
 */
const ON_STORAGE: Layout = {
  partitions: (rows) => Math.ceil(rows / 4096),
  parts: [4, 8, 16],
  refines: [4, REFINE],
}
/** Centres are made of so many rows for each, in so many rounds: LanceDB's own 256 and 50 take ten times as long, most of it on parts of rows. */
const DRAWN = 64
const ROUNDS = 20
const NAME = `${EMBEDDING}_idx`

/** Says what is looked at. */
interface Looked {
  readonly table: Table
  /** Are the rows that have an embedding. */
  readonly ids: readonly string[]
  readonly rows: RowFile
  readonly width: number
  readonly scorer: RowScorer
  readonly signal: AbortSignal | undefined
  /** Says that each question takes long, as on object storage; default `false`. */
  readonly isFar?: boolean
  /** With fewer rows there is no index; default 200,000. */
  readonly from?: number
}

/**
 * Brings the index up to date with the rows: trains it where there is none, where rows have doubled since, or where it does not find enough any more; else adds
 * the rows that are new. Gives null where there are too few rows for one.
 */
export async function refreshIndex(looked: Looked, before: IndexState | null): Promise<IndexState | null> {
  const count = looked.ids.length
  const { from = INDEX_FROM } = looked
  const isThere = (await looked.table.listIndices()).some(({ name }) => name === NAME)
  if (count < from) {
    if (isThere) await looked.table.dropIndex(NAME)
    return null
  }
  if (isThere && before !== null && count < 2 * before.rows) {
    // It costs minutes, and may share partitions out anew: it is done where there are rows to add, and not else.
    const stats = await looked.table.indexStats(NAME)
    if (stats?.numUnindexedRows !== 0) await looked.table.optimize()
    const measured = await measure(looked)
    if (measured.recall >= WANTED) return { rows: before.rows, ...measured }
  }
  await train(looked, count)
  return { rows: count, ...(await measure(looked)) }
}

async function train({ table, width, isFar = false }: Looked, count: number): Promise<void> {
  const { partitions, parts } = isFar ? ON_STORAGE : ON_DISK
  const { lance } = loadLance()
  const config = lance.Index.ivfPq({
    distanceType: 'dot',
    numPartitions: partitions(count),
    numSubVectors: width / (parts.find((part) => width % part === 0) ?? width),
    sampleRate: DRAWN,
    maxIterations: ROUNDS,
  })
  await table.createIndex(EMBEDDING, { config, replace: true })
}

async function measure({ table, ids, rows, width, scorer, signal, isFar = false }: Looked) {
  const blocks = [{ dtype: 'F16', bytes: rows }] as const
  let best = { probes: 0, recall: 0, refine: REFINE }
  for (const refine of (isFar ? ON_STORAGE : ON_DISK).refines) {
    const found = await measureIndex({ ids, blocks, width, scorer, signal }, PROBES, (query, count, probes) =>
      askIndex(table, query, count, { probes, refine, compares: false }),
    )
    best = { ...found, refine }
    if (best.recall >= WANTED) break
  }
  return best
}

/** Is a row that the index gives. */
export interface StatedRow extends IndexedRow {
  readonly state: string
  /** Says where it lies in this version of the table. */
  readonly place: bigint
}

/**
 * Finds the nearest rows by the index. With a filter it looks on into further partitions until there are enough; without one it does not.
 *
 * @param options.compares says that rows are compared as exact search does it, by the cosine of the stored numbers, for which their embeddings are read; else their products with
 *   the query stand for it, which are off by up to some ten-thousandths; default `true`
 */
export async function askIndex(
  table: Table,
  query: Float32Array,
  count: number,
  {
    probes,
    refine = REFINE,
    where,
    compares = true,
  }: {
    readonly probes: number
    readonly compares?: boolean
    readonly refine?: number | undefined
    readonly where?: string | undefined
  },
): Promise<readonly StatedRow[]> {
  const asked = table
    .query()
    .nearestTo(query)
    .column(EMBEDDING)
    .distanceType('dot')
    .refineFactor(refine)
    .limit(count)
  // The least is set first, since it may not be above the most.
  asked.nprobes(probes)
  if (where !== undefined) asked.maximumNprobes(0).where(where)
  const rows: StatedRow[] = []
  const names = ['id', 'state', '_distance', '_rowid']
  for await (const batch of asked.select(compares ? [...names, EMBEDDING] : names)) {
    const [ids, states, distances, places] = names.map((name) => batch.getChild(name))
    const cosines = compares ? cosinesOf(query, batch.getChild(EMBEDDING), batch.numRows) : null
    for (let at = 0; at < batch.numRows; at++)
      rows.push({
        id: String(ids?.get(at)),
        state: String(states?.get(at)),
        similarity: cosines?.[at] ?? 1 - Number(distances?.get(at)),
        place: BigInt(places?.get(at)),
      })
  }
  return rows.sort((a, b) => b.similarity - a.similarity || (a.id < b.id ? -1 : 1))
}

function cosinesOf(query: Float32Array, vector: Vector | null, count: number): Float64Array {
  const isWide = vector?.data[0]?.children[0]?.values instanceof Float32Array
  const dtype = isWide ? 'float32' : 'float16'
  return exactCosines(query, wideHalvesOf(embeddingsOf(vector, count, { width: query.length, dtype })))
}
