/** What the WebAssembly module exports (wasm/src/index.ts). Addresses are bytes from the start of its memory. */
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
  /** What all threads need together, behind what each has. */
  sharedBytes(ops: number, count: number, batch: number): number
  /** Operations [from, to) of those at `ops`, with all threads. */
  run(ops: number, from: number, to: number): void
  /** A further thread's life: never returns. */
  follow(thread: number): void
  packPanels(
    weight: number,
    precision: number,
    columns: number,
    depth: number,
    packed: number,
    from: number,
    to: number,
  ): void
  peak(repetitions: number): number
}

/** Columns of a panel of packed weights. */
export const PANEL_COLUMNS = 8
/** What lies before this address is the module's own. */
export const FIRST_FREE_ADDRESS = 4096

/** Bytes of a value as float products read it, by position in PRECISIONS; 0 where there is no such product. */
const VALUE_BYTES = [4, 0, 2, 0, 2]
const INT8 = 3

/** Bytes of a packed weight: panels, then for int8 a scale and a sum for each column, its depth in whole fours. */
export function packedBytes(precision: number, columns: number, depth: number): number {
  const padded = Math.ceil(columns / PANEL_COLUMNS) * PANEL_COLUMNS
  return precision === INT8
    ? padded * (Math.ceil(depth / 4) * 4 + 8)
    : padded * depth * VALUE_BYTES[precision]
}
