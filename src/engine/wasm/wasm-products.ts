/** Computes products over rows of features by the WebAssembly kernels, on the calling thread and in a memory of their own. */
import { checkRows, type Products, plainProducts, productOptions } from '../../numerics/products.js'
import { EngineError } from '../engine-error.js'
import { megabytes } from '../megabytes.js'
import { MOST_BYTES, type WasmMemory } from './heap.js'
import { FIRST_FREE_ADDRESS, type Kernels } from './kernels.js'

const PAGE = 65536
const COLUMNS = 8
/** So many rows are centred, and multiplied, at a time. */
const ROWS = 128

/**
 * Makes products in float32, Gram matrices in blocks of 128 rows whose sums are float64; means, and products with a Gram matrix, are those of the plain loops.
 * The memory grows to what the largest needs and goes with the object. Methods throw `EngineError` `out-of-memory` where it cannot.
 */
export function createWasmProductsOn(
  kernels: Pick<Kernels, 'gramPanels' | 'multiplyRows'>,
  memory: WasmMemory,
): Products {
  return {
    ...plainProducts,
    async gram(blocks, width, options) {
      const { signal } = productOptions(options)
      const mean = await plainProducts.mean(blocks, width, { signal })
      const panels = Math.ceil(width / COLUMNS)
      const numbers = (panels * (panels + 1) * COLUMNS * COLUMNS) / 2
      const sumsAt = FIRST_FREE_ADDRESS
      const panelsAt = sumsAt + 8 * numbers
      reserve(memory, panelsAt + 4 * panels * COLUMNS * ROWS)
      const sums = new Float64Array(memory.buffer, sumsAt, numbers).fill(0)
      const centred = new Float32Array(memory.buffer, panelsAt, panels * COLUMNS * ROWS).fill(0)
      for (const rows of someRows(blocks, width)) {
        signal?.throwIfAborted()
        for (const [r, row] of rows.entries()) centre(row, mean, centred, r)
        kernels.gramPanels(panelsAt, panels, ROWS, rows.length, sumsAt)
      }
      return { mean, sums: squareOf(sums, width) }
    },
    async similarity(queries, rows, width, options) {
      const { signal } = productOptions(options)
      const [queryCount, rowCount] = [checkRows([queries], width), checkRows([rows], width)]
      const out = new Float32Array(queryCount * rowCount)
      const rowsAt = FIRST_FREE_ADDRESS + 4 * width
      const outAt = rowsAt + 4 * width * ROWS
      reserve(memory, outAt + 4 * ROWS)
      const query = new Float32Array(memory.buffer, FIRST_FREE_ADDRESS, width)
      const some = new Float32Array(memory.buffer, rowsAt, width * ROWS)
      const found = new Float32Array(memory.buffer, outAt, ROWS)
      for (let first = 0; first < rowCount; first += ROWS) {
        signal?.throwIfAborted()
        const count = Math.min(ROWS, rowCount - first)
        some.set(rows.subarray(first * width, (first + count) * width))
        for (let q = 0; q < queryCount; q++) {
          query.set(queries.subarray(q * width, (q + 1) * width))
          kernels.multiplyRows(FIRST_FREE_ADDRESS, rowsAt, count, width, outAt)
          out.set(found.subarray(0, count), q * rowCount + first)
        }
      }
      return out
    },
  }
}

function reserve(memory: WasmMemory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength
  if (missing <= 0) return
  try {
    if (bytes > MOST_BYTES) throw new RangeError('addresses have 32 bits')
    memory.grow(Math.ceil(missing / PAGE))
  } catch (cause) {
    throw new EngineError(
      'out-of-memory',
      `Products of features need ${megabytes(bytes)}, which the runtime refuses.`,
      { cause },
    )
  }
}

/** Yields at most 128 rows at a time, whatever blocks they lie in. */
function* someRows(blocks: readonly Float32Array[], width: number): Generator<readonly Float32Array[]> {
  let rows: Float32Array[] = []
  for (const block of blocks) {
    for (let at = 0; at < block.length; at += width) {
      rows.push(block.subarray(at, at + width))
      if (rows.length < ROWS) continue
      yield rows
      rows = []
    }
  }
  if (rows.length > 0) yield rows
}

/** Writes a row without the mean to its places in the panels [panels, 128, 8]; columns behind the last stay zeros. */
function centre(row: Float32Array, mean: Float64Array, panels: Float32Array, r: number): void {
  for (let i = 0; i < row.length; i++)
    panels[((i >> 3) * ROWS + r) * COLUMNS + (i & 7)] = (row[i] ?? 0) - (mean[i] ?? 0)
}

/** Makes a square of the sums [pairs, 8, 8] of each panel with those up to itself. */
function squareOf(sums: Float64Array, width: number): Float64Array {
  const square = new Float64Array(width * width)
  for (let j = 0; j < width; j++) {
    const b = j >> 3
    for (let i = 0; i <= j; i++) {
      const a = i >> 3
      const pair = (b * (b + 1)) / 2 + a
      // Within a panel's product with itself, both of a pair are there and equal.
      const value = sums[(pair * COLUMNS + (i & 7)) * COLUMNS + (j & 7)] ?? 0
      square[i * width + j] = value
      square[j * width + i] = value
    }
  }
  return square
}
