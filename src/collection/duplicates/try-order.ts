/** Puts pairs of photos into an order in which photos that were read a while ago are seldom needed again. */

interface Pair {
  readonly first: number
  readonly second: number
}

/**
 * Gives the same pairs: photos follow the ones that they are tried with, breadth first, and each is tried with all that came before it. So the copies of one picture, and
 * pictures that are alike, come one after the other wherever their files lie. The same pairs come in the same order.
 */
export function inReadingOrder<Tried extends Pair>(tries: readonly Tried[]): readonly Tried[] {
  const partners = new Map<number, number[]>()
  for (const { first, second } of tries)
    for (const [one, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const known = partners.get(one)
      if (known === undefined) partners.set(one, [other])
      else known.push(other)
    }
  const places = new Map<number, number>()
  for (const start of [...partners.keys()].sort((a, b) => a - b)) {
    if (places.has(start)) continue
    const waiting = [start]
    places.set(start, places.size)
    for (const photo of waiting)
      for (const other of partners.get(photo) ?? []) {
        if (places.has(other)) continue
        places.set(other, places.size)
        waiting.push(other)
      }
  }
  const placed = tries.map((tried) => {
    const [a, b] = [places.get(tried.first) ?? 0, places.get(tried.second) ?? 0]
    return { tried, later: Math.max(a, b), earlier: Math.min(a, b) }
  })
  return placed.sort((a, b) => a.later - b.later || a.earlier - b.earlier).map(({ tried }) => tried)
}
