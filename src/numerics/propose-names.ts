/** Proposes names for groups of rows from names that rows have already: folders, or labels. */

/** Is a name that much of a group has, and little else. */
export interface ProposedName {
  /** Is text of anybody: a folder's path, or a label. */
  readonly name: string
  /** Is the share of the group's rows that have it, 0 to 1. */
  readonly share: number
  /** Says how many times as large that share is as among all rows. */
  readonly lift: number
}

/** A name is proposed where so many of a group's rows have it. */
const LEAST_SHARE = 0.5
/** It must be so many times as frequent as among all rows: else it says nothing of the group. */
const LEAST_LIFT = 1.5
/** By chance alone a group would have a name so often in one of a thousand cases at most. */
const STANDS_OUT = 10.83

/**
 * Gives for each of `count` groups the most specific name that is over-represented in it, the rarest among all rows, or null. `labels` [N] are the groups of the
 * rows, -1 for none; `names` [N] those of each row, a folder and those that it lies in, say. A name stands out by the log-likelihood ratio (Dunning, Accurate methods for the
 * statistics of surprise and coincidence, 1993). Of equally rare names the one that more of the group have is taken, then the longest.
 */
export function proposeNames(
  labels: Int32Array,
  count: number,
  names: readonly (readonly string[])[],
): readonly (ProposedName | null)[] {
  const total = labels.length
  const everywhere = new Map<string, number>()
  const within = Array.from({ length: count }, () => new Map<string, number>())
  const sizes = new Float64Array(count)
  for (const [row, own] of names.entries()) {
    const label = labels[row]
    if (label >= 0) sizes[label]++
    for (const name of new Set(own)) {
      everywhere.set(name, (everywhere.get(name) ?? 0) + 1)
      if (label >= 0) within[label].set(name, (within[label].get(name) ?? 0) + 1)
    }
  }
  return within.map((counts, label) => {
    const size = sizes[label]
    const candidates = [...counts].flatMap(([name, inside]) => {
      const all = everywhere.get(name) ?? inside
      const share = inside / size
      const lift = share / (all / total)
      const isTold =
        share >= LEAST_SHARE && lift >= LEAST_LIFT && surprise(inside, size, all, total) >= STANDS_OUT
      return isTold ? [{ name, share, lift, all }] : []
    })
    candidates.sort(
      (a, b) =>
        a.all - b.all || b.share - a.share || b.name.length - a.name.length || (a.name < b.name ? -1 : 1),
    )
    const [best] = candidates
    return best === undefined ? null : { name: best.name, share: best.share, lift: best.lift }
  })
}

/** Computes 2 log of how much likelier the counts are if the group has a rate of its own. */
function surprise(inside: number, size: number, all: number, total: number): number {
  const term = (seen: number, expected: number) => (seen > 0 ? seen * Math.log(seen / expected) : 0)
  const outside = total - size
  return (
    2 *
    (term(inside, (size * all) / total) +
      term(size - inside, (size * (total - all)) / total) +
      term(all - inside, (outside * all) / total) +
      term(outside - (all - inside), (outside * (total - all)) / total))
  )
}
