/** Tries pairs so that few photos are read twice. */
import { expect, test } from 'vitest'
import { seededRandom } from '../../numerics/seeded-random.js'
import { inReadingOrder } from './try-order.js'

/** Counts what is read where the photos that were used last are kept. */
function readsOf(pairs: readonly { readonly first: number; readonly second: number }[], kept: number) {
  const held = new Set<number>()
  let reads = 0
  for (const { first, second } of pairs)
    for (const photo of [first, second]) {
      if (!held.delete(photo)) reads++
      held.add(photo)
      const [oldest] = held
      if (held.size > kept && oldest !== undefined) held.delete(oldest)
    }
  return reads
}

test('photos that are tried with each other are read once, wherever their files lie', () => {
  const [groups, each] = [100, 8]
  // As in a library that was copied: the copies lie in other folders than what they were made of.
  const pairs = Array.from({ length: groups }, (_, group) => group).flatMap((group) =>
    Array.from({ length: each }, (_, i) => i).flatMap((i) =>
      Array.from({ length: i }, (_, j) => ({ first: j * groups + group, second: i * groups + group })),
    ),
  )
  const random = seededRandom(1)
  const mixed = pairs.map((pair) => ({ pair, at: random() })).sort((a, b) => a.at - b.at)
  const ordered = inReadingOrder(mixed.map(({ pair }) => pair))
  expect(readsOf(ordered, 16)).toBe(groups * each)
  expect(new Set(ordered)).toEqual(new Set(pairs))
})
