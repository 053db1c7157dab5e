/**
 * Keeps patches of many photos within a bound: all of them as long as they fit, then every second row and column of each photo's grid, then every fourth, and
 * so on. What is kept lies evenly over each photo, and each photo has some.
 */
import type { PatchGrid } from '../model/positions.js'
import type { PatchMap } from './patch-map.js'
import { widthOf } from './patch-map.js'

export class PatchSample {
  readonly #most: number
  #maps: PatchMap[] = []
  #step = 1
  #numbers = 0
  #isFirstWhole = true

  /** @param mostNumbers bounds what is kept, D for each patch */
  constructor(mostNumbers: number) {
    this.#most = mostNumbers
  }

  /** The first map is kept whole, since places are named in it. */
  add({ patches, grid, identity }: PatchMap): void {
    // What else there is of a photo is let go.
    const map = identity === undefined ? { patches, grid } : { patches, grid, identity }
    const kept = this.#maps.length === 0 ? map : everyNth(map, this.#step)
    this.#maps.push(kept)
    this.#numbers += kept.patches.length
    while (this.#numbers > this.#most && this.#canThin()) this.#thin()
  }

  /** Are grids of the patches that are kept, in the order of the photos. */
  get maps(): readonly PatchMap[] {
    return this.#maps
  }

  /** Counts the rows and columns of a photo's grid from one patch that is kept to the next: 1 where all are. */
  get step(): number {
    return this.#step
  }

  /**
   * Adds a map too large to be whole in memory, of which no more is kept than fits; if it is the first, it is not kept whole either.
   *
   * @param width is that of a patch, D
   * @param rowAt gives a row of patches, float32 [columns, D]
   */
  addRows(
    { grid, identity }: Omit<PatchMap, 'patches'>,
    width: number,
    rowAt: (row: number) => Float32Array,
  ): void {
    if (this.#maps.length === 0) this.#isFirstWhole = false
    const thinned = () => thinnedGrid(grid, this.#step)
    const isTooMuch = () => this.#numbers + countOf(thinned()) * width > this.#most
    while (isTooMuch() && (countOf(thinned()) > 1 || this.#canThin())) this.#thin()
    const own = thinned()
    const patches = new Float32Array(countOf(own) * width)
    let to = 0
    for (let row = 0; row < grid.rows; row += this.#step) {
      const patchesOfRow = rowAt(row)
      for (let column = 0; column < grid.columns; column += this.#step, to += width)
        patches.set(patchesOfRow.subarray(column * width, (column + 1) * width), to)
    }
    this.#maps.push(identity === undefined ? { patches, grid: own } : { patches, grid: own, identity })
    this.#numbers += patches.length
  }

  #thin(): void {
    this.#step *= 2
    this.#maps = this.#maps.map((map, index) => (this.#isKept(index) ? map : everyNth(map, 2)))
    this.#numbers = this.#maps.reduce((sum, { patches }) => sum + patches.length, 0)
  }

  #isKept(index: number): boolean {
    return index === 0 && this.#isFirstWhole
  }

  #canThin(): boolean {
    return this.#maps.some(({ grid }, index) => !this.#isKept(index) && countOf(grid) > 1)
  }
}

function countOf({ rows, columns }: PatchGrid): number {
  return rows * columns
}

function thinnedGrid({ rows, columns }: PatchGrid, step: number): PatchGrid {
  return { rows: Math.ceil(rows / step), columns: Math.ceil(columns / step) }
}

/** Takes the patches of every nth row and column, from the first one on. */
function everyNth(map: PatchMap, step: number): PatchMap {
  if (step === 1) return map
  const { rows, columns } = map.grid
  const grid = thinnedGrid(map.grid, step)
  const width = widthOf(map)
  const patches = new Float32Array(grid.rows * grid.columns * width)
  let to = 0
  for (let row = 0; row < rows; row += step) {
    for (let column = 0; column < columns; column += step, to += width) {
      const from = (row * columns + column) * width
      patches.set(map.patches.subarray(from, from + width), to)
    }
  }
  return { ...map, patches, grid }
}
