/** Tells where the row of each path lies. There may be millions: all numbers stand in one array, and only names are objects. */
import type { PartEntry } from './part-file.js'

export interface Place extends Omit<PartEntry, 'path'> {
  readonly part: number
  /** Counts the bytes of the part before the row. */
  readonly offset: number
}

const NUMBERS = 7
/** Stands for the number of a frame where there is none. */
const NO_FRAME = -1
const FIRST_ROWS = 1024

export class PlaceTable {
  readonly #rows = new Map<string, number>()
  #numbers = new Float64Array(FIRST_ROWS * NUMBERS)

  get size(): number {
    return this.#rows.size
  }

  set(
    { path, size, mtimeMs, height, width, frame = NO_FRAME }: PartEntry,
    part: number,
    offset: number,
  ): void {
    const row = this.#rows.get(path) ?? this.#rows.size
    this.#rows.set(path, row)
    if ((row + 1) * NUMBERS > this.#numbers.length) {
      const larger = new Float64Array(this.#numbers.length * 2)
      larger.set(this.#numbers)
      this.#numbers = larger
    }
    this.#numbers.set([part, offset, size, mtimeMs, height, width, frame], row * NUMBERS)
  }

  names(): readonly string[] {
    return [...this.#rows.keys()]
  }

  get(path: string): Place | null {
    const row = this.#rows.get(path)
    if (row === undefined) return null
    const numbers = this.#numbers.subarray(row * NUMBERS, (row + 1) * NUMBERS)
    const [part, offset, size, mtimeMs, height, width, frame] = numbers as unknown as readonly [
      part: number,
      offset: number,
      size: number,
      mtimeMs: number,
      height: number,
      width: number,
      frame: number,
    ]
    return { part, offset, size, mtimeMs, height, width, ...(frame === NO_FRAME ? {} : { frame }) }
  }
}
