/**
 * Plans on a GPU through WebGPU: the same lowered operations as the other engines, each a dispatch. Everything is float32; with the
 * precision `float16` weights are kept as halves and widened where they are read.
 */

import { elementCount } from '../../tensor/shape.js'
import { assertBatch } from '../assert-batch.js'
import type { Engine, EngineModel, Program, WeightSource } from '../engine.js'
import { EngineError } from '../engine-error.js'
import { Arithmetic } from '../lowered/arithmetic.js'
import { type LoweredPlan, lowerPlan } from '../lowered/lower-plan.js'
import type { Plan, SlotName } from '../plan.js'
import { type Dispatch, dispatchesOf, encodeParams, type Places } from './dispatches.js'
import { type GpuBuffer, USAGE } from './gpu.js'
import { Gpu } from './gpu-run.js'
import { destroyWeights, type GpuWeights, uploadWeights } from './gpu-weights.js'
import { type DeviceParts, describeSupport, type ShaderSupport, supportsOf } from './shader-support.js'
import { verifyDevice } from './verify-device.js'

export const WEBGPU_PRECISIONS = ['float32', 'float16'] as const
export type WebgpuPrecision = (typeof WEBGPU_PRECISIONS)[number]

/** What a platform gives when asked for a device; asked again when that one is lost. */
export type RequestDevice = () => Promise<DeviceParts>

export interface WebgpuOptions {
  /** How weights are kept; default `float32`. */
  readonly precision?: WebgpuPrecision
  /** Whether each device's results are compared with the reference engine's before it is used; default `true`. */
  readonly verify?: boolean
}

/** Owns its device: models loaded on it are gone with it. */
export interface WebgpuEngine extends Engine, Disposable {}

/** Everything between operations is float32. */
const FLOAT32 = [{ rows: 0, attention: 0, between: 0 }, null, null, null]

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
    supports: () => true,
    load: async (plan, weights, { signal } = {}) => {
      signal?.throwIfAborted()
      const model = new WebgpuModel(holder, plan, weights)
      await model.weightsOn(await holder.current(), signal)
      return model
    },
    [Symbol.dispose]: () => holder.dispose(),
  }
}

/** The device in use; a lost one is replaced at the next call. */
class DeviceHolder {
  readonly half: boolean
  readonly arithmetic = new Arithmetic('float32', FLOAT32)
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
    if (this.#current !== null && (await this.#current.catch(() => null))?.isLost !== false)
      this.#current = null
    this.#current ??= this.#make()
    return await this.#current
  }

  async #make(): Promise<Gpu> {
    const parts = await this.#request()
    const supports = supportsOf(parts, this.half)
    const gpu = new Gpu(parts, supports[0])
    if (!this.#verify) return gpu
    try {
      return await this.#verified(gpu, supports)
    } catch (error) {
      gpu.destroy()
      throw error
    }
  }

  /** Takes the first of the ways to compute that the device gets right. */
  async #verified(gpu: Gpu, [support, ...others]: readonly ShaderSupport[]): Promise<Gpu> {
    gpu.support = support
    try {
      await verifyDevice(gpu.name, support, async (plan, weights, output, pixels, batch) => {
        using model = new WebgpuModel(this, plan, weights)
        const lengths = [elementCount(plan.slots.get(output) ?? [])]
        const lowered = lowerPlan(plan, [output], this.arithmetic)
        const compiled = await model.compileOn(gpu, plan, lowered, lengths)
        return new Float32Array(await runBatch(gpu, compiled, pixels, batch, lengths, undefined))
      })
      return gpu
    } catch (error) {
      const isWrong =
        error instanceof EngineError && (error.code === 'wrong-result' || error.code === 'unavailable')
      if (others.length === 0 || !isWrong || gpu.isLost) throw error
      return await this.#verified(gpu, others)
    }
  }

  dispose(): void {
    this.#disposed = true
    this.#current?.then(
      (gpu) => gpu.destroy(),
      () => {}, // It was never made.
    )
  }
}

/** A lowered plan on one device. */
interface Compiled {
  readonly lowered: LoweredPlan
  readonly dispatches: readonly Dispatch[]
  readonly weights: GpuWeights
  readonly places: Places
  readonly constants: GpuBuffer
}

async function runBatch(
  gpu: Gpu,
  { lowered, dispatches, weights, places, constants }: Compiled,
  pixels: Float32Array,
  batch: number,
  outputLengths: readonly number[],
  signal: AbortSignal | undefined,
): Promise<ArrayBuffer> {
  const outputs = outputLengths.reduce((sum, length) => sum + length, 0) * batch * 4
  const buffers = {
    params: encodeParams(dispatches, lowered, places, batch),
    segments: weights.segments,
    rows: weights.rows,
    constants,
    arenaBytes: lowered.arena.floats * batch * 4,
    outputBytes: outputs,
  }
  const own = pixels as Float32Array<ArrayBuffer>
  return await gpu.exclusive('a run', () => gpu.run(dispatches, batch, own, buffers, signal))
}

class WebgpuModel implements EngineModel {
  byteLength = 0
  readonly holder: DeviceHolder
  readonly #plan: Plan
  /** Kept: a new device needs the weights again. */
  readonly #source: WeightSource
  readonly #uploaded = new WeakMap<Gpu, Promise<GpuWeights>>()
  #onDispose: (() => void)[] = []
  #disposed = false

  constructor(holder: DeviceHolder, plan: Plan, source: WeightSource) {
    this.holder = holder
    this.#plan = plan
    this.#source = source
  }

  async weightsOn(gpu: Gpu, signal?: AbortSignal): Promise<GpuWeights> {
    if (this.#disposed) throw disposed('model')
    let upload = this.#uploaded.get(gpu)
    if (upload === undefined) {
      const { arithmetic, half } = this.holder
      upload = uploadWeights(gpu, this.#plan, arithmetic, half, this.#source, signal)
      this.#uploaded.set(gpu, upload)
      upload.then(
        (weights) => this.#onDispose.push(() => destroyWeights(weights)),
        () => this.#uploaded.delete(gpu),
      )
    }
    const weights = await upload
    this.byteLength = weights.byteLength
    return weights
  }

  async compileOn(
    gpu: Gpu,
    plan: Plan,
    lowered: LoweredPlan,
    outputLengths: readonly number[],
  ): Promise<Compiled> {
    const weights = await this.weightsOn(gpu)
    const tables = [...new Set(lowered.ops.map(({ positions }) => positions).filter((name) => name !== null))]
    const values = tables.map((name) => plan.constants.get(name) ?? new Float32Array())
    const offsets = new Map<string, number>()
    let floats = 0
    tables.forEach((name, index) => {
      offsets.set(name, floats)
      floats += values[index].length
    })
    const places: Places = {
      product: (name) => weights.products.get(name) ?? missing(name),
      row: (name) => weights.rowOffsets.get(name) ?? missing(name),
      constant: (name) => offsets.get(name) ?? missing(name),
    }
    const dispatches = dispatchesOf(lowered, places, outputLengths, gpu.support)
    const constants = await gpu.exclusive('a table of positions', async () => {
      const buffer = gpu.buffer('positions', floats * 4, USAGE.storage | USAGE.copyTarget)
      for (const [index, name] of tables.entries()) {
        await gpu.write(buffer, (offsets.get(name) ?? 0) * 4, values[index] as Float32Array<ArrayBuffer>)
      }
      return buffer
    })
    // Ahead of the first run.
    for (const dispatch of dispatches) void gpu.pipeline(dispatch)
    return { lowered, dispatches, weights, places, constants }
  }

  compile(plan: Plan, outputs: readonly SlotName[]): Program {
    if (this.#disposed) throw disposed('model')
    const slots = [...new Set(outputs)]
    const lowered = lowerPlan(plan, slots, this.holder.arithmetic)
    const lengths = slots.map((slot) => elementCount(plan.slots.get(slot) ?? []))
    return new WebgpuProgram(this, plan, lowered, slots, lengths)
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    for (const dispose of this.#onDispose) dispose()
    this.#onDispose = []
  }
}

class WebgpuProgram implements Program {
  readonly #model: WebgpuModel
  readonly #plan: Plan
  readonly #lowered: LoweredPlan
  readonly #slots: readonly SlotName[]
  /** Values of each output for one image. */
  readonly #lengths: readonly number[]
  readonly #compiled = new Map<Gpu, Promise<Compiled>>()
  #disposed = false

  constructor(
    model: WebgpuModel,
    plan: Plan,
    lowered: LoweredPlan,
    slots: readonly SlotName[],
    lengths: readonly number[],
  ) {
    this.#model = model
    this.#plan = plan
    this.#lowered = lowered
    this.#slots = slots
    this.#lengths = lengths
  }

  activationBytes(batch: number): number {
    if (this.#disposed) throw disposed('program')
    return this.#lowered.arena.floats * 4 * batch
  }

  async run(
    pixels: Float32Array,
    { batch = 1, signal }: { batch?: number; signal?: AbortSignal } = {},
  ): Promise<ReadonlyMap<SlotName, Float32Array>> {
    signal?.throwIfAborted()
    if (this.#disposed) throw disposed('program')
    const { inputLength } = this.#lowered
    assertBatch(pixels, batch, inputLength)
    const gpu = await this.#model.holder.current()
    const compiled = await this.#compiledOn(gpu)
    const outputs = this.#slots.map((_, index) => new Float32Array(batch * this.#lengths[index]))
    const most = this.#mostImages(gpu)
    for (let first = 0; first < batch; first += most) {
      const images = Math.min(most, batch - first)
      const part = pixels.subarray(first * inputLength, (first + images) * inputLength)
      const values = await runBatch(gpu, compiled, part, images, this.#lengths, signal)
      let at = 0
      for (const [index, length] of this.#lengths.entries()) {
        outputs[index].set(new Float32Array(values, at, length * images), first * length)
        at += length * images * 4
      }
    }
    return new Map(this.#slots.map((slot, index) => [slot, outputs[index]]))
  }

  async #compiledOn(gpu: Gpu): Promise<Compiled> {
    let compiled = this.#compiled.get(gpu)
    if (compiled === undefined) {
      for (const other of this.#compiled.keys()) if (other.isLost) this.#compiled.delete(other)
      compiled = this.#model.compileOn(gpu, this.#plan, this.#lowered, this.#lengths)
      this.#compiled.set(gpu, compiled)
      compiled.catch(() => this.#compiled.delete(gpu))
    }
    return await compiled
  }

  /** Images whose activations, pixels and outputs each fit into one buffer. */
  #mostImages(gpu: Gpu): number {
    const outputs = this.#lengths.reduce((sum, length) => sum + length, 0)
    const largest = Math.max(this.#lowered.arena.floats, this.#lowered.inputLength, outputs) * 4
    return Math.max(1, Math.floor(gpu.mostBytes / largest))
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    for (const compiled of this.#compiled.values()) {
      compiled.then(
        ({ constants }) => constants.destroy(),
        () => {}, // It was never made.
      )
    }
    this.#compiled.clear()
  }
}

function missing(name: string): never {
  throw new EngineError(
    'unsupported',
    `The plan needs the weight ${name}, which the model was not loaded with. Load it with a plan that names it.`,
  )
}

function disposed(what: string): EngineError {
  return new EngineError('disposed', `This ${what} has been disposed of. Load it again to go on.`)
}
