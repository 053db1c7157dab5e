/** Computes products over rows of features by the C++ kernels, on threads of its own, off the event loop. */
import {
  checkStored,
  type NearestRows,
  narrowQuery,
  notFinite,
  type RowScorer,
  type StoredRows,
} from '../../numerics/nearest-rows.js'
import { checkRows, type ProductOptions, type Products, productOptions } from '../../numerics/products.js'
import { disposed, EngineError } from '../engine-error.js'
import { onAbort } from '../lowered/load-lowered.js'
import { megabytes } from '../megabytes.js'
import type { Addon, FeatureFunctions, Handle, InstructionSet, JobCallback } from './addon.js'
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
 * Computes in float32, Gram matrices in blocks of 128 rows whose sums are float64. Its threads start with the first product and end with its disposal, which
 * gives up what is under way: that rejects with `EngineError` `disposed`. An idle one costs nothing but its threads' stacks.
 */
export interface NativeProducts extends Products, RowScorer, AsyncDisposable {
  /** Adds up bytes as words, on all threads: the time is the least in which they can be looked through. */
  sumBytes(blocks: readonly Uint8Array[], options?: ProductOptions): Promise<number>
}

/** Throws `EngineError`: `unavailable` without the instruction set or with an addon of before, `unsupported` for a number of threads that makes no sense. */
export function createNativeProductsOn(addon: Addon, options: NativeProductsOptions = {}): NativeProducts {
  const { gram, meanOfRows, gramTimes, similarity, nearestRows, sumBytes } = functionsOf(addon)
  const { cores } = callAddon(() => addon.info())
  const { threads = cores, instructionSet } = options
  if (!Number.isInteger(threads) || threads < 1)
    throw new EngineError('unsupported', `Products run on 1 to ${cores} threads, not on ${threads}.`)
  const { name } = chooseSet(addon, instructionSet)
  const engine = callAddon(() => addon.createEngine(name, Math.min(threads, cores)))
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
      const found = roomFor(Math.min(count, checkStored(blocks, query.length, count)))
      const { values, scale } = blocks[0]?.dtype === 'I8' ? narrowQuery(query) : NOT_NARROW
      const bad = await run('Looking for nearest rows', signal, (callback) =>
        nearestRows(engine, [
          callback,
          found.rows,
          found.scores,
          query,
          values,
          Float32Array.of(scale),
          ...blocks.flatMap(arraysOf),
        ]),
      )
      if (bad >= 0) throw notFinite(bad)
      return found
    },
    sumBytes: (blocks, { signal } = {}) =>
      run('Adding up bytes', signal, (callback) => sumBytes(engine, [callback, ...blocks])),
    async [Symbol.asyncDispose]() {
      released ??= new Promise<void>((resolve) => addon.releaseEngine(engine, [() => resolve()]))
      await released
    },
  }
}

const NOT_NARROW = { values: new Int16Array(), scale: 1 }

function roomFor(count: number): NearestRows {
  return { rows: new Float64Array(count), scores: new Float32Array(count) }
}

function arraysOf(block: StoredRows): (Uint8Array | Float32Array)[] {
  return block.dtype === 'I8' ? [block.bytes, block.scales] : [block.bytes]
}

/** Throws `unavailable` where the addon was built from sources that had none of them. */
function functionsOf(addon: Addon): FeatureFunctions {
  const { gram, meanOfRows, gramTimes, similarity, nearestRows, sumBytes } = addon
  if (!gram || !meanOfRows || !gramTimes || !similarity || !nearestRows || !sumBytes) {
    throw new EngineError(
      'unavailable',
      'The native addon has no products of features: it is older than this library. Build it anew: npm run build.',
    )
  }
  return { gram, meanOfRows, gramTimes, similarity, nearestRows, sumBytes }
}
