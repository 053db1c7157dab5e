/** What a loaded model and a compiled plan own: native memory, given back when they are disposed of. */

import { elementCount } from '../../tensor/shape.js'
import { assertBatch } from '../assert-batch.js'
import type { EngineModel, Program } from '../engine.js'
import { disposed, EngineError } from '../engine-error.js'
import type { Arithmetic } from '../lowered/arithmetic.js'
import { encodePlan } from '../lowered/encode-ops.js'
import { lowerPlan } from '../lowered/lower-plan.js'
import { offsetOf, type WeightLayout } from '../lowered/weight-layout.js'
import type { Plan, SlotName } from '../plan.js'
import type { Addon, Handle, JobCallback } from './addon.js'
import { callAddon, jobError } from './addon-error.js'

export function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MB`
}

/** Runs under way finish after disposal; the memory goes with the last of them. */
export class NativeModel implements EngineModel {
  readonly byteLength: number
  readonly #addon: Addon
  readonly #engine: Handle<'engine'>
  readonly #layout: WeightLayout
  readonly #arithmetic: Arithmetic
  #region: Handle<'region'> | null

  constructor(
    addon: Addon,
    engine: Handle<'engine'>,
    region: Handle<'region'>,
    layout: WeightLayout,
    arithmetic: Arithmetic,
  ) {
    this.#addon = addon
    this.#engine = engine
    this.#region = region
    this.#layout = layout
    this.#arithmetic = arithmetic
    this.byteLength = layout.floats * 4
  }

  /** Throws `unsupported` where the plan contradicts itself or names weights that were not loaded, `disposed` after disposal. */
  compile(plan: Plan, outputs: readonly SlotName[]): Program {
    this.weights()
    const slots = [...new Set(outputs)]
    const lowered = lowerPlan(plan, slots, this.#arithmetic)
    const { opFields } = callAddon(() => this.#addon.info())
    const encoded = encodePlan(lowered, plan, opFields, (ref) => offsetOf(this.#layout, ref))
    const program = callAddon(() =>
      this.#addon.createProgram(this.#engine, encoded.ops, encoded.constants, encoded.arenaFloats),
    )
    if (program === null) {
      throw new EngineError(
        'out-of-memory',
        `The plan's tables need ${megabytes(encoded.constants.byteLength)}, which the system refuses.`,
      )
    }
    const lengths = new Map(slots.map((slot) => [slot, elementCount(plan.slots.get(slot) ?? [])]))
    return new NativeProgram(this.#addon, this.#engine, this, program, lowered.inputLength, lengths)
  }

  /** Throws `disposed`. */
  weights(): Handle<'region'> {
    if (this.#region === null) throw disposed('model')
    return this.#region
  }

  [Symbol.dispose](): void {
    if (this.#region !== null) this.#addon.releaseRegion(this.#region)
    this.#region = null
  }
}

class NativeProgram implements Program {
  readonly #addon: Addon
  readonly #engine: Handle<'engine'>
  readonly #model: NativeModel
  readonly #inputLength: number
  /** Values of each output for one image. */
  readonly #outputs: ReadonlyMap<SlotName, number>
  #program: Handle<'program'> | null

  constructor(
    addon: Addon,
    engine: Handle<'engine'>,
    model: NativeModel,
    program: Handle<'program'>,
    inputLength: number,
    outputs: ReadonlyMap<SlotName, number>,
  ) {
    this.#addon = addon
    this.#engine = engine
    this.#model = model
    this.#program = program
    this.#inputLength = inputLength
    this.#outputs = outputs
  }

  activationBytes(batch: number): number {
    if (this.#program === null) throw disposed('program')
    const program = this.#program
    return callAddon(() => this.#addon.programBytes(this.#engine, program, batch))
  }

  async run(
    pixels: Float32Array,
    { batch = 1, signal }: { batch?: number; signal?: AbortSignal } = {},
  ): Promise<ReadonlyMap<SlotName, Float32Array>> {
    signal?.throwIfAborted()
    const program = this.#program
    if (program === null) throw disposed('program')
    const weights = this.#model.weights()
    assertBatch(pixels, batch, this.#inputLength)
    const outputs = this.#allocateOutputs(batch)
    // A copy, because the caller could transfer its buffer away while the threads read it.
    const input = pixels.slice()
    const arrays: [Float32Array, ...Float32Array[]] = [input, ...outputs.values()]
    await new Promise<void>((resolve, reject) => {
      const settle: JobCallback = (status, value, error) => {
        signal?.removeEventListener('abort', abort)
        const needed = (bytes: number) =>
          `The activations of a batch of ${batch} need ${megabytes(bytes)}, which the system refuses. Use a smaller batch.`
        const problem = jobError(status, value, error, { needed, cancelled: signal?.reason })
        if (problem === null) resolve()
        else reject(problem)
      }
      const job = callAddon(() => this.#addon.run(this.#engine, program, weights, batch, [settle, ...arrays]))
      const abort = () => this.#addon.cancel(job)
      signal?.addEventListener('abort', abort, { once: true })
    })
    return outputs
  }

  #allocateOutputs(batch: number): Map<SlotName, Float32Array> {
    const outputs = new Map<SlotName, Float32Array>()
    try {
      for (const [slot, length] of this.#outputs) outputs.set(slot, new Float32Array(batch * length))
    } catch (cause) {
      const bytes = 4 * batch * [...this.#outputs.values()].reduce((sum, length) => sum + length, 0)
      throw new EngineError(
        'out-of-memory',
        `The outputs of a batch of ${batch} need ${megabytes(bytes)}. Ask for fewer outputs or a smaller batch.`,
        { cause },
      )
    }
    return outputs
  }

  [Symbol.dispose](): void {
    if (this.#program !== null) this.#addon.releaseProgram(this.#program)
    this.#program = null
  }
}
