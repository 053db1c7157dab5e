/**
 * Makes positions of sines and cosines (Vaswani et al. 2017, and He et al. 2021 for two axes) for the networks that compute them for each grid and store
 * no table.
 */
import type { PatchGrid } from './positions.js'

/** Says how fast the waves are. */
export interface SineRule {
  /** Is the base of the wave lengths: temperature^(-k / (D / 4)) for k below D / 4. */
  readonly temperature: number
}

/** Gives [rows * columns, D]: sines of the column, its cosines, sines of the row, its cosines. */
export function sineTable(
  { temperature }: SineRule,
  { rows, columns }: PatchGrid,
  width: number,
): Float32Array {
  const quarter = width / 4
  const bands = Float64Array.from({ length: quarter }, (_, k) => 1 / temperature ** (k / quarter))
  const table = new Float32Array(rows * columns * width)
  for (let cell = 0; cell < rows * columns; cell++) {
    const [row, column] = [Math.floor(cell / columns), cell % columns]
    bands.forEach((band, k) => {
      const at = cell * width + k
      table[at] = Math.sin(column * band)
      table[at + quarter] = Math.cos(column * band)
      table[at + 2 * quarter] = Math.sin(row * band)
      table[at + 3 * quarter] = Math.cos(row * band)
    })
  }
  return table
}
