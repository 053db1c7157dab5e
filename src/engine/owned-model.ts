/**
 * Makes models and programs as callers hold them, whatever the engine: what is asked of them is checked, what is disposed of says so, and runs
 * under way finish first. An engine hands in what stands behind them.
 */
import { checkOptionNames } from '../check-option-names.js'
import { assertBatch } from './assert-batch.js'
import type { EngineModel, Program } from './engine.js'
import { Lease } from './lease.js'
import type { Plan, SlotName } from './plan.js'

/** An engine keeps this of a loaded model. */
export interface ModelBody {
  /** Counts the bytes of packed weights. */
  readonly byteLength: number
  /** Throws `unsupported` where the plan contradicts itself or names weights that were not loaded. No output is named twice. */
  compile(plan: Plan, outputs: readonly SlotName[]): ProgramBody
  /** Gives the weights back. Nothing of the model is asked for afterwards. */
  release(): void
}

/** An engine keeps this of a compiled plan. */
export interface ProgramBody {
  /** Counts the values of the input for one image. */
  readonly inputLength: number
  activationBytes(batch: number): number
  /**
   * Runs a batch; one that its signal gives up rejects with the signal's reason.
   *
   * @param pixels belong to the run; the caller's own stay with the caller
   * @returns each output of the batch, in the order of `compile`
   */
  run(
    pixels: Float32Array<ArrayBuffer>,
    batch: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly Float32Array[]>
  release(): void
}

export class OwnedModel implements EngineModel {
  readonly #body: ModelBody
  readonly #lease: Lease<ModelBody>

  constructor(body: ModelBody) {
    this.#body = body
    this.#lease = new Lease(body, 'model')
  }

  get byteLength(): number {
    return this.#body.byteLength
  }

  /** Throws `unsupported` where the plan contradicts itself or names weights that were not loaded, `disposed` after disposal. */
  compile(plan: Plan, outputs: readonly SlotName[]): Program {
    const slots = [...new Set(outputs)]
    return new OwnedProgram(this.#lease, this.#lease.get().compile(plan, slots), slots)
  }

  [Symbol.dispose](): void {
    this.#lease.dispose()
  }
}

class OwnedProgram implements Program {
  readonly #model: Lease<ModelBody>
  readonly #lease: Lease<ProgramBody>
  readonly #outputs: readonly SlotName[]

  constructor(model: Lease<ModelBody>, body: ProgramBody, outputs: readonly SlotName[]) {
    this.#model = model
    this.#lease = new Lease(body, 'program')
    this.#outputs = outputs
  }

  activationBytes(batch: number): number {
    return this.#lease.get().activationBytes(batch)
  }

  async run(
    pixels: Float32Array,
    options: { batch?: number; signal?: AbortSignal } = {},
  ): Promise<ReadonlyMap<SlotName, Float32Array>> {
    checkOptionNames(options, { batch: true, signal: true })
    const { batch = 1, signal } = options
    signal?.throwIfAborted()
    using program = this.#lease.use()
    using _model = this.#model.use()
    assertBatch(pixels, batch, program.thing.inputLength)
    // A copy is run, because the caller may overwrite its pixels, or transfer them away, while they are read.
    return this.#named(await program.thing.run(new Float32Array(pixels), batch, signal))
  }

  #named(values: readonly Float32Array[]): ReadonlyMap<SlotName, Float32Array> {
    const named = new Map<SlotName, Float32Array>()
    for (const [index, slot] of this.#outputs.entries()) {
      const output = values[index]
      if (output === undefined) throw new Error(`The engine gave no values for ${slot}.`)
      named.set(slot, output)
    }
    return named
  }

  [Symbol.dispose](): void {
    this.#lease.dispose()
  }
}
