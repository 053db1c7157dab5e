/** Says what the WebAssembly module exports (wasm/src/index.ts), and how large the weights are that it packs. */
import { EngineError } from '../engine-error.js'
import type { ProductPrecision } from '../ops.js'

/** Addresses are bytes from the start of the module's memory. */
export interface Kernels {
  setJob(
    batch: number,
    weights: number,
    arena: number,
    constants: number,
    scratch: number,
    scratchBytes: number,
    pixels: number,
    outputs: number,
    threads: number,
  ): void
  scratchBytes(ops: number, count: number, batch: number): number
  /** Counts the bytes that all threads need together, behind what each has. */
  sharedBytes(ops: number, count: number, batch: number): number
  /** Runs operations [from, to) of those at `ops` with all threads. */
  run(ops: number, from: number, to: number): void
  /** Works for the leader as a further thread, and never returns. */
  follow(thread: number): void
  /** Gives 1 where a column's largest value leaves bytes for little else, and 0 otherwise. */
  packPanels(
    weight: number,
    precision: number,
    columns: number,
    depth: number,
    packed: number,
    from: number,
    to: number,
  ): number
  /** Digests `count` words, whole stripes of 32, into the 64 states that stand at `states` (kernels/digest-words.ts). */
  digestStripes(words: number, count: number, states: number): void
  /** Adds to float64 sums [pairs, 8, 8] the products of each of `count` panels [mostRows, 8] with those up to itself, over `rows` rows. */
  gramPanels(panels: number, count: number, mostRows: number, rows: number, sums: number): void
  /** Writes the product of a query with each of `count` rows of `width` numbers. */
  multiplyRows(query: number, rows: number, count: number, width: number, out: number): void
  peak(repetitions: number): number
}

/** Counts the columns of a panel of packed weights. */
export const PANEL_COLUMNS = 8
/** What lies before this address is the module's own. */
export const FIRST_FREE_ADDRESS = 4096

/** Counts the bytes of a value as float products read it. */
const VALUE_BYTES = { float32: 4, bfloat16: 2, float16: 2 } as const

/** Counts the bytes of a packed weight: it has panels, then for int8 a scale and a sum for each column, and its depth comes in whole fours. */
export function packedBytes(precision: ProductPrecision, columns: number, depth: number): number {
  const padded = Math.ceil(columns / PANEL_COLUMNS) * PANEL_COLUMNS
  if (precision === 'int8') return padded * (Math.ceil(depth / 4) * 4 + 8)
  if (precision === 'high') {
    throw new EngineError('unsupported', 'The WebAssembly engine has no products for the precision high.')
  }
  return padded * depth * VALUE_BYTES[precision]
}
