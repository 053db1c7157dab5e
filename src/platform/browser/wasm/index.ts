/** The WebAssembly engine in a browser: for pages without a GPU. */
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { EngineError } from '../../../engine/engine-error.js'
import { MOST_THREADS } from '../../../engine/wasm/variant.js'
import { createWasmEngineOn, type WasmEngine, type WasmPrecision } from '../../../engine/wasm/wasm-engine.js'
import { hasRelaxedSimd, startWasmWorkers } from './wasm-workers.js'

export { WASM_PRECISIONS, type WasmEngine, type WasmPrecision } from '../../../engine/wasm/wasm-engine.js'
export { hasRelaxedSimd } from './wasm-workers.js'

/** Says how the WebAssembly engine computes. */
export interface WasmOptions {
  /** Default: the processors that the browser tells of; one where the page is not cross-origin isolated. */
  readonly threads?: number
  /** Says how weights are stored; products are float32. Default: `float32`. */
  readonly precision?: WasmPrecision
  /** Whether to use relaxed SIMD (fused multiply-add); default: where this browser has it. */
  readonly relaxed?: boolean
}

const WASM_OPTIONS = { threads: true, precision: true, relaxed: true } satisfies OptionNames<WasmOptions>

/** Gives as many as the browser tells of processors; one where the page is not cross-origin isolated. */
export function defaultThreads(): number {
  return globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1
}

/**
 * Makes the engine that computes in WebAssembly, in workers. Threads share memory, for which the page must be cross-origin isolated (headers
 * Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp or credentialless); elsewhere there is one.
 *
 * @throws `EngineError`: `unsupported` for a number of threads that makes no sense, `unavailable` for threads or relaxed SIMD where there are none
 */
export async function createWasmEngine(options: WasmOptions = {}): Promise<WasmEngine> {
  checkOptionNames(options, WASM_OPTIONS)
  const isolated = globalThis.crossOriginIsolated
  const { relaxed = hasRelaxedSimd(), precision } = options
  const threads = options.threads ?? defaultThreads()
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
    throw new EngineError(
      'unsupported',
      `The WebAssembly engine runs on 1 to ${MOST_THREADS} threads, not on ${threads}.`,
    )
  }
  if (threads > 1 && !isolated) {
    throw new EngineError(
      'unavailable',
      'Threads need a page that is cross-origin isolated: serve it with the headers Cross-Origin-Opener-Policy: same-origin and ' +
        'Cross-Origin-Embedder-Policy: require-corp.',
    )
  }
  if (relaxed && !hasRelaxedSimd()) {
    throw new EngineError('unavailable', 'This browser has no relaxed SIMD.')
  }
  return createWasmEngineOn(
    await startWasmWorkers({ threads, relaxed, shared: isolated && threads > 1 }),
    precision,
  )
}
