/** The WebGPU engine in a browser. */
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { EngineError } from '../../../engine/engine-error.js'
import { deviceOf } from '../../../engine/webgpu/request-device.js'
import {
  createWebgpuEngineOn,
  type WebgpuEngine,
  type WebgpuOptions,
} from '../../../engine/webgpu/webgpu-engine.js'

import { adapterOrNull } from './gpu-adapter.js'

export type { WebgpuEngine, WebgpuOptions } from '../../../engine/webgpu/webgpu-engine.js'
export type { WebgpuPrecision } from '../../../engine/webgpu/webgpu-precisions.js'

const WEBGPU_OPTIONS = { precision: true, verify: true } satisfies OptionNames<WebgpuOptions>

/**
 * Makes the engine that computes on a GPU. Throws `EngineError`: `unavailable` where there is no GPU, `wrong-result` for one that computes wrongly.
 */
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
