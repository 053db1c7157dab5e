/** Finds the rows that stand for groups. */
import { checkRows } from './products.js'

/**
 * Gives for each of `count` groups its rows that are nearest by direction to the mean direction of all its rows, at most `most`, nearest first. The first is its
 * medoid by cosine: no row has a larger sum of cosines to the others. Rows [N, D] lie in blocks, `labels` [N] are their groups, -1 for none.
 */
export function exemplars(
  blocks: readonly Float32Array[],
  width: number,
  labels: Int32Array,
  count: number,
  most: number,
): readonly Int32Array[] {
  if (checkRows(blocks, width) !== labels.length)
    throw new RangeError(`${labels.length} labels are not those of ${checkRows(blocks, width)} rows.`)
  const sums = new Float64Array(count * width)
  eachRow(blocks, width, labels, (block, at, length, label) => {
    for (let i = 0; i < width; i++) sums[label * width + i] += block[at + i] / length
  })
  const nearest = Array.from({ length: count }, () => ({ rows: [] as number[], scores: [] as number[] }))
  eachRow(blocks, width, labels, (block, at, length, label, row) => {
    let score = 0
    for (let i = 0; i < width; i++) score += sums[label * width + i] * (block[at + i] / length)
    const { rows, scores } = nearest[label]
    let place = rows.length
    while (place > 0 && scores[place - 1] < score) place--
    if (place >= most) return
    rows.splice(place, 0, row)
    scores.splice(place, 0, score)
    rows.length = Math.min(rows.length, most)
    scores.length = rows.length
  })
  return nearest.map(({ rows }) => Int32Array.from(rows))
}

type Visit = (block: Float32Array, at: number, length: number, label: number, row: number) => void

function eachRow(blocks: readonly Float32Array[], width: number, labels: Int32Array, visit: Visit): void {
  let row = 0
  for (const block of blocks) {
    for (let at = 0; at < block.length; at += width, row++) {
      if (labels[row] < 0) continue
      let square = 0
      for (let i = at; i < at + width; i++) square += block[i] * block[i]
      visit(block, at, square > 0 ? Math.sqrt(square) : 1, labels[row], row)
    }
  }
}
