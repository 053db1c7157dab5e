/** Says how far neighbours on a map are neighbours in truth (Venna and Kaski, Neighborhood preservation in nonlinear projection methods, 2001). */
import { unitRows } from './lengths.js'
import { pausesFor } from './pauses.js'
import { checkRows, type ProductOptions, type Products, plainProducts } from './products.js'
import { piecesOf } from './row-blocks.js'

/** So many similarities are held at once. */
const MOST_HELD = 1 << 22

/**
 * Computes the trustworthiness of points [N, 2] of rows [N, D] by cosine: 1 where the `count` nearest on the map are the nearest in truth, less by how far down
 * others are among all, as scikit-learn's `trustworthiness(metric="cosine")` does. All rows are multiplied with all: draw some of very many. Throws RangeError
 * where `count` is not below half the rows.
 */
export async function trustworthiness(
  rows: Float32Array,
  width: number,
  points: Float32Array,
  count: number,
  { products = plainProducts, signal }: ProductOptions & { readonly products?: Products | undefined } = {},
): Promise<number> {
  const total = checkRows([rows], width)
  if (points.length !== 2 * total) throw new RangeError(`${total} rows have no ${points.length / 2} points.`)
  if (!(Number.isInteger(count) && count >= 1 && count < total / 2))
    throw new RangeError(`Of ${total} rows, fewer than half are neighbours, not ${count}.`)
  const units = unitRows(rows, width)
  const pause = pausesFor(signal)
  let penalty = 0
  for (const piece of piecesOf([units], width, Math.max(1, Math.floor(MOST_HELD / total)))) {
    const alike = await products.similarity(piece.rows, units, width, { signal })
    for (let row = 0; row < piece.rows.length / width; row++) {
      const own = piece.first + row
      penalty += penaltyOf(
        alike.subarray(row * total, (row + 1) * total),
        own,
        nearestPoints(points, own, count),
      )
      await pause()
    }
  }
  return 1 - (2 * penalty) / (total * count * (2 * total - 3 * count - 1))
}

/** Sums by how many places each of the near points is too far down among all rows. */
function penaltyOf(alike: Float32Array, own: number, near: readonly number[]): number {
  const ranks = near.map(() => 1)
  for (let row = 0; row < alike.length; row++) {
    if (row === own) continue
    for (let i = 0; i < near.length; i++)
      if (alike[row] > alike[near[i]] || (alike[row] === alike[near[i]] && row < near[i])) ranks[i]++
  }
  return ranks.reduce((sum, rank) => sum + Math.max(0, rank - near.length), 0)
}

function nearestPoints(points: Float32Array, own: number, count: number): number[] {
  const squares: number[] = []
  const near: number[] = []
  for (let at = 0; at < points.length; at += 2) {
    if (at === 2 * own) continue
    const square = (points[at] - points[2 * own]) ** 2 + (points[at + 1] - points[2 * own + 1]) ** 2
    if (near.length === count && !(square < squares[count - 1])) continue
    let place = near.length < count ? near.length : count - 1
    for (; place > 0 && squares[place - 1] > square; place--) {
      squares[place] = squares[place - 1]
      near[place] = near[place - 1]
    }
    squares[place] = square
    near[place] = at / 2
  }
  return near
}
