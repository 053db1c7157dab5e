/** Makes the WebGPU engine in Node, through the optional package `webgpu` (Dawn). */
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { EngineError } from '../../../engine/engine-error.js'
import { type Adapter, deviceOf } from '../../../engine/webgpu/request-device.js'
import {
  createWebgpuEngineOn,
  type WebgpuEngine,
  type WebgpuOptions,
} from '../../../engine/webgpu/webgpu-engine.js'

export type { WebgpuEngine, WebgpuOptions } from '../../../engine/webgpu/webgpu-engine.js'

const WEBGPU_OPTIONS = { precision: true, verify: true } satisfies OptionNames<WebgpuOptions>

/**
 * Makes the engine that computes on a GPU, through the optional package `webgpu`. Its device keeps the process alive until the engine is disposed of.
 *
 * @throws `EngineError`: `unavailable` without the package or a GPU, `wrong-result` for a GPU that computes wrongly
 */
export async function createWebgpuEngine(options: WebgpuOptions = {}): Promise<WebgpuEngine> {
  checkOptionNames(options, WEBGPU_OPTIONS)
  const { create } = await loadPackage()
  dawn ??= create(DAWN_OPTIONS)
  const gpu = dawn
  return await createWebgpuEngineOn(async () => {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null)
    if (adapter !== null) return await deviceOf(adapter)
    throw new EngineError(
      'unavailable',
      'No GPU was found: Dawn needs a Vulkan, Metal or Direct3D 12 driver. The engines native and wasm work without.',
    )
  }, options)
}

/**
 * For those who trust their shaders, and these are this library's own: matrix units, which are experimental and offered on request only; memory that
 * a workgroup shares not cleared for shaders that write it first; no checks of every index. And halves on NVIDIA's Vulkan driver, which Dawn
 * holds back for what some of its versions get wrong: here each device is compared with the reference before it is used.
 */
export const DAWN_OPTIONS: readonly string[] = [
  'enable-dawn-features=allow_unsafe_apis,disable_workgroup_init,disable_robustness,vulkan_enable_f16_on_nvidia',
]

interface Dawn {
  requestAdapter(options: object): Promise<Adapter | null>
}

interface WebgpuPackage {
  create(options: readonly string[]): Dawn
}

/**
 * Serves all engines of the process. Each Dawn opens the drivers anew, with threads and files of theirs that go only when V8 happens to collect it:
 * a hundred engines, disposed of one after the other, would hold hundreds.
 */
let dawn: Dawn | undefined

async function loadPackage(): Promise<WebgpuPackage> {
  try {
    return (await import('webgpu')) as unknown as WebgpuPackage
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
    throw new EngineError(
      'unavailable',
      `The engine webgpu needs the package webgpu in Node (npm install webgpu), which could not be loaded: ${reason}`,
      { cause },
    )
  }
}
