/**
 * Adds to the scores of one query what attention learns of the offsets of patches (BEiT, Bao et al. 2021). A table has, for a head, one value for each
 * offset of two places of the grid, row by row, then three: special query and patch, patch and special key, two special tokens.
 */
export function addRelativeBias(
  scores: Float64Array, // [keys], special tokens first
  table: Float32Array, // [(2 rows - 1) * (2 columns - 1) + 3] of this head
  query: number,
  rows: number,
  columns: number,
): void {
  const special = scores.length - rows * columns
  const offsets = (2 * rows - 1) * (2 * columns - 1)
  const [toPatch, toSpecial, between] = [table[offsets], table[offsets + 1], table[offsets + 2]]
  for (let n = 0; n < special; n++) scores[n] += query < special ? between : toSpecial
  if (query < special) {
    for (let n = special; n < scores.length; n++) scores[n] += toPatch
    return
  }
  const [row, column] = [Math.floor((query - special) / columns), (query - special) % columns]
  let n = special
  for (let r = 0; r < rows; r++) {
    const line = (row - r + rows - 1) * (2 * columns - 1) + column + columns - 1
    for (let c = 0; c < columns; c++) scores[n++] += table[line - c]
  }
}
