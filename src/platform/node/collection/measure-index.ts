/** Measures how well an index of embeddings finds what is nearest, on rows of the collection itself, and how widely it has to look for that. */
import type { RowScorer, StoredRows } from '../../../numerics/nearest-rows.js'
import { seededRandom } from '../../../numerics/seeded-random.js'
import { widenRows } from '../../../numerics/stored-halves.js'

/** With fewer rows exact search takes no longer. */
export const INDEX_FROM = 200_000
/** The share of the ten nearest that is asked for. */
export const WANTED = 0.95
const NEAREST = 10
const HELD = 200
const SEED = 1

/** Says what is looked at. */
export interface Measured {
  /** Are the rows that have an embedding. */
  readonly ids: readonly string[]
  readonly blocks: readonly StoredRows[]
  readonly width: number
  readonly scorer: RowScorer
  readonly signal: AbortSignal | undefined
}

/** Is a row that an index gives. */
export interface IndexedRow {
  readonly id: string
  readonly similarity: number
}

/** Finds rows by an index that looks so widely. */
export type AskIndex = (
  query: Float32Array,
  count: number,
  probes: number,
) => Promise<readonly Pick<IndexedRow, 'id'>[]>

/** Asks for the nearest of rows that are drawn, other than themselves, and looks as widely as it takes. */
export async function measureIndex(
  { ids, blocks, width, scorer, signal }: Measured,
  widths: readonly number[],
  ask: AskIndex,
): Promise<{ readonly probes: number; readonly recall: number }> {
  const random = seededRandom(SEED)
  const drawn = Uint32Array.from({ length: HELD }, () => Math.floor(random() * ids.length))
  const queries = await widenRows(blocks, width, drawn)
  const exact = await scorer.nearestToEach(queries, width, blocks, NEAREST + 1, { signal })
  let found = { probes: 0, recall: 0 }
  for (const probes of widths) {
    let right = 0
    for (const [q, row] of drawn.entries()) {
      signal?.throwIfAborted()
      const own = exact.rows.subarray(q * exact.count, (q + 1) * exact.count)
      const wanted = new Set(Array.from(own, (other) => ids[other]))
      wanted.delete(ids[row])
      const query = queries.subarray(q * width, (q + 1) * width)
      for (const { id } of await ask(query, NEAREST + 1, probes)) if (wanted.has(id)) right++
    }
    found = { probes, recall: Math.min(1, right / (HELD * NEAREST)) }
    if (found.recall >= WANTED) break
  }
  return found
}
