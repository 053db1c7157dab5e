/** Finds the photos nearest to a direction, as many as are asked for: of equal similarity the one with the smaller id comes first. */
import { given } from '../../encoder/choose-recipe.js'
import type { Collection } from '../collection.js'
import { halvesOf } from '../row-block.js'
import type { Condition } from '../where/condition.js'

export interface Candidate {
  readonly id: string
  /** Is the cosine, in float32. */
  readonly similarity: number
}

export interface Candidates {
  /** Holds the nearest, nearest first: at least as many as were asked for, or all. */
  readonly best: readonly Candidate[]
  /** Tells that there are no others. */
  readonly isAll: boolean
}

export interface CandidateOptions {
  readonly signal: AbortSignal | undefined
  /** Is told how many photos have been looked at. */
  readonly onLooked: (photos: number) => void
}

export function inOrder(a: Candidate, b: Candidate): number {
  return b.similarity - a.similarity || (a.id < b.id ? -1 : 1)
}

/** Looks through all photos. */
export async function nearestOfAll(
  collection: Collection,
  query: Float32Array,
  count: number,
  { signal, onLooked }: CandidateOptions,
): Promise<Candidates> {
  const { ids, blocks } = await collection.vectors(given({ signal }))
  for (let asked = count + 1; ids.length > 0; asked *= 2) {
    const { rows, scores } = await collection.products.nearestRows(query, blocks, asked, given({ signal }))
    const found = Array.from(rows, (row, at) => ({ id: ids[row] ?? '', similarity: scores[at] ?? 0 }))
    onLooked(ids.length)
    if (found.length === ids.length) return { best: found.sort(inOrder), isAll: true }
    // Rows as near as the last one may be among those that were not given, and have smaller ids.
    const last = found.at(-1)?.similarity ?? 0
    const sure = found.filter(({ similarity }) => similarity > last)
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
  { signal, onLooked }: CandidateOptions,
): Promise<Candidates> {
  let best: Candidate[] = []
  let total = 0
  for await (const block of collection.scan({ columns: ['id'], embeddings: true, where, signal })) {
    if (block.count === 0 || block.embeddings === undefined) continue
    const stored = halvesOf(block.embeddings)
    const { rows, scores } = await collection.products.nearestRows(
      query,
      [stored],
      block.count,
      given({ signal }),
    )
    const ids = block.values.id ?? []
    for (const [at, row] of rows.entries()) best.push({ id: String(ids[row]), similarity: scores[at] ?? 0 })
    total += block.count
    onLooked(total)
    best = best.sort(inOrder).slice(0, count)
  }
  return { best, isAll: total <= count }
}
