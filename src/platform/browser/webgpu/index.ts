/** The WebGPU engine in a browser. */
import { checkOptionNames, type OptionNames } from '../../../encoder/check-options.js'
import { EngineError } from '../../../engine/engine-error.js'
import { type Adapter, describeAdapter, deviceOf } from '../../../engine/webgpu/request-device.js'
import {
  createWebgpuEngineOn,
  type WebgpuEngine,
  type WebgpuOptions,
} from '../../../engine/webgpu/webgpu-engine.js'

export {
  WEBGPU_PRECISIONS,
  type WebgpuEngine,
  type WebgpuOptions,
  type WebgpuPrecision,
} from '../../../engine/webgpu/webgpu-engine.js'

/** The fastest GPU that the browser gives; null where there is none. */
async function adapterOrNull(): Promise<Adapter | null> {
  const { gpu } = navigator as { readonly gpu?: { requestAdapter(options: object): Promise<Adapter | null> } }
  return (await gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null)) ?? null
}

/** Whether there is a GPU worth using: what computes on the processor is slower than WebAssembly. */
export async function hasFastGpu(): Promise<boolean> {
  const adapter = await adapterOrNull()
  return adapter !== null && !describeAdapter(adapter).software
}

const WEBGPU_OPTIONS = { precision: true, verify: true } satisfies OptionNames<WebgpuOptions>

/** Throws `EngineError`: `unavailable` where there is no GPU, `wrong-result` for one that computes wrongly. */
export async function createWebgpuEngine(options: WebgpuOptions = {}): Promise<WebgpuEngine> {
  checkOptionNames(options, WEBGPU_OPTIONS)
  return await createWebgpuEngineOn(async () => {
    const adapter = await adapterOrNull()
    if (adapter !== null) return await deviceOf(adapter)
    throw new EngineError(
      'unavailable',
      'This browser gives the page no GPU (WebGPU). It needs a secure page (https or localhost), a browser that has it, and a driver that it ' +
        'trusts. The engine wasm works without.',
    )
  }, options)
}
