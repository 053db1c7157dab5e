/**
 * Adds to the scores of one query its products with a learnt row for the offset in rows, and with one for that in columns (Li et al. 2022,
 * "Exploring plain vision transformer backbones for object detection").
 *
 *     scores[r, c] += <query, rowTable[row - r + rows - 1]> + <query, columnTable[column - c + columns - 1]>
 */
export function addDecomposedBias(
  scores: Float64Array, // [rows * columns]
  query: Float32Array, // [headWidth]
  place: number,
  rowTable: Float32Array, // [2 rows - 1, headWidth]
  columnTable: Float32Array, // [2 columns - 1, headWidth]
): void {
  const width = query.length
  const rows = (rowTable.length / width + 1) / 2
  const columns = (columnTable.length / width + 1) / 2
  const [row, column] = [Math.floor(place / columns), place % columns]
  const product = (table: Float32Array, line: number) => {
    let sum = 0
    for (let j = 0; j < width; j++) sum += query[j] * table[line * width + j]
    return sum
  }
  const ofColumns = Float64Array.from({ length: columns }, (_, c) =>
    product(columnTable, column - c + columns - 1),
  )
  for (let r = 0; r < rows; r++) {
    const ofRow = product(rowTable, row - r + rows - 1)
    for (let c = 0; c < columns; c++) scores[r * columns + c] += ofRow + ofColumns[c]
  }
}
