/**
 * Moves points of a map until neighbours are near and others are not: the stochastic gradient descent of UMAP (McInnes, Healy and Melville 2018, 3.2), edge by
 * edge, in the order and with the steps of umap-learn 0.5.
 */
import type { EdgeLists } from './fuzzy-graph.js'
import type { MapCurve } from './map-curve.js'
import { pausesFor } from './pauses.js'

/** Holds what is moved, and what it is drawn to and pushed from. */
export interface Layout {
  /** [N, 2] Is written to. */
  readonly points: Float32Array
  /** [M, 2] Is `points` itself where edges lead among them; else it stays as it is. */
  readonly others: Float32Array
  /** Leads from points to others. */
  readonly edges: EdgeLists
  readonly curve: MapCurve
  readonly epochs: number
  /** Is the length of the first steps; they shrink to nothing. */
  readonly rate: number
  readonly seed: number
}

/** Says how a layout is watched. */
export interface LayoutOptions {
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Is told the share of the epochs that are done, 0 to 1. */
  readonly onProgress?: ((done: number) => void) | undefined
}

/** For each edge that is followed, a point is pushed from so many others. */
const PUSHES = 5
/** No step goes farther along an axis, times the rate. */
const LONGEST_STEP = 4
/** Between two looks at the clock so many edges are followed. */
const EDGES_AT_ONCE = 1 << 16

/** Runs all epochs: one edge after the other, on one thread, so that the same numbers come out each time. */
export async function layOut(layout: Layout, { signal, onProgress }: LayoutOptions): Promise<void> {
  const pause = pausesFor(signal)
  const mover = new Mover(layout)
  for (let epoch = 0; epoch < layout.epochs; epoch++) {
    for (let row = 0; row < mover.rows; ) {
      row = mover.move(epoch, row)
      await pause()
    }
    onProgress?.((epoch + 1) / layout.epochs)
  }
}

class Mover {
  readonly rows: number
  readonly #layout: Layout
  readonly #power: PowerTable
  /** [E] Says in which epoch an edge is followed next: sure ones in each, others the more seldom the less sure they are. */
  readonly #next: Float64Array
  readonly #nextPush: Float64Array
  readonly #every: Float64Array
  #state: number

  constructor(layout: Layout) {
    const { weights } = layout.edges
    this.rows = layout.edges.starts.length - 1
    this.#layout = layout
    this.#power = new PowerTable(layout.curve.b)
    const most = weights.reduce((largest, weight) => Math.max(largest, weight), 0)
    this.#every = Float64Array.from(weights, (weight) =>
      weight * layout.epochs >= most ? most / weight : Infinity,
    )
    this.#next = this.#every.slice()
    this.#nextPush = this.#every.map((every) => every / PUSHES)
    // The generator stands still at 0.
    this.#state = (layout.seed | 0) ^ 0x9e3779b9 || 1
  }

  /** Follows the edges of some rows from `first` on that are due; gives the row at which to go on. */
  move(epoch: number, first: number): number {
    const { points, others, edges, curve, epochs, rate } = this.#layout
    const { starts, ends } = edges
    const { a, b } = curve
    const [next, nextPush, every, power] = [this.#next, this.#nextPush, this.#every, this.#power]
    const isMutual = points === others
    const count = others.length / 2
    const step = rate * (1 - epoch / epochs)
    const most = LONGEST_STEP
    const stop = starts[first] + EDGES_AT_ONCE
    let state = this.#state
    let row = first
    for (; row < this.rows && starts[row] < stop; row++) {
      for (let edge = starts[row]; edge < starts[row + 1]; edge++) {
        if (next[edge] > epoch) continue
        const end = 2 * ends[edge]
        let [x, y] = [points[2 * row], points[2 * row + 1]]
        let dx = x - others[end]
        let dy = y - others[end + 1]
        let square = dx * dx + dy * dy
        if (square > 0) {
          const raised = power.at(square)
          const pull = (-2 * a * b * raised) / (square * (a * raised + 1))
          const moveX = step * Math.min(most, Math.max(-most, pull * dx))
          const moveY = step * Math.min(most, Math.max(-most, pull * dy))
          x += moveX
          y += moveY
          if (isMutual) {
            others[end] -= moveX
            others[end + 1] -= moveY
          }
        }
        next[edge] += every[edge]
        const pushEvery = every[edge] / PUSHES
        const pushes = Math.trunc((epoch - nextPush[edge]) / pushEvery)
        for (let i = 0; i < pushes; i++) {
          // Marsaglia 2003, Xorshift RNGs.
          state ^= state << 13
          state ^= state >>> 17
          state ^= state << 5
          const other = Math.floor((state >>> 0) * 2.3283064365386963e-10 * count)
          if (isMutual && other === row) continue
          dx = x - others[2 * other]
          dy = y - others[2 * other + 1]
          square = dx * dx + dy * dy
          if (!(square > 0)) continue
          const push = (2 * b) / ((0.001 + square) * (a * power.at(square) + 1))
          x += step * Math.min(most, Math.max(-most, push * dx))
          y += step * Math.min(most, Math.max(-most, push * dy))
        }
        nextPush[edge] += pushes * pushEvery
        points[2 * row] = x
        points[2 * row + 1] = y
      }
    }
    this.#state = state
    return row
  }
}

/** Steps of a table within an octave. */
const STEP_BITS = 8
/** Is the exponent of the least square in the table, and how many octaves follow. */
const LEAST_EXPONENT = -40
const OCTAVES = 64

/** Raises numbers to a fixed power by a table with straight lines between its steps, which are off by 2e-6 of the value at most: it is asked a thousand million times. */
class PowerTable {
  readonly #exponent: number
  readonly #values: Float64Array
  readonly #number = new Float32Array(1)
  readonly #bits = new Int32Array(this.#number.buffer)

  constructor(exponent: number) {
    this.#exponent = exponent
    this.#values = Float64Array.from({ length: (OCTAVES << STEP_BITS) + 1 }, (_, i) => {
      const octave = LEAST_EXPONENT + (i >> STEP_BITS)
      const step = (i & ((1 << STEP_BITS) - 1)) / (1 << STEP_BITS)
      return (2 ** octave * (1 + step)) ** exponent
    })
  }

  at(value: number): number {
    this.#number[0] = value
    const bits = this.#bits[0] - ((LEAST_EXPONENT + 127) << 23)
    const step = bits >> (23 - STEP_BITS)
    if (step < 0 || step >= this.#values.length - 1) return value ** this.#exponent
    const share = (bits & ((1 << (23 - STEP_BITS)) - 1)) / (1 << (23 - STEP_BITS))
    const low = this.#values[step]
    return low + share * (this.#values[step + 1] - low)
  }
}
