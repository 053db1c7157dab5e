/**
 * Keeps patches of many photos within a bound: all of them as long as they fit, then every second row and column of each photo's grid, then every fourth, and
 * so on. What is kept lies evenly over each photo, and each photo has some.
 */
import type { PatchMap } from './patch-map.js'
import { widthOf } from './patch-map.js'

export class PatchSample {
  readonly #most: number
  #maps: PatchMap[] = []
  #step = 1
  #numbers = 0

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
    while (this.#numbers > this.#most && this.#maps.some(isDense)) this.#thin()
  }

  /** Are grids of the patches that are kept, in the order of the photos. */
  get maps(): readonly PatchMap[] {
    return this.#maps
  }

  /** Counts the rows and columns of a photo's grid from one patch that is kept to the next: 1 where all are. */
  get step(): number {
    return this.#step
  }

  #thin(): void {
    this.#step *= 2
    this.#maps = this.#maps.map((map, index) => (index === 0 ? map : everyNth(map, 2)))
    this.#numbers = this.#maps.reduce((sum, { patches }) => sum + patches.length, 0)
  }
}

/** Tells whether it could be thinned, but for the first one. */
function isDense({ grid: { rows, columns } }: PatchMap, index: number): boolean {
  return index > 0 && rows * columns > 1
}

/** Takes the patches of every nth row and column, from the first one on. */
function everyNth(map: PatchMap, step: number): PatchMap {
  if (step === 1) return map
  const { rows, columns } = map.grid
  const grid = { rows: Math.ceil(rows / step), columns: Math.ceil(columns / step) }
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
