/**
 * Keeps the nearest rows that are found for each of many: pairs of score and row in one array, which native code works on as well. Those of one are a heap whose
 * first pair is the farthest; it begins full of pairs that any row is nearer than.
 */

/** Makes room for the `most` nearest rows of each of `count`, [count, most, 2]. */
export function roomForRows(count: number, most: number): Float64Array<ArrayBuffer> {
  const room = new Float64Array(count * most * 2)
  for (let at = 0; at < room.length; at += 2) {
    room[at] = Number.NEGATIVE_INFINITY
    room[at + 1] = Number.POSITIVE_INFINITY
  }
  return room
}

/** Gives the score of the farthest row that a heap keeps: what has less is not taken. */
export function leastKept(room: Float64Array, heap: number, most: number): number {
  return room[2 * heap * most]
}

/** Shows a heap a row, which it keeps if that is nearer than its farthest; of equal scores the earlier row is nearer. */
export function keepRow(room: Float64Array, heap: number, most: number, score: number, row: number): void {
  const first = 2 * heap * most
  if (isNearer(room[first], room[first + 1], score, row)) return
  sink(room, first, most, score, row)
}

/** Puts the rows of each heap in order, nearest first: they are heaps no longer. */
export function sortKept(room: Float64Array, most: number): void {
  for (let first = 0; first < room.length; first += 2 * most)
    for (let left = most - 1; left > 0; left--) {
      const [score, row] = [room[first], room[first + 1]]
      const last = first + 2 * left
      sink(room, first, left, room[last], room[last + 1])
      room[last] = score
      room[last + 1] = row
    }
}

/** Places a pair in a heap of `count` whose first place is free. */
function sink(room: Float64Array, first: number, count: number, score: number, row: number): void {
  let place = 0
  for (;;) {
    let child = 2 * place + 1
    if (child >= count) break
    let at = first + 2 * child
    if (child + 1 < count && isNearer(room[at], room[at + 1], room[at + 2], room[at + 3])) {
      child++
      at += 2
    }
    if (!isNearer(score, row, room[at], room[at + 1])) break
    room[first + 2 * place] = room[at]
    room[first + 2 * place + 1] = room[at + 1]
    place = child
  }
  room[first + 2 * place] = score
  room[first + 2 * place + 1] = row
}

function isNearer(score: number, row: number, other: number, otherRow: number): boolean {
  return score !== other ? score > other : row <= otherRow
}
