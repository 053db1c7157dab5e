/**
 * Makes models and programs as callers hold them, whatever the engine: what is asked of them is checked, what is disposed of says so, and runs
 * under way finish first. An engine hands in what stands behind them.
 */
import { checkOptionNames } from '../check-option-names.js'
import { assertBatch } from './assert-batch.js'
import type { EngineModel, PackedBytes, Program, RunTimes } from './engine.js'
import { EngineError } from './engine-error.js'
import { Lease } from './lease.js'
import type { Plan, SlotName } from './plan.js'

/** An engine keeps this of a loaded model. */
export interface ModelBody {
  /** Counts the bytes of packed weights. */
  readonly byteLength: number
  /** Gives the weights as they are packed; absent where they cannot be kept in a file. */
  readonly packed?: PackedBytes | undefined
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
  /** Runs a batch and tells how long each operation took. Absent where that cannot be told. */
  profile?(
    pixels: Float32Array<ArrayBuffer>,
    batch: number,
    signal: AbortSignal | undefined,
  ): Promise<RunTimes>
  release(): void
}

export class OwnedModel implements EngineModel {
  readonly packed?: PackedBytes
  readonly #body: ModelBody
  readonly #lease: Lease<ModelBody>

  constructor(body: ModelBody) {
    this.#body = body
    if (body.packed !== undefined) this.packed = body.packed
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

/** Keeps a program and its weights while it runs. */
interface RunHeld extends Disposable {
  readonly body: ProgramBody
  readonly input: Readonly<Parameters<ProgramBody['run']>>
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
    using held = this.#begin(pixels, options)
    return this.#named(await held.body.run(...held.input))
  }

  async profile(
    pixels: Float32Array,
    options: { batch?: number; signal?: AbortSignal } = {},
  ): Promise<RunTimes> {
    using held = this.#begin(pixels, options)
    if (held.body.profile !== undefined) return await held.body.profile(...held.input)
    throw new EngineError(
      'unsupported',
      'This engine cannot tell how long each operation takes; native and wasm can.',
    )
  }

  /** Checks what is asked of a run, and keeps weights and program until it has ended. */
  #begin(pixels: Float32Array, options: { batch?: number; signal?: AbortSignal }): RunHeld {
    checkOptionNames(options, { batch: true, signal: true })
    const { batch = 1, signal } = options
    signal?.throwIfAborted()
    const body = this.#lease.get()
    this.#model.get()
    assertBatch(pixels, batch, body.inputLength)
    // A copy is run, because the caller may overwrite its pixels, or transfer them away, while they are read.
    const input = [new Float32Array(pixels), batch, signal] as const
    const held = [this.#lease.use(), this.#model.use()]
    return {
      body,
      input,
      [Symbol.dispose]() {
        for (const lease of held) lease[Symbol.dispose]()
      },
    }
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
