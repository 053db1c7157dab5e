/**
 * Finds the rows nearest to queries among many that are stored narrowly: in float16, or in bytes with a scale for each row. Rows come in blocks of bytes, as they
 * lie in memory or in a file. What is nearest between halves is decided by sums in float64; whoever multiplies in less only chooses by it for which rows these are
 * made, so that all give the very same rows and scores.
 */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type { ProductOptions } from './products.js'

/** Reads rows that lie in a file. */
export interface RowFile {
  /** Counts the bytes of all rows. */
  readonly length: number
  /** Gives bytes [from, to) of the rows. Throws where the file does not have them any more. */
  read(from: number, to: number): Promise<Uint8Array>
  /**
   * Says where they lie, for those who map files: native products do so when they first look through them, and need it. 4 bytes or
   * more lie behind the rows. The file stays open as long as the rows are looked through.
   */
  readonly place?: RowPlace | undefined
}

/** Says where rows lie in a file. */
export interface RowPlace {
  /** Is the number of the open file. */
  readonly descriptor: number
  /** Counts the bytes in front of the first row. */
  readonly offset: number
}

/** Holds rows [N, D], one behind the other. */
export type StoredRows =
  | {
      /** Says that each number is an IEEE half, of two bytes, the lower one first. */
      readonly dtype: 'F16'
      /** Is N * D * 2 bytes; a row may begin at any of them. */
      readonly bytes: Uint8Array | RowFile
    }
  | {
      /** Says that each number is a byte from -127 to 127, times the scale of its row. */
      readonly dtype: 'I8'
      /** Is N * D bytes. */
      readonly bytes: Uint8Array
      /** [N] */
      readonly scales: Float32Array
    }

/** Lists rows, nearest first; of equal scores the earlier row. */
export interface NearestRows {
  /** [K] Counts the rows in front of it, in all blocks. */
  readonly rows: Float64Array
  /** [K] Is its product with the query: the cosine, where both have length 1. */
  readonly scores: Float32Array
}

/** Lists the rows nearest to each of Q queries, nearest first; of equal scores the earlier row. */
export interface NearestOfEach {
  /** Counts the rows of a query, K. */
  readonly count: number
  /** [Q, K] Counts the rows in front of it, in all blocks. */
  readonly rows: Float64Array
  /** [Q, K] Is its product with the query. */
  readonly scores: Float32Array
}

/** Says which rows are looked through. */
export interface SearchOptions extends ProductOptions {
  /** Has a bit for each row, that of the first row being the lowest of the first byte; a row whose bit is 0 is not found. Default: all are. */
  readonly allowed?: Uint8Array | undefined
  /** Is told the share that is done, from 0 to 1, now and then. */
  readonly onProgress?: ((share: number) => void) | undefined
}

/** Says which rows are shown to which. */
export interface KeepOptions extends ProductOptions {
  /** Says from which place on candidates, none of which is a query, keep the queries as well: each pair is multiplied once for both. Default: none do. */
  readonly mutualFrom?: number | undefined
}

/** Finds nearest rows. */
export interface RowScorer {
  /**
   * Gives the `count` rows whose products with `query` [D] are largest; all of them where there are fewer. All blocks have one dtype. Bytes are read until the
   * promise settles. In bytes all is computed in whole numbers but the scales, so that everybody gets the very same scores; a query is rounded to 15 bits for
   * it. Throws RangeError for a part of a row, for blocks of two dtypes, where there are no rows, and for a score that is not finite; the signal's reason.
   */
  nearestRows(
    query: Float32Array,
    blocks: readonly StoredRows[],
    count: number,
    options?: ProductOptions,
  ): Promise<NearestRows>
  /**
   * Gives for each of `queries` [Q, D] the `count` rows of halves whose products with it are largest; all that are allowed where these are fewer. Throws as
   * `nearestRows`, and RangeError for blocks in bytes and for a query that is not finite.
   */
  nearestToEach(
    queries: Float32Array,
    width: number,
    blocks: readonly StoredRows[],
    count: number,
    options?: SearchOptions,
  ): Promise<NearestOfEach>
  /**
   * Shows each of the rows `queries` all rows `candidates` but itself, and keeps the nearest in `kept`, which has room for those of all rows
   * (`roomForRows`). Rows are halves, named by how many are in front of them; no candidate comes twice. Throws as `nearestToEach`.
   */
  keepNearest(
    kept: Float64Array,
    width: number,
    blocks: readonly StoredRows[],
    queries: Uint32Array,
    candidates: Uint32Array,
    options?: KeepOptions,
  ): Promise<void>
}

const SEARCH_OPTIONS = { allowed: true, onProgress: true, signal: true } satisfies OptionNames<SearchOptions>

/** Is what a search is asked, judged. */
export interface Search {
  /** Counts the queries. */
  readonly queryCount: number
  /** Counts the rows of all blocks. */
  readonly total: number
  /** Counts the rows that each query gets. */
  readonly count: number
}

/** Judges what a search is asked. Throws RangeError for what `RowScorer` refuses, and for options that there are not. */
export function checkSearch(
  queries: Float32Array,
  width: number,
  blocks: readonly StoredRows[],
  count: number,
  options: SearchOptions = {},
): Search {
  checkOptionNames(options, SEARCH_OPTIONS)
  const total = checkHalves(blocks, width, count)
  if (queries.length % width !== 0)
    throw new RangeError(`${queries.length} numbers are no queries of ${width}.`)
  checkFinite(
    queries.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0),
    'A query',
  )
  const { allowed } = options
  if (allowed !== undefined && allowed.length !== Math.ceil(total / 8))
    throw new RangeError(
      `${total} rows have ${Math.ceil(total / 8)} bytes of bits that allow them, not ${allowed.length}.`,
    )
  return {
    queryCount: queries.length / width,
    total,
    count: Math.min(count, allowed === undefined ? total : bitsIn(allowed, total)),
  }
}

/** Counts the rows of blocks of halves. Throws RangeError for others, and for what `RowScorer` refuses. */
export function checkHalves(blocks: readonly StoredRows[], width: number, count: number): number {
  const total = checkStored(blocks, width, count)
  if (blocks[0].dtype !== 'F16')
    throw new RangeError('Many queries look through rows in float16, not in bytes.')
  return total
}

/** Counts the bits of `count` rows that are 1. */
function bitsIn(bits: Uint8Array, count: number): number {
  let ones = 0
  for (let row = 0; row < count; row++) ones += (bits[row >> 3] >> (row & 7)) & 1
  return ones
}

/** Is a query as it is multiplied with bytes. */
export interface NarrowQuery {
  /** [D] Whole numbers up to 16,256, which is 127 * 128. */
  readonly values: Int16Array
  /** Makes numbers of them. */
  readonly scale: number
}

const LARGEST = 127 * 128

/** Rounds a query to 15 bits. Throws RangeError where a number is not finite. */
export function narrowQuery(query: Float32Array): NarrowQuery {
  let largest = 0
  for (const value of query) largest = Math.max(largest, Math.abs(value))
  checkFinite(largest, 'The query')
  const scale = Math.fround(largest / LARGEST)
  const most = scale > 0 ? 1 / scale : 0
  return {
    values: Int16Array.from(query, (v) => Math.max(-LARGEST, Math.min(LARGEST, Math.round(v * most)))),
    scale,
  }
}

/** Finds rows in bytes by plain loops on the calling thread. */
export function nearestInBytes(
  query: Float32Array,
  blocks: readonly StoredRows[],
  count: number,
  signal: AbortSignal | undefined,
): NearestRows {
  const total = checkStored(blocks, query.length, count)
  const narrow = narrowQuery(query)
  const found = new Float32Array(total)
  let first = 0
  for (const block of blocks) {
    signal?.throwIfAborted()
    if (block.dtype === 'I8') first += scoreBytes(narrow, block, found.subarray(first))
  }
  const bad = found.findIndex((score) => !Number.isFinite(score))
  if (bad >= 0) throw notFinite(bad)
  const order = Array.from({ length: total }, (_, row) => row)
  order.sort((a, b) => found[b] - found[a] || a - b)
  const rows = Float64Array.from(order.slice(0, count))
  return { rows, scores: Float32Array.from(rows, (row) => found[row]) }
}

/** Counts the rows of all blocks. Throws RangeError for what `RowScorer` refuses. */
export function checkStored(blocks: readonly StoredRows[], width: number, count: number): number {
  if (!(Number.isInteger(count) && count >= 1)) throw new RangeError(`There are no ${count} nearest rows.`)
  if (width === 0) throw new RangeError('A query of no numbers is near to nothing.')
  let total = 0
  for (const block of blocks) {
    if (block.dtype !== blocks[0].dtype)
      throw new RangeError(
        `Rows in ${blocks[0].dtype} and in ${block.dtype} are not looked through together.`,
      )
    const rowBytes = width * (block.dtype === 'F16' ? 2 : 1)
    const rows = block.bytes.length / rowBytes
    if (!Number.isInteger(rows))
      throw new RangeError(`${block.bytes.length} bytes are no rows of ${width} numbers in ${block.dtype}.`)
    if (block.dtype === 'I8' && block.scales.length !== rows)
      throw new RangeError(`${rows} rows have ${rows} scales, not ${block.scales.length}.`)
    total += rows
  }
  if (total === 0) throw new RangeError('There are no rows to look through.')
  return total
}

/** Is thrown for a row whose score is not finite. */
export function notFinite(row: number): RangeError {
  return new RangeError(
    `Row ${row} has no finite score: it holds an infinity or a NaN, or its numbers are too large.`,
  )
}

function checkFinite(largest: number, what: string): void {
  if (!Number.isFinite(largest)) throw new RangeError(`${what} holds an infinity or a NaN.`)
}

/** Writes the scores of a block's rows, and gives their number. */
function scoreBytes(
  { values, scale }: NarrowQuery,
  { bytes, scales }: StoredRows & { readonly dtype: 'I8' },
  out: Float32Array,
): number {
  const width = values.length
  for (let r = 0; r < scales.length; r++) {
    let sum = 0
    for (let i = 0; i < width; i++) sum += ((bytes[r * width + i] << 24) >> 24) * values[i]
    out[r] = sum * (scale * scales[r])
  }
  return scales.length
}
