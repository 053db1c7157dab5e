/** WebAssembly engines of one page share their threads: more of them would only wait for each other. */
import type { Engine } from '../../../engine/engine.js'
import { createWasmEngine, defaultThreads, type WasmEngine, type WasmPrecision } from './index.js'

/** By the number of threads. */
const pools = new Map<number, { readonly engine: Promise<WasmEngine>; uses: number }>()

/**
 * On threads that run already where there are so many; they end with the last engine on them.
 *
 * @throws `EngineError` as `createWasmEngine`
 */
export async function sharedWasmEngine(
  precision: WasmPrecision,
  threads: number = defaultThreads(),
): Promise<Engine & Disposable> {
  const pool = pools.get(threads) ?? { engine: createWasmEngine({ threads }), uses: 0 }
  pools.set(threads, pool)
  pool.uses++
  const release = () => {
    if (--pool.uses > 0) return
    pools.delete(threads)
    pool.engine.then(
      (engine) => engine[Symbol.dispose](),
      () => {}, // It was never made.
    )
  }
  try {
    return { ...(await pool.engine).withPrecision(precision), [Symbol.dispose]: release }
  } catch (error) {
    release()
    throw error
  }
}
