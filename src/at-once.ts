/**
 * Works on many things, no more than `most` at once, and gives what came of each in their order. Where one fails, no more are taken, and it rejects with that failure once those under
 * way have ended, so that nothing goes on behind its back.
 */
export async function atOnce<Item, Found>(
  items: Iterable<Item> | AsyncIterable<Item>,
  most: number,
  work: (item: Item) => Promise<Found>,
): Promise<readonly Found[]> {
  const found: Found[] = []
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  let taken = 0
  for await (const item of items) {
    const at = taken++
    const done: Promise<void> = work(item)
      .then(
        (one) => {
          found[at] = one
        },
        (error: unknown) => void failures.push(error),
      )
      .finally(() => underWay.delete(done))
    underWay.add(done)
    if (underWay.size >= most) await Promise.race(underWay)
    if (failures.length > 0) break
  }
  await Promise.all(underWay)
  if (failures.length > 0) throw failures[0]
  return found
}
