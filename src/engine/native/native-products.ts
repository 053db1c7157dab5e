/** Computes products over rows of features by the C++ kernels, on threads of its own, off the event loop. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import {
  checkHalves,
  checkSearch,
  checkStored,
  type KeepOptions,
  type NearestRows,
  narrowQuery,
  notFinite,
  type RowFile,
  type RowScorer,
  type StoredRows,
} from '../../numerics/nearest-rows.js'
import { checkRows, type ProductOptions, type Products, productOptions } from '../../numerics/products.js'
import { disposed, EngineError } from '../engine-error.js'
import { onAbort } from '../lowered/load-lowered.js'
import { megabytes } from '../megabytes.js'
import type { Addon, FeatureFunctions, Handle, InstructionSet, JobCallback, RowBytes } from './addon.js'
import { callAddon, engineErrorOf, settling } from './addon-error.js'
import { chooseSet } from './choose-set.js'

/** Says how native products are computed. */
export interface NativeProductsOptions {
  /** Forces a path. Default: the fastest that this processor has. */
  readonly instructionSet?: InstructionSet
  /** Counts the threads. Default, and the most that are started: the cores that affinity and container quota leave to this process. */
  readonly threads?: number
}

/**
 * Computes in float32, Gram matrices in blocks of 128 rows whose sums are float64. A file of rows that is cut off or written into while it is looked through makes
 * that reject with `EngineError` `rows-lost`. Its threads start with the first product and end with its disposal, which
 * gives up what is under way: that rejects with `EngineError` `disposed`. An idle one costs nothing but its threads' stacks.
 */
export interface NativeProducts extends Products, RowScorer, AsyncDisposable {
  /** Adds up bytes as words, on all threads: the time is the least in which they can be looked through. */
  sumBytes(blocks: readonly (Uint8Array | RowFile)[], options?: ProductOptions): Promise<number>
}

/** What looks through rows for many queries at once keeps so many pairs of score and row, for each thread. */
const MOST_KEPT = 1 << 20
const MOST_QUERIES = 2048
const KEEP_OPTIONS = { mutualFrom: true, signal: true } satisfies OptionNames<KeepOptions>

/** Throws `EngineError`: `unavailable` without the instruction set or with an addon of before, `unsupported` for a number of threads that makes no sense. */
export function createNativeProductsOn(addon: Addon, options: NativeProductsOptions = {}): NativeProducts {
  const functions = functionsOf(addon)
  const { gram, meanOfRows, gramTimes, similarity, sumBytes } = functions
  const { cores } = callAddon(() => addon.info())
  const { threads = cores, instructionSet } = options
  if (!Number.isInteger(threads) || threads < 1)
    throw new EngineError('unsupported', `Products run on 1 to ${cores} threads, not on ${threads}.`)
  const { name } = chooseSet(addon, instructionSet)
  const engine = callAddon(() => addon.createEngine(name, Math.min(threads, cores)))
  /** Holds the files that are mapped; a region that nobody has any more is given back. */
  const regions = new WeakMap<RowFile, Handle<'region'>>()
  let released: Promise<void> | null = null

  /** Runs a job that the signal gives up, and gives its value. */
  async function run(
    what: string,
    signal: AbortSignal | undefined,
    submit: (callback: JobCallback) => Handle<'job'>,
  ): Promise<number> {
    signal?.throwIfAborted()
    if (released !== null) throw disposed('engine')
    let cancel = () => {}
    using _listening = onAbort(signal, () => cancel())
    try {
      return await new Promise<number>((resolve, reject) => {
        const needed = (bytes: number) => `${what} needs ${megabytes(bytes)}, which the system refuses.`
        const job = submit(settling(resolve, reject, { needed, signal }))
        cancel = () => addon.cancel(job)
      })
    } catch (error) {
      throw engineErrorOf(error)
    }
  }

  /** Looks through rows; throws for the first one whose score is not finite. */
  async function look(
    signal: AbortSignal | undefined,
    submit: (callback: JobCallback) => Handle<'job'>,
  ): Promise<void> {
    const bad = await run('Looking for nearest rows', signal, submit)
    if (bad >= 0) throw notFinite(bad)
  }

  const nearestToEach: RowScorer['nearestToEach'] = async (queries, width, blocks, count, options = {}) => {
    const { queryCount, count: most } = checkSearch(queries, width, blocks, count, options)
    const { signal, allowed = new Uint8Array(), onProgress } = options
    const { rows, scores } = roomFor(queryCount * most)
    const stored = blocks.map(({ bytes }) => rowBytesOf(bytes))
    const together = Math.max(1, Math.min(MOST_QUERIES, Math.floor(MOST_KEPT / Math.max(1, most))))
    for (let from = 0; from < queryCount && most > 0; from += together) {
      const to = Math.min(queryCount, from + together)
      const own = [rows.subarray(from * most, to * most), scores.subarray(from * most, to * most)] as const
      const some = queries.subarray(from * width, to * width)
      await look(signal, (callback) =>
        functions.nearestToEach(engine, width, [callback, ...own, some, allowed, ...stored]),
      )
      onProgress?.(to / queryCount)
    }
    return { count: most, rows, scores }
  }

  async function nearestInBytes(
    query: Float32Array,
    blocks: readonly StoredRows[],
    count: number,
    signal: AbortSignal | undefined,
  ): Promise<NearestRows> {
    const found = roomFor(Math.min(count, checkStored(blocks, query.length, count)))
    const { values, scale } = narrowQuery(query)
    const { rows, scores } = found
    const arrays = blocks.flatMap((block) => (block.dtype === 'I8' ? [block.bytes, block.scales] : []))
    await look(signal, (callback) =>
      functions.nearestInBytes(engine, [callback, rows, scores, values, Float32Array.of(scale), ...arrays]),
    )
    return found
  }

  /** Maps rows that lie in a file. Throws `unsupported` where they do not say where. */
  function rowBytesOf(bytes: Uint8Array | RowFile): RowBytes {
    if (bytes instanceof Uint8Array) return bytes
    const { place, length } = bytes
    if (place === undefined)
      throw new EngineError('unsupported', 'Native products map rows of a file, and need its place.')
    const { descriptor, offset } = place
    const region =
      regions.get(bytes) ?? callAddon(() => addon.mapRegion(descriptor, 0, Math.ceil((offset + length) / 4)))
    regions.set(bytes, region)
    return [region, offset, length]
  }

  return {
    async gram(blocks, width, options) {
      const { signal } = productOptions(options)
      checkRows(blocks, width)
      const mean = new Float64Array(width)
      const sums = new Float64Array(width * width)
      await run('A Gram matrix', signal, (callback) => gram(engine, width, [callback, mean, sums, ...blocks]))
      return { mean, sums }
    },
    async mean(blocks, width, options) {
      const { signal } = productOptions(options)
      checkRows(blocks, width)
      const mean = new Float64Array(width)
      await run('The mean of rows', signal, (callback) =>
        meanOfRows(engine, width, [callback, mean, ...blocks]),
      )
      return mean
    },
    async gramTimes(blocks, mean, basis, options) {
      const { signal } = productOptions(options)
      const width = mean.length
      checkRows(blocks, width)
      checkRows([basis], width)
      const out = new Float64Array(basis.length)
      const narrow = Float32Array.from(basis)
      await run('A product with a Gram matrix', signal, (callback) =>
        gramTimes(engine, width, [callback, mean, narrow, out, ...blocks]),
      )
      return out
    },
    async similarity(queries, rows, width, options) {
      const { signal } = productOptions(options)
      const out = new Float32Array(checkRows([queries], width) * checkRows([rows], width))
      await run('A product of rows', signal, (callback) =>
        similarity(engine, width, [callback, queries, rows, out]),
      )
      return out
    },
    async nearestRows(query, blocks, count, options) {
      const { signal } = productOptions(options)
      if (blocks[0]?.dtype === 'I8') return await nearestInBytes(query, blocks, count, signal)
      const { rows, scores } = await nearestToEach(query, query.length, blocks, count, { signal })
      return { rows, scores }
    },
    nearestToEach,
    async keepNearest(kept, width, blocks, queries, candidates, options = {}) {
      checkOptionNames(options, KEEP_OPTIONS)
      checkHalves(blocks, width, 1)
      const { signal, mutualFrom = candidates.length } = options
      const stored = blocks.map(({ bytes }) => rowBytesOf(bytes))
      for (let from = 0; from < queries.length; from += MOST_QUERIES) {
        const some = queries.subarray(from, from + MOST_QUERIES)
        await look(signal, (callback) =>
          functions.keepNearest(engine, width, mutualFrom, [callback, kept, some, candidates, ...stored]),
        )
      }
    },
    sumBytes: (blocks, { signal } = {}) =>
      run('Adding up bytes', signal, (callback) => sumBytes(engine, [callback, ...blocks.map(rowBytesOf)])),
    async [Symbol.asyncDispose]() {
      released ??= new Promise<void>((resolve) => addon.releaseEngine(engine, [() => resolve()]))
      await released
    },
  }
}

function roomFor(count: number): NearestRows {
  return { rows: new Float64Array(count), scores: new Float32Array(count) }
}

/** Throws `unavailable` where the addon was built from sources that had none of them. */
function functionsOf(addon: Addon): FeatureFunctions {
  const { gram, meanOfRows, gramTimes, similarity, nearestToEach, keepNearest, nearestInBytes, sumBytes } =
    addon
  const all = {
    gram,
    meanOfRows,
    gramTimes,
    similarity,
    nearestToEach,
    keepNearest,
    nearestInBytes,
    sumBytes,
  }
  if (hasAll(all)) return all
  throw new EngineError(
    'unavailable',
    'The native addon has no products of features: it is older than this library. Build it anew: npm run build.',
  )
}

function hasAll(functions: Readonly<Record<keyof FeatureFunctions, unknown>>): functions is FeatureFunctions {
  return Object.values(functions).every((one) => one !== undefined)
}
