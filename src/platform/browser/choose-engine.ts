/** Chooses the engine that runs a model in a browser. */
import { checkEngineOptions, type EngineOptions, precisionAmong } from '../../encoder/load-options.js'
import type { Engine } from '../../engine/engine.js'
import { EngineError } from '../../engine/engine-error.js'
import { WEBGPU_PRECISIONS, type WebgpuPrecision } from '../../engine/webgpu/webgpu-precisions.js'
import { BROWSER } from './engine-choices.js'
import { WASM_PRECISIONS } from './wasm/index.js'
import { sharedWasmEngine } from './wasm/shared-wasm-engine.js'
import { hasFastGpu } from './webgpu/gpu-adapter.js'

/** Belongs to whoever asked for it; it is lost where its threads have ended. */
export type ChosenEngine = Engine & { readonly isLost?: boolean }

/**
 * Takes WebGPU on a real GPU, else WebAssembly, unless another one is asked for.
 *
 * @param onWarning is told where `auto` had to leave a GPU aside
 * @throws `EngineError`: `unavailable` for an engine asked for by name that this browser cannot run, `unsupported` for a precision that it lacks
 */
export async function chooseEngine(
  options: EngineOptions,
  onWarning: (message: string) => void,
): Promise<ChosenEngine> {
  checkEngineOptions(options, BROWSER)
  const { engine = 'auto', precision = 'auto', threads } = options
  if (engine === 'reference' || (engine === 'auto' && precision === 'float64')) {
    precisionAmong('reference', precision, ['float64'])
    // Few ask for it, and its kernels are all there are.
    const { createReferenceEngine } = await import('../../engine/reference/reference-engine.js')
    return createReferenceEngine()
  }
  if (engine === 'webgpu') {
    const kept = precisionAmong('webgpu', precision, WEBGPU_PRECISIONS) ?? 'float32'
    return await webgpuEngine(kept)
  }
  const onGpu = precision === 'auto' ? 'float32' : WEBGPU_PRECISIONS.find((name) => name === precision)
  if (engine === 'auto' && onGpu !== undefined && (await hasFastGpu())) {
    try {
      return await webgpuEngine(onGpu)
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      onWarning(`${error.message} Going on with WebAssembly.`)
    }
  }
  return await sharedWasmEngine(precisionAmong('wasm', precision, WASM_PRECISIONS) ?? 'float32', threads)
}

/** A page without a GPU has no use for shaders: they come with the first engine that needs them. */
async function webgpuEngine(precision: WebgpuPrecision): Promise<ChosenEngine> {
  const { createWebgpuEngine } = await import('./webgpu/index.js')
  return await createWebgpuEngine({ precision })
}
