/** Chooses the tile that a product is cut into: large ones read least, small ones keep more of a GPU busy. */

export interface Tiled {
  /** Is how many workgroups there must be for this tile to be taken. No GPU tells how many it runs at once; these are for some hundred cores. */
  readonly fewest: number
}

/**
 * @param tiles the largest first; the last one is for whatever is smaller
 * @param workgroups how many there would be
 * @param only the number of the tile that is to be taken whatever the size, for checks of every one of them
 */
export function chooseTile<T extends Tiled>(
  tiles: readonly T[],
  workgroups: (tile: T) => number,
  only: number | null,
): T {
  const last = tiles.at(-1)
  if (last === undefined) throw new Error('There is no tile to choose from.')
  if (only !== null) return tiles[only] ?? last
  return tiles.find((tile) => workgroups(tile) >= tile.fewest) ?? last
}

/** Writes out lines of a shader that differ by a number, since not every compiler unrolls loops over registers. */
export function each(count: number, line: (index: number) => string, separator = '\n'): string {
  return Array.from({ length: count }, (_, index) => line(index)).join(separator)
}
