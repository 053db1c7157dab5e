/** Makes the WebAssembly engine in Node, which is for machines without a compiled engine. */
import { availableParallelism } from 'node:os'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { EngineError } from '../../../engine/engine-error.js'
import { MOST_THREADS } from '../../../engine/wasm/variant.js'
import { createWasmEngineOn, type WasmEngine, type WasmPrecision } from '../../../engine/wasm/wasm-engine.js'
import { hasRelaxedSimd, startWasmWorkers } from './wasm-workers.js'

export { WASM_PRECISIONS, type WasmEngine, type WasmPrecision } from '../../../engine/wasm/wasm-engine.js'
export { hasRelaxedSimd } from './wasm-workers.js'

/** Says how the WebAssembly engine computes. */
export interface WasmOptions {
  /** Default: the processors that this process may use. */
  readonly threads?: number
  /** Says how weights are stored; products are float32. Default: `float32`. */
  readonly precision?: WasmPrecision
  /** Says whether to use relaxed SIMD (fused multiply-add); default: where this runtime has it. */
  readonly relaxed?: boolean
  /** Says whether threads share memory; default `true`. Without it there is one thread, as in a page that is not cross-origin isolated. */
  readonly shared?: boolean
}

const WASM_OPTIONS = {
  threads: true,
  precision: true,
  relaxed: true,
  shared: true,
} satisfies OptionNames<WasmOptions>

/**
 * Makes the engine that computes in WebAssembly, in workers. Throws `EngineError`: `unsupported` for a number of threads that makes no sense,
 * `unavailable` for relaxed SIMD where there is none, and where a file of the package is missing.
 */
export function createWasmEngine(options: WasmOptions = {}): WasmEngine {
  checkOptionNames(options, WASM_OPTIONS)
  const { shared = true, relaxed = hasRelaxedSimd(), precision } = options
  const threads = options.threads ?? (shared ? Math.min(availableParallelism(), MOST_THREADS) : 1)
  const most = shared ? MOST_THREADS : 1
  if (!Number.isInteger(threads) || threads < 1 || threads > most) {
    throw new EngineError(
      'unsupported',
      `The WebAssembly engine runs on 1 to ${most} threads ${shared ? '' : 'without shared memory'}, not on ${threads}.`,
    )
  }
  if (relaxed && !hasRelaxedSimd()) {
    throw new EngineError('unavailable', `Node ${process.versions.node} has no relaxed SIMD; Node 22 has it.`)
  }
  return createWasmEngineOn(startWasmWorkers({ threads, relaxed, shared }), precision)
}
