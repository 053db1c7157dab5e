/**
 * Finds the photos nearest to a direction, as many as are asked for: of equal similarity the one with the smaller id comes first.
 *
 * Halves of a vector of length 1 have another length, by up to some ten-thousandths, so that products of them would put a longer twin in front of the photo itself. Similarity
 * is the cosine of the stored numbers instead, with sums in float64: a scorer chooses by products for which rows it is computed, and as many are chosen that no other can be
 * among the nearest.
 */
import { given } from '../../encoder/choose-recipe.js'
import { exactCosines } from '../../numerics/exact-cosines.js'
import { rowLengths } from '../../numerics/lengths.js'
import type { NearestRows, StoredRows } from '../../numerics/nearest-rows.js'
import { widenRows } from '../../numerics/stored-halves.js'
import type { Collection } from '../collection.js'
import { halvesOf } from '../row-block.js'
import type { Condition } from '../where/condition.js'

/** Is a photo that may be among the nearest. */
export interface Candidate {
  /** Is the photo's id. */
  readonly id: string
  /** Is the cosine of the stored numbers, in float64. */
  readonly similarity: number
}

export interface Candidates {
  /** Holds the nearest, nearest first: at least as many as were asked for, or all. */
  readonly best: readonly Candidate[]
  /** Tells that there are no others. */
  readonly isAll: boolean
}

export interface CandidateOptions {
  readonly signal?: AbortSignal | undefined
  /** Is told how many photos have been looked at. */
  readonly onLooked?: ((photos: number) => void) | undefined
}

export function inOrder(a: Candidate, b: Candidate): number {
  return b.similarity - a.similarity || (a.id < b.id ? -1 : 1)
}

/** Rounding to halves changes a number by at most 2^-11 of it, or by 2^-25 where it is tiny: the length of a vector of length 1 by no more than this, up to 2^16 numbers. */
const LENGTH_OFF = 2 ** -11 + 2 ** -17
/** So many rows more are looked at: where few lie close together, one look through all is enough. */
const SPARE = 22

/** Looks through all photos. The query may have any length. */
export async function nearestOfAll(
  collection: Collection,
  query: Float32Array,
  count: number,
  { signal, onLooked }: CandidateOptions = {},
): Promise<Candidates> {
  const { ids, blocks } = await collection.vectors(given({ signal }))
  for (let asked = 2 * count + SPARE; ids.length > 0; asked *= 2) {
    const near = await collection.products.nearestRows(query, blocks, asked, given({ signal }))
    onLooked?.(ids.length)
    const found = (await cosinesOf(query, blocks, near)).map(({ row, similarity }) => ({
      id: ids[row] ?? '',
      similarity,
    }))
    if (found.length === ids.length) return { best: found.sort(inOrder), isAll: true }
    // Those that were not given may be as near as the last one is, and have smaller ids.
    const bound = mostOf(near.scores.at(-1) ?? 0, query)
    const sure = found.filter(({ similarity }) => similarity > bound)
    if (sure.length >= count) return { best: sure.sort(inOrder), isAll: false }
  }
  return { best: [], isAll: true }
}

/** Looks through those photos of which something is true, reading the embeddings of these alone. */
export async function nearestOfSome(
  collection: Collection,
  query: Float32Array,
  count: number,
  where: Condition,
  { signal, onLooked }: CandidateOptions = {},
): Promise<Candidates> {
  let best: Candidate[] = []
  let total = 0
  for await (const block of collection.scan({ columns: ['id'], embeddings: true, where, signal })) {
    if (block.count === 0 || block.embeddings === undefined) continue
    const stored = [halvesOf(block.embeddings)]
    const near = await collection.products.nearestRows(query, stored, block.count, given({ signal }))
    const least = best.length < count ? Number.NEGATIVE_INFINITY : (best.at(-1)?.similarity ?? 0)
    const behind = near.scores.findIndex((score) => mostOf(score, query) < least)
    const rows = behind < 0 ? near.rows : near.rows.subarray(0, behind)
    const ids = block.values.id ?? []
    for (const { row, similarity } of await cosinesOf(query, stored, { rows }))
      best.push({ id: String(ids[row]), similarity })
    total += block.count
    onLooked?.(total)
    best = best.sort(inOrder).slice(0, count)
  }
  return { best, isAll: total <= count }
}

async function cosinesOf(
  query: Float32Array,
  blocks: readonly StoredRows[],
  { rows }: Pick<NearestRows, 'rows'>,
) {
  // Those that lie side by side in a file are read together.
  const sorted = rows.toSorted()
  const cosines = exactCosines(query, await widenRows(blocks, query.length, sorted))
  return Array.from(sorted, (row, at) => ({ row, similarity: cosines[at] ?? 0 }))
}

/** Gives the largest cosine that a row of this product with the query may have. */
function mostOf(product: number, query: Float32Array): number {
  const [length = 0] = rowLengths(query, query.length)
  // The product is a float32, and so is the length.
  return product / length / (product > 0 ? 1 - LENGTH_OFF : 1 + LENGTH_OFF) + 2 ** -22
}
