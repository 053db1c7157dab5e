/**
 * Keeps the index that LanceDB makes of embeddings: partitions of rows around centres, and in them codes of products (IVF_PQ), of which the nearest are compared
 * again as they are stored. How well it finds what is nearest is measured on the collection itself, and decides how many partitions are looked into, and when the
 * index is trained again.
 */
import type { Table } from '@lancedb/lancedb'
import type { RowFile, RowScorer } from '../../../numerics/nearest-rows.js'
import { seededRandom } from '../../../numerics/seeded-random.js'
import { widenRows } from '../../../numerics/stored-halves.js'
import { EMBEDDING } from './arrow-rows.js'
import { loadLance } from './load-lance.js'

/** Says how the index is, and how it is asked. */
export interface IndexState {
  /** Counts the rows that it was trained on. */
  readonly rows: number
  /** Says into how many partitions it looks. */
  readonly probes: number
  /** Is the share of the ten nearest that it finds, as measured last. */
  readonly recall: number
}

/** With fewer rows exact search takes no longer. */
const INDEX_FROM = 200_000
/** The share of the ten nearest that is asked for. */
const WANTED = 0.95
const NEAREST = 10
const HELD = 200
const SEED = 1
/** So many partitions are looked into, the first number that finds enough. */
const PROBES = [8, 12, 20, 32, 48, 64, 96]
/** So many times as many rows as are wanted are compared as they are stored. */
const REFINE = 20
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
    await looked.table.optimize()
    const measured = await measure(looked)
    if (measured.recall >= WANTED) return { rows: before.rows, ...measured }
  }
  await train(looked, count)
  return { rows: count, ...(await measure(looked)) }
}

async function train({ table, width }: Looked, count: number): Promise<void> {
  const { lance } = loadLance()
  const config = lance.Index.ivfPq({
    distanceType: 'dot',
    numPartitions: Math.round(Math.sqrt(count)),
    numSubVectors: subVectorsOf(width),
  })
  await table.createIndex(EMBEDDING, { config, replace: true })
}

/** LanceDB is fast where a part has 8 or 16 numbers. */
function subVectorsOf(width: number): number {
  for (const part of [8, 16]) if (width % part === 0) return width / part
  return 1
}

/** Asks for the nearest of rows that are drawn, other than themselves, and looks into as many partitions as it takes. */
async function measure({
  table,
  ids,
  rows,
  width,
  scorer,
  signal,
}: Looked): Promise<Omit<IndexState, 'rows'>> {
  const random = seededRandom(SEED)
  const drawn = Uint32Array.from({ length: HELD }, () => Math.floor(random() * ids.length))
  const blocks = [{ dtype: 'F16', bytes: rows }] as const
  const queries = await widenRows(blocks, width, drawn)
  const exact = await scorer.nearestToEach(queries, width, blocks, NEAREST + 1, { signal })
  let found = { probes: 0, recall: 0 }
  for (const probes of PROBES) {
    let right = 0
    for (const [q, row] of drawn.entries()) {
      signal?.throwIfAborted()
      const own = exact.rows.subarray(q * exact.count, (q + 1) * exact.count)
      const wanted = new Set(Array.from(own, (other) => ids[other]))
      wanted.delete(ids[row])
      const query = queries.subarray(q * width, (q + 1) * width)
      for (const { id } of await askIndex(table, query, NEAREST + 1, { probes })) if (wanted.has(id)) right++
    }
    found = { probes, recall: Math.min(1, right / (HELD * NEAREST)) }
    if (found.recall >= WANTED) break
  }
  return found
}

/** Is a row that the index gives. */
export interface IndexedRow {
  readonly id: string
  readonly state: string
  readonly similarity: number
}

/** Finds the nearest rows by the index. With a filter it looks on into further partitions until there are enough; without one it does not. */
export async function askIndex(
  table: Table,
  query: Float32Array,
  count: number,
  { probes, where }: { readonly probes: number; readonly where?: string | undefined },
): Promise<readonly IndexedRow[]> {
  const asked = table
    .query()
    .nearestTo(query)
    .column(EMBEDDING)
    .distanceType('dot')
    .refineFactor(REFINE)
    .limit(count)
  // The least is set first, since it may not be above the most.
  asked.nprobes(probes)
  if (where !== undefined) asked.maximumNprobes(0).where(where)
  const rows: IndexedRow[] = []
  for await (const batch of asked.select(['id', 'state', '_distance'])) {
    const [ids, states, distances] = ['id', 'state', '_distance'].map((name) => batch.getChild(name))
    for (let at = 0; at < batch.numRows; at++)
      rows.push({
        id: String(ids?.get(at)),
        state: String(states?.get(at)),
        similarity: 1 - Number(distances?.get(at)),
      })
  }
  return rows
}
