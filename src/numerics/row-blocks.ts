/** Looks into rows that lie in several blocks [N, D] as if they were one. */

/** Cuts blocks into pieces of at most `most` rows, which are views, so that what is computed for a piece at once has a bound. */
export function* piecesOf(
  blocks: readonly Float32Array[],
  width: number,
  most: number,
): Generator<{ readonly rows: Float32Array; readonly first: number }> {
  let first = 0
  for (const block of blocks) {
    for (let at = 0; at < block.length; at += most * width) {
      const rows = block.subarray(at, Math.min(block.length, at + most * width))
      yield { rows, first }
      first += rows.length / width
    }
  }
}

/** Copies the rows of the given numbers, one behind the other. */
export function gatherRows(
  blocks: readonly Float32Array[],
  width: number,
  numbers: ArrayLike<number>,
): Float32Array<ArrayBuffer> {
  const starts: number[] = []
  let total = 0
  for (const block of blocks) {
    starts.push(total)
    total += block.length / width
  }
  const out = new Float32Array(numbers.length * width)
  for (let i = 0; i < numbers.length; i++) {
    const row = numbers[i]
    let block = 0
    let above = starts.length
    while (above - block > 1) {
      const middle = (block + above) >> 1
      if (starts[middle] <= row) block = middle
      else above = middle
    }
    const at = (row - starts[block]) * width
    out.set(blocks[block].subarray(at, at + width), i * width)
  }
  return out
}

/** Draws `count` of `total` numbers without putting any back, in rising order (Vitter 1984, method S); all of them where there are fewer. */
export function drawRows(total: number, count: number, random: () => number): Int32Array {
  const drawn = new Int32Array(Math.min(total, count))
  for (let row = 0, taken = 0; taken < drawn.length; row++)
    if (random() * (total - row) < drawn.length - taken) drawn[taken++] = row
  return drawn
}
