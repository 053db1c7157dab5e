/** Keeps a model and its programs on a GPU: weights and constants go to whichever device is there, again where the last one was lost. */
import type { WeightSource } from '../engine.js'
import { EngineError } from '../engine-error.js'
import type { Arithmetic } from '../lowered/arithmetic.js'
import { gatherConstants } from '../lowered/encode-ops.js'
import { type LoweredPlan, lowerPlan } from '../lowered/lower-plan.js'
import { assertLoaded } from '../lowered/weight-layout.js'
import type { ModelBody, ProgramBody } from '../owned-model.js'
import type { Plan, SlotName, WeightName } from '../plan.js'
import { dispatchesOf, encodeParams } from './dispatches.js'
import { type GpuBuffer, USAGE } from './gpu.js'
import type { Gpu } from './gpu-run.js'
import { destroyWeights, type GpuWeights, uploadWeights } from './gpu-weights.js'
import type { Dispatch, GpuPlaces } from './op-on-gpu.js'

/** Lets models find the device that is in use. */
export interface Devices {
  /** Weights are kept as halves. */
  readonly half: boolean
  readonly arithmetic: Arithmetic
  /** A lost one is replaced. */
  current(): Promise<Gpu>
}

/** A lowered plan has these on one device. */
interface Compiled {
  readonly lowered: LoweredPlan
  /** Gives those of a batch, the same ones each time. */
  readonly dispatches: (batch: number) => readonly Dispatch[]
  readonly weights: GpuWeights
  readonly places: GpuPlaces
  readonly constants: GpuBuffer
}

export async function runBatch(
  gpu: Gpu,
  { lowered, weights, places, constants, ...compiled }: Compiled,
  pixels: Float32Array<ArrayBuffer>,
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
  return await gpu.exclusive('a run', () => gpu.run(dispatches, pixels, buffers, signal))
}

/** Keeps a model's weights on whichever device is there. */
export class WebgpuModel implements ModelBody {
  readonly #devices: Devices
  readonly #plan: Plan
  /** Is kept, because a new device needs the weights again. */
  readonly #source: WeightSource
  readonly #uploads = new Map<Gpu, Promise<GpuWeights>>()
  #byteLength = 0

  constructor(devices: Devices, plan: Plan, source: WeightSource) {
    this.#devices = devices
    this.#plan = plan
    this.#source = source
  }

  get byteLength(): number {
    return this.#byteLength
  }

  get devices(): Devices {
    return this.#devices
  }

  async weightsOn(gpu: Gpu, signal?: AbortSignal): Promise<GpuWeights> {
    let upload = this.#uploads.get(gpu)
    if (upload === undefined) {
      for (const other of this.#uploads.keys()) if (other.isLost) this.#uploads.delete(other)
      const { arithmetic, half } = this.#devices
      upload = uploadWeights(gpu, this.#plan, arithmetic, half, this.#source, signal)
      this.#uploads.set(gpu, upload)
      upload.catch(() => this.#uploads.delete(gpu))
    }
    const weights = await upload
    this.#byteLength = weights.byteLength
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
      product: (name) => found(weights.products, name),
      row: (name) => found(weights.rowOffsets, name),
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
    // They compile ahead of the first run, which is most often of one image.
    for (const dispatch of dispatches(1)) void gpu.pipeline(dispatch)
    return { lowered, dispatches, weights, places, constants }
  }

  compile(plan: Plan, outputs: readonly SlotName[]): ProgramBody {
    const lowered = lowerPlan(plan, outputs, this.#devices.arithmetic)
    assertLoaded(lowered.ops, plan, this.#plan.weights)
    return new WebgpuProgram(this, plan, lowered)
  }

  release(): void {
    for (const upload of this.#uploads.values()) upload.then(destroyWeights, () => {})
    this.#uploads.clear()
  }
}

class WebgpuProgram implements ProgramBody {
  readonly #model: WebgpuModel
  readonly #plan: Plan
  readonly #lowered: LoweredPlan
  /** Counts the values of each output for one image. */
  readonly #lengths: readonly number[]
  readonly #compiled = new Map<Gpu, Promise<Compiled>>()

  constructor(model: WebgpuModel, plan: Plan, lowered: LoweredPlan) {
    this.#model = model
    this.#plan = plan
    this.#lowered = lowered
    this.#lengths = lowered.outputLengths
  }

  activationBytes(batch: number): number {
    return this.#lowered.arena.floats * 4 * batch
  }

  /** Runs as many images at a time as the device's buffers hold. */
  async run(
    pixels: Float32Array<ArrayBuffer>,
    batch: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly Float32Array[]> {
    const gpu = await this.#model.devices.current()
    const compiled = await this.#compiledOn(gpu)
    const most = this.#mostImages(gpu)
    const run = (part: Float32Array<ArrayBuffer>, images: number) =>
      runBatch(gpu, compiled, part, images, this.#lengths, signal)
    if (batch <= most) return await run(pixels, batch)
    const { inputLength } = this.#lowered
    const outputs = this.#lengths.map((length) => ({ length, values: new Float32Array(batch * length) }))
    for (let first = 0; first < batch; first += most) {
      const images = Math.min(most, batch - first)
      const part = pixels.subarray(first * inputLength, (first + images) * inputLength)
      for (const [index, found] of (await run(part, images)).entries()) {
        const output = outputs[index]
        if (output === undefined) throw new Error(`The GPU gave more outputs than ${outputs.length}.`)
        output.values.set(found, first * output.length)
      }
    }
    return outputs.map(({ values }) => values)
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

  /** Counts the images whose activations, pixels and outputs each fit into one buffer. */
  #mostImages(gpu: Gpu): number {
    const outputs = this.#lengths.reduce((sum, length) => sum + length, 0)
    const largest = Math.max(this.#lowered.arena.floats, this.#lowered.inputLength, outputs) * 4
    return Math.max(1, Math.floor(gpu.mostBytes / largest))
  }

  release(): void {
    for (const compiled of this.#compiled.values()) {
      compiled.then(
        ({ constants }) => constants.destroy(),
        () => {}, // It was never made.
      )
    }
    this.#compiled.clear()
  }
}

/** Finds a weight that was uploaded in the form that an operation reads. */
function found<Place>(places: ReadonlyMap<WeightName, Place>, name: WeightName): Place {
  const place = places.get(name)
  if (place !== undefined) return place
  throw new EngineError(
    'unsupported',
    `The plan reads the weight ${name} in another way than the one that the model was loaded with. Load it with a plan that reads it so.`,
  )
}
