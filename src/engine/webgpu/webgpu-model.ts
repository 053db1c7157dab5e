/** A model on a GPU, and its programs: weights and constants go to whichever device is there, again where the last one was lost. */
import { elementCount } from '../../tensor/shape.js'
import { assertBatch } from '../assert-batch.js'
import type { EngineModel, Program, WeightSource } from '../engine.js'
import { disposed, EngineError } from '../engine-error.js'
import type { Arithmetic } from '../lowered/arithmetic.js'
import { gatherConstants } from '../lowered/encode-ops.js'
import { type LoweredPlan, lowerPlan } from '../lowered/lower-plan.js'
import type { Plan, SlotName } from '../plan.js'
import { type Dispatch, dispatchesOf, encodeParams, type GpuPlaces } from './dispatches.js'
import { type GpuBuffer, USAGE } from './gpu.js'
import type { Gpu } from './gpu-run.js'
import { destroyWeights, type GpuWeights, uploadWeights } from './gpu-weights.js'

/** Where models find the device that is in use. */
export interface Devices {
  /** Weights are kept as halves. */
  readonly half: boolean
  readonly arithmetic: Arithmetic
  /** A lost one is replaced. */
  current(): Promise<Gpu>
}

/** A lowered plan on one device. */
interface Compiled {
  readonly lowered: LoweredPlan
  /** Of a batch; the same ones each time. */
  readonly dispatches: (batch: number) => readonly Dispatch[]
  readonly weights: GpuWeights
  readonly places: GpuPlaces
  readonly constants: GpuBuffer
}

export async function runBatch(
  gpu: Gpu,
  { lowered, weights, places, constants, ...compiled }: Compiled,
  pixels: Float32Array,
  batch: number,
  outputLengths: readonly number[],
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  const dispatches = compiled.dispatches(batch)
  const buffers = {
    params: encodeParams(dispatches, lowered, places, batch),
    segments: weights.segments,
    rows: weights.rows,
    constants,
    arenaBytes: lowered.arena.floats * batch * 4,
    outputLengths: outputLengths.map((length) => length * batch),
  }
  const own = pixels as Float32Array<ArrayBuffer>
  return await gpu.exclusive('a run', () => gpu.run(dispatches, own, buffers, signal))
}

export class WebgpuModel implements EngineModel {
  byteLength = 0
  readonly devices: Devices
  readonly #plan: Plan
  /** Kept: a new device needs the weights again. */
  readonly #source: WeightSource
  readonly #uploaded = new WeakMap<Gpu, Promise<GpuWeights>>()
  #onDispose: (() => void)[] = []
  #disposed = false

  constructor(devices: Devices, plan: Plan, source: WeightSource) {
    this.devices = devices
    this.#plan = plan
    this.#source = source
  }

  async weightsOn(gpu: Gpu, signal?: AbortSignal): Promise<GpuWeights> {
    if (this.#disposed) throw disposed('model')
    let upload = this.#uploaded.get(gpu)
    if (upload === undefined) {
      const { arithmetic, half } = this.devices
      upload = uploadWeights(gpu, this.#plan, arithmetic, half, this.#source, signal)
      this.#uploaded.set(gpu, upload)
      upload.then(
        (weights) =>
          this.#disposed ? destroyWeights(weights) : this.#onDispose.push(() => destroyWeights(weights)),
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
    support = gpu.support,
  ): Promise<Compiled> {
    const weights = await this.weightsOn(gpu)
    const { values, offsetOf } = gatherConstants(lowered, plan)
    const places: GpuPlaces = {
      product: (name) => weights.products.get(name) ?? missing(name),
      row: (name) => weights.rowOffsets.get(name) ?? missing(name),
      constant: offsetOf,
    }
    const made = new Map<number, readonly Dispatch[]>()
    const dispatches = (batch: number) => {
      const known = made.get(batch) ?? dispatchesOf(lowered, places, outputLengths, support, batch)
      made.set(batch, known)
      return known
    }
    const constants = await gpu.exclusive("a plan's constants", async () => {
      const buffer = gpu.buffer('constants', values.byteLength, USAGE.storage | USAGE.copyTarget)
      await gpu.write(buffer, 0, values)
      return buffer
    })
    // Ahead of the first run, which is most often of one image.
    for (const dispatch of dispatches(1)) void gpu.pipeline(dispatch)
    return { lowered, dispatches, weights, places, constants }
  }

  compile(plan: Plan, outputs: readonly SlotName[]): Program {
    if (this.#disposed) throw disposed('model')
    const slots = [...new Set(outputs)]
    const lowered = lowerPlan(plan, slots, this.devices.arithmetic)
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
    const gpu = await this.#model.devices.current()
    const compiled = await this.#compiledOn(gpu)
    const most = this.#mostImages(gpu)
    const run = (part: Float32Array, images: number) =>
      runBatch(gpu, compiled, part, images, this.#lengths, signal)
    if (batch <= most) return this.#named(await run(pixels, batch))
    const outputs = this.#lengths.map((length) => new Float32Array(batch * length))
    for (let first = 0; first < batch; first += most) {
      const images = Math.min(most, batch - first)
      const part = pixels.subarray(first * inputLength, (first + images) * inputLength)
      for (const [index, values] of (await run(part, images)).entries()) {
        outputs[index].set(values, first * this.#lengths[index])
      }
    }
    return this.#named(outputs)
  }

  #named(outputs: readonly Float32Array[]): ReadonlyMap<SlotName, Float32Array> {
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
