/**
 * Runs plans on a GPU through WebGPU: the same lowered operations as on other engines, each a dispatch. Sums, norms, softmax and all that lies between
 * operations are float32; with the precision `float16` weights are kept as halves, and operands of products become such where the device has them.
 */

import { assertRuns, isPortable } from '../assert-runs.js'
import type { Engine } from '../engine.js'
import { disposed, EngineError } from '../engine-error.js'
import { plainArithmetic } from '../lowered/arithmetic.js'
import { lowerPlan } from '../lowered/lower-plan.js'
import { OwnedModel } from '../owned-model.js'
import { slotLength } from '../plan-lookup.js'
import { signalOf } from '../signal-of.js'
import { Gpu } from './gpu-run.js'
import { type DeviceParts, describeSupport, type Supports, supportsOf } from './shader-support.js'
import { verifyDevice } from './verify-device.js'
import { type Devices, runBatch, WebgpuModel } from './webgpu-model.js'
import type { WebgpuPrecision } from './webgpu-precisions.js'

/** Asks a platform for a device; it is asked again when that one is lost. */
export type RequestDevice = () => Promise<DeviceParts>

/** Says how the WebGPU engine computes. */
export interface WebgpuOptions {
  /** Says how weights are kept. Default: `float32`. */
  readonly precision?: WebgpuPrecision
  /** Says whether each device's results are compared with the reference engine's before it is used. Default: `true`. */
  readonly verify?: boolean
}

/**
 * Is the engine that computes on a GPU. It owns its device: models loaded on it are gone with it. `using` starts to give it back and does not wait,
 * `await using` waits until the device is gone.
 */
export interface WebgpuEngine extends Engine, Disposable {}

/** Throws `EngineError`: `unavailable` where there is no device, `wrong-result` for one that computes wrongly. */
export async function createWebgpuEngineOn(
  request: RequestDevice,
  { precision = 'float32', verify = true }: WebgpuOptions = {},
): Promise<WebgpuEngine> {
  const holder = new DeviceHolder(request, precision === 'float16', verify)
  const { name, support } = await holder.current()
  return {
    name: 'webgpu',
    precision,
    description: [name, describeSupport(support)].filter((part) => part !== '').join(', '),
    supports: isPortable,
    load: async (plan, weights, options = {}) => {
      const signal = signalOf(options)
      signal?.throwIfAborted()
      assertRuns({ name: 'webgpu', supports: isPortable }, plan)
      const model = new WebgpuModel(holder, plan, weights)
      await model.weightsOn(await holder.current(), signal)
      return new OwnedModel(model, weights)
    },
    [Symbol.dispose]: () => void holder.dispose(),
    [Symbol.asyncDispose]: () => holder.dispose(),
  }
}

/** Holds the device in use; a lost one is replaced at the next call. */
class DeviceHolder implements Devices {
  readonly half: boolean
  /** Everything between operations is float32. */
  readonly arithmetic = plainArithmetic()
  readonly #request: RequestDevice
  readonly #verify: boolean
  #current: Promise<Gpu> | null = null
  #disposed = false

  constructor(request: RequestDevice, half: boolean, verify: boolean) {
    this.#request = request
    this.half = half
    this.#verify = verify
  }

  async current(): Promise<Gpu> {
    if (this.#disposed) throw disposed('engine')
    const seen = this.#current
    const isGone = seen !== null && (await seen.catch(() => null))?.isLost !== false
    if (this.#disposed) throw disposed('engine')
    // Of several that find it gone, the first one replaces it.
    if (isGone && this.#current === seen) this.#current = null
    this.#current ??= this.#make()
    return await this.#current
  }

  async #make(): Promise<Gpu> {
    const parts = await this.#request()
    const [best, ...others] = supportsOf(parts, this.half)
    const gpu = new Gpu(parts, best)
    if (!this.#verify) return gpu
    try {
      return await this.#verified(gpu, [best, ...others])
    } catch (error) {
      await gpu.destroy()
      throw error
    }
  }

  /** Takes the first of the ways to compute that the device gets right. */
  async #verified(gpu: Gpu, [support, ...others]: Supports): Promise<Gpu> {
    gpu.support = support
    try {
      await verifyDevice(gpu.name, support, async (plan, weights, output, pixels, batch, onlyTile) => {
        const model = new WebgpuModel(this, plan, weights)
        const lengths = [slotLength(plan, output)]
        const lowered = lowerPlan(plan, [output], this.arithmetic)
        try {
          const compiled = await model.compileOn(gpu, plan, lowered, lengths, { ...support, onlyTile })
          const [values] = await runBatch(gpu, compiled, pixels, batch, lengths, undefined)
          if (values === undefined) throw new Error(`The GPU (${gpu.name}) gave no values for ${output}.`)
          return values
        } finally {
          model.release()
        }
      })
      return gpu
    } catch (error) {
      const isWrong =
        error instanceof EngineError && (error.code === 'wrong-result' || error.code === 'unavailable')
      const [next, ...rest] = others
      if (next === undefined || !isWrong || gpu.isLost) throw error
      return await this.#verified(gpu, [next, ...rest])
    }
  }

  async dispose(): Promise<void> {
    this.#disposed = true
    // One that could not be made has nothing to give back; who asked for it has heard why.
    const gpu = await this.#current?.catch(() => null)
    await gpu?.destroy()
  }
}
