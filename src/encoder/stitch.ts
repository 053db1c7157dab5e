/** Puts the patches of tiles together row by row, so that of what is not kept in full only one row of tiles is in memory. */
import { EngineError } from '../engine/engine-error.js'
import type { PatchGrid } from '../model/positions.js'
import { projectRows } from '../numerics/projections.js'
import { toHalf } from '../tensor/float16.js'
import type { TileChoice } from './tile-choice.js'
import type { Cuts } from './tiles.js'

type Keep = NonNullable<TileChoice['keep']>

/** Sums up the patches of one row of tiles after the other. */
export class Stitch {
  readonly #grid: PatchGrid
  readonly #width: number
  readonly #cuts: { readonly down: Cuts; readonly across: Cuts }
  readonly #keep: Keep
  /** [rows of a tile, columns, D]: the rows from `#top` on, whose patches some tile has still to be added to. */
  readonly #band: Float32Array
  #top = 0
  readonly #kept: Float32Array | Uint16Array

  constructor(
    grid: PatchGrid,
    width: number,
    cuts: { readonly down: Cuts; readonly across: Cuts },
    keep: Keep,
  ) {
    this.#grid = grid
    this.#width = width
    this.#cuts = cuts
    this.#keep = keep
    this.#band = new Float32Array(cuts.down.length * grid.columns * width)
    const numbers = grid.rows * grid.columns * numbersKept(keep, width)
    this.#kept = keep === 'float16' ? new Uint16Array(numbers) : new Float32Array(numbers)
  }

  /** Adds a tile [its rows * its columns, D]; those of one row come together, and the rows from the top. */
  add(row: number, column: number, patches: Float32Array): void {
    const { down, across } = this.#cuts
    const width = this.#width
    const top = (down.starts[row] ?? 0) - this.#top
    const left = across.starts[column] ?? 0
    let from = 0
    for (const [y, weightOfRow] of down.weights[row]?.entries() ?? []) {
      let to = ((top + y) * this.#grid.columns + left) * width
      for (const weightOfColumn of across.weights[column] ?? []) {
        addWeighted(this.#band, to, patches, from, width, weightOfRow * weightOfColumn)
        from += width
        to += width
      }
    }
  }

  /** Keeps the rows of patches that no row of tiles behind `row` adds to. */
  endRow(row: number): void {
    const { rows, columns } = this.#grid
    const next = this.#cuts.down.starts[row + 1] ?? rows
    const length = columns * this.#width
    for (let y = 0; y < next - this.#top; y++)
      this.#keepRow(this.#top + y, this.#band.subarray(y * length, (y + 1) * length))
    const done = (next - this.#top) * length
    this.#band.copyWithin(0, done)
    this.#band.fill(0, Math.max(0, this.#band.length - done))
    this.#top = next
  }

  /** Gives what was kept. */
  get kept(): Float32Array | Uint16Array {
    return this.#kept
  }

  #keepRow(row: number, values: Float32Array): void {
    const at = row * this.#grid.columns * numbersKept(this.#keep, this.#width)
    if (this.#keep === 'float32') this.#kept.set(values, at)
    else if (this.#keep === 'float16') this.#kept.set(halvesOf(values), at)
    else this.#kept.set(projectRows(values, this.#keep), at)
  }
}

/** Counts the numbers that are kept of each patch. */
export function numbersKept(keep: Keep, width: number): number {
  return typeof keep === 'object' ? keep.components.length / width : width
}

/** A patch that one tile alone has seen stays as it is, to the bit. */
function addWeighted(
  into: Float32Array,
  to: number,
  from: Float32Array,
  at: number,
  width: number,
  weight: number,
): void {
  if (weight === 0) return
  if (weight === 1) into.set(from.subarray(at, at + width), to)
  else for (let i = 0; i < width; i++) into[to + i] = (into[to + i] ?? 0) + weight * (from[at + i] ?? 0)
}

const INFINITE_HALF = 0x7c00

function halvesOf(values: Float32Array): Uint16Array {
  const halves = toHalf(values)
  if (halves.some((half) => (half & 0x7fff) === INFINITE_HALF)) {
    throw new EngineError(
      'unsupported',
      "A number of the patches is larger than float16 holds (65,504): keep them as float32 (tiles.keep: 'float32'), or project them.",
    )
  }
  return halves
}
