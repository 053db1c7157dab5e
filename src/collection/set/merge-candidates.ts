/** Puts together what several collections say is nearest, so that it is what one collection of all their rows would say. */
import type { Candidate, Candidates } from '../search/candidates.js'

/** Is a candidate of a set. */
export interface SetCandidate extends Candidate {
  /** Is the number of its collection. */
  readonly member: number
}

/** Holds the nearest of a set, nearest first. */
export interface SetCandidates {
  /** Are in order: at least as many as were asked for, or all. */
  readonly best: readonly SetCandidate[]
  /** Tells that there are no others. */
  readonly isAll: boolean
}

/** Of equal similarity the smaller id comes first, and of equal ids that of the earlier collection. */
export function inSetOrder(a: SetCandidate, b: SetCandidate): number {
  return b.similarity - a.similarity || (a.id < b.id ? -1 : a.id > b.id ? 1 : a.member - b.member)
}

/**
 * Merges lists, each of which has all candidates of its collection down to its last. Behind the first of those last ones another collection may have more that it has
 * not told, so the merged list ends there: it has as many as the shortest of the lists that go on.
 */
export function mergeCandidates(
  lists: readonly { readonly member: number; readonly candidates: Candidates }[],
): SetCandidates {
  let end: SetCandidate | null = null
  const all: SetCandidate[] = []
  for (const { member, candidates } of lists) {
    for (const candidate of candidates.best) all.push({ ...candidate, member })
    const last = candidates.best.at(-1)
    if (candidates.isAll || last === undefined) continue
    const own = { ...last, member }
    if (end === null || inSetOrder(own, end) < 0) end = own
  }
  all.sort(inSetOrder)
  const to = end
  const best = to === null ? all : all.filter((candidate) => inSetOrder(candidate, to) <= 0)
  return { best, isAll: end === null }
}
