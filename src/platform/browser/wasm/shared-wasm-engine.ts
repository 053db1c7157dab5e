/** WebAssembly engines of one page share their threads: more of them would only wait for each other. */
import type { Engine } from '../../../engine/engine.js'
import { Shared } from '../shared.js'
import { createWasmEngine, defaultThreads, type WasmEngine, type WasmPrecision } from './index.js'

/** Engines are shared by the number of their threads. */
const pools = new Shared<WasmEngine>()

/**
 * On threads that run already where there are so many; they end with the last engine on them.
 *
 * @throws `EngineError` as `createWasmEngine`
 */
export async function sharedWasmEngine(
  precision: WasmPrecision,
  threads: number = defaultThreads(),
): Promise<Engine & Pick<WasmEngine, 'isLost'>> {
  const { value, release } = await pools.take(String(threads), () => createWasmEngine({ threads }))
  return {
    ...value.withPrecision(precision),
    get isLost() {
      return value.isLost
    },
    [Symbol.asyncDispose]: release,
  }
}
