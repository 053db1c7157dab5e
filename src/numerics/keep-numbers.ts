/** Numbers groups that are found anew as the same groups were numbered before, so that names and notes about them stay true. */
import { sharedRows } from './rand-index.js'

/**
 * Gives the rows' new groups, `labels` [N], under numbers of the old ones, `before` [N]: a group takes the number of the old group with which it shares most
 * rows, the pair that shares most first, and each number once. A group that is left takes the least number that no group ever had: `used` says how many were
 * given. -1 is no group, in both.
 */
export function keepNumbers(
  labels: Int32Array,
  before: Int32Array,
  used: number,
): { readonly labels: Int32Array; readonly used: number } {
  const shared = sharedRows(labels, before).filter(({ first, second }) => first >= 0 && second >= 0)
  shared.sort((a, b) => b.rows - a.rows || a.second - b.second || a.first - b.first)
  const numbers = new Map<number, number>()
  const taken = new Set<number>()
  for (const { first, second } of shared) {
    if (numbers.has(first) || taken.has(second)) continue
    numbers.set(first, second)
    taken.add(second)
  }
  let next = used
  for (const label of [...new Set(labels)].sort((a, b) => a - b))
    if (label >= 0 && !numbers.has(label)) numbers.set(label, next++)
  return { labels: labels.map((label) => (label < 0 ? -1 : (numbers.get(label) ?? -1))), used: next }
}
