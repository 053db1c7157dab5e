/**
 * Finds nearest rows on the calling thread: in plain loops, which are the truth, or with products in float32 that say which rows the loops need to multiply.
 */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { exactDot } from './exact-dot.js'
import { keepRow, leastKept, roomForRows, sortKept } from './kept-rows.js'
import { rowLengths } from './lengths.js'
import {
  checkHalves,
  checkSearch,
  type KeepOptions,
  type NearestOfEach,
  nearestInBytes,
  notFinite,
  type RowScorer,
} from './nearest-rows.js'
import { pausesFor } from './pauses.js'
import { type Products, productOptions } from './products.js'
import { widenRows } from './stored-halves.js'

/** So many rows are wide at a time, and are multiplied with so many queries. */
const ROWS_AT_A_TIME = 1024
const QUERIES_AT_A_TIME = 256
const KEEP_OPTIONS = { mutualFrom: true, signal: true } satisfies OptionNames<KeepOptions>

/** Scores in plain loops on the calling thread, with sums in float64. */
export const plainScorer: RowScorer = scorerOn(null)

/**
 * Makes a scorer that chooses by `products` which rows are multiplied in float64: their similarities are float32, and off by no more than rounding each step of a
 * sum makes them. Rows of a file are read in pieces of at most 4 MB.
 */
export function scorerOn(products: Products | null): RowScorer {
  const nearestToEach: RowScorer['nearestToEach'] = async (queries, width, blocks, count, options = {}) => {
    const { total, queryCount, count: most } = checkSearch(queries, width, blocks, count, options)
    const { allowed, signal, onProgress } = options
    signal?.throwIfAborted()
    const kept = roomForRows(queryCount, most)
    const look = lookerOf(products, { kept, most, width, queries, queryRows: null, signal })
    const pause = pausesFor(signal)
    for (let from = 0; from < total && most > 0; from += ROWS_AT_A_TIME) {
      const numbers = allowedRows(from, Math.min(total, from + ROWS_AT_A_TIME), allowed)
      await look({ numbers, rows: await widenRows(blocks, width, numbers), mutualFrom: numbers.length })
      onProgress?.(Math.min(1, (from + ROWS_AT_A_TIME) / total))
      await pause()
    }
    sortKept(kept, most)
    return takeApart(kept, most)
  }
  return {
    nearestToEach,
    async nearestRows(query, blocks, count, options) {
      const { signal } = productOptions(options)
      if (blocks[0]?.dtype === 'I8') return nearestInBytes(query, blocks, count, signal)
      const { rows, scores } = await nearestToEach(query, query.length, blocks, count, { signal })
      return { rows, scores }
    },

    async keepNearest(kept, width, blocks, queries, candidates, options = {}) {
      checkOptionNames(options, KEEP_OPTIONS)
      const most = kept.length / 2 / checkHalves(blocks, width, 1)
      const { signal, mutualFrom = candidates.length } = options
      signal?.throwIfAborted()
      const pause = pausesFor(signal)
      const values = await widenRows(blocks, width, queries)
      const look = lookerOf(products, { kept, most, width, queries: values, queryRows: queries, signal })
      for (let from = 0; from < candidates.length; from += ROWS_AT_A_TIME) {
        const numbers = candidates.subarray(from, from + ROWS_AT_A_TIME)
        await look({ numbers, rows: await widenRows(blocks, width, numbers), mutualFrom: mutualFrom - from })
        await pause()
      }
    },
  }
}

interface Looker {
  /** Holds the heaps of `most`: of all rows where queries are rows, else of each query. */
  readonly kept: Float64Array
  readonly most: number
  readonly width: number
  readonly queries: Float32Array
  readonly queryRows: Uint32Array | null
  readonly signal: AbortSignal | undefined
}

interface SomeRows {
  readonly numbers: Uint32Array
  readonly rows: Float32Array
  /** Rows from this place on keep queries as well. */
  readonly mutualFrom: number
}

/** Gives a function that shows all queries some rows. */
function lookerOf(products: Products | null, { kept, most, width, queries, queryRows, signal }: Looker) {
  const queryCount = queries.length / width
  const queryLengths = rowLengths(queries, width)
  const heapOf = (query: number) => queryRows?.[query] ?? query
  // Each step of a sum in float32 rounds by at most 2^-24 of the lengths' product; twice that is asked for.
  const wrong = (width + 16) * 2 ** -23

  function decide(query: number, { numbers, rows, mutualFrom }: SomeRows, place: number): void {
    const row = numbers[place]
    const own = queryRows?.[query]
    if (row === own) return
    const score = exactDot(queries, query * width, rows, place * width, width)
    if (!Number.isFinite(Math.fround(score))) throw notFinite(row)
    keepRow(kept, heapOf(query), most, score, row)
    if (own !== undefined && place >= mutualFrom) keepRow(kept, row, most, score, own)
  }

  return async (some: SomeRows): Promise<void> => {
    const { numbers, rows, mutualFrom } = some
    const lengths = rowLengths(rows, width)
    const bad = lengths.findIndex((length) => !Number.isFinite(length))
    if (bad >= 0) throw notFinite(numbers[bad])
    const pause = pausesFor(signal)
    for (let from = 0; from < queryCount; from += QUERIES_AT_A_TIME) {
      const to = Math.min(queryCount, from + QUERIES_AT_A_TIME)
      const chosen = queries.subarray(from * width, to * width)
      const narrow =
        products === null || numbers.length === 0
          ? null
          : await products.similarity(chosen, rows, width, { signal })
      for (let query = from; query < to; query++) {
        for (let place = 0; place < numbers.length; place++) {
          if (narrow !== null) {
            const product = queryLengths[query] * lengths[place]
            const reach = narrow[(query - from) * numbers.length + place] + wrong * product + 1e-30
            // Beyond this, sums in float32 may overflow on their way.
            const isFar = product < 1e37 && reach < leastKept(kept, heapOf(query), most)
            if (isFar && (place < mutualFrom || reach < leastKept(kept, numbers[place], most))) continue
          }
          decide(query, some, place)
        }
        await pause()
      }
    }
  }
}

function allowedRows(from: number, to: number, allowed: Uint8Array | undefined): Uint32Array {
  const numbers = new Uint32Array(to - from)
  let count = 0
  for (let row = from; row < to; row++)
    if (allowed === undefined || ((allowed[row >> 3] >> (row & 7)) & 1) === 1) numbers[count++] = row
  return numbers.subarray(0, count)
}

function takeApart(kept: Float64Array, count: number): NearestOfEach {
  const rows = new Float64Array(kept.length / 2)
  const scores = new Float32Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    scores[i] = kept[2 * i]
    rows[i] = kept[2 * i + 1]
  }
  return { count, rows, scores }
}
