/**
 * Makes positions of sines and cosines (Vaswani et al. 2017, and He et al. 2021 for two axes) for the networks that compute them for each grid, whether
 * or not they store those of the trained one.
 */
import type { PatchGrid } from './positions.js'

/** Says how fast the waves are. */
export interface SineRule {
  /** Is the base of the wave lengths: temperature^(-k / (D / 4)) for k below D / 4. */
  readonly temperature: number
  /** Tells whether the slowest wave is as slow as the temperature says, so that D / 4 - 1 stands in place of D / 4; default `false`. */
  readonly hasEndpoint?: boolean
}

/** Gives [rows * columns, D]: sines of the column, its cosines, sines of the row, its cosines. */
export function sineTable(
  { temperature, hasEndpoint = false }: SineRule,
  { rows, columns }: PatchGrid,
  width: number,
): Float32Array {
  const quarter = width / 4
  const bands = Float64Array.from(
    { length: quarter },
    (_, k) => 1 / temperature ** (k / (hasEndpoint ? quarter - 1 : quarter)),
  )
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
