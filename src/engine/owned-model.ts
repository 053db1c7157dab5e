/**
 * Makes models and programs as callers hold them, whatever the engine: what is asked of them is checked, what is disposed of says so, and runs
 * under way finish first. An engine hands in what stands behind them.
 */
import { checkOptionNames } from '../check-option-names.js'
import type { EngineModel, GivenInputs, PackedBytes, Program, RunTimes, WeightSource } from './engine.js'
import { EngineError } from './engine-error.js'
import { Lease } from './lease.js'
import type { Plan, SlotName } from './plan.js'
import { type TakeInputs, takeInputs } from './take-inputs.js'

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
  activationBytes(batch: number): number
  /**
   * Runs a batch; one that its signal gives up rejects with the signal's reason.
   *
   * @param given all inputs of an image one behind the other, then those of the next; it belongs to the run
   * @returns each output of the batch, in the order of `compile`
   */
  run(
    given: Float32Array<ArrayBuffer>,
    batch: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly Float32Array[]>
  /** Runs a batch and tells how long each operation took. Absent where that cannot be told. */
  profile?(
    given: Float32Array<ArrayBuffer>,
    batch: number,
    signal: AbortSignal | undefined,
  ): Promise<RunTimes>
  release(): void
}

export class OwnedModel implements EngineModel {
  readonly packed?: PackedBytes
  readonly #body: ModelBody
  readonly #lease: Lease<ModelBody>
  readonly #source: WeightSource

  /** @param source gives rows of tables while programs run */
  constructor(body: ModelBody, source: WeightSource) {
    this.#body = body
    this.#source = source
    if (body.packed !== undefined) this.packed = body.packed
    this.#lease = new Lease(body, 'model')
  }

  get byteLength(): number {
    return this.#body.byteLength
  }

  /** Throws `unsupported` where the plan contradicts itself or names weights that were not loaded, `disposed` after disposal. */
  compile(plan: Plan, outputs: readonly SlotName[]): Program {
    const slots = [...new Set(outputs)]
    const model = this.#lease.get()
    const take = takeInputs(plan, this.#source)
    return new OwnedProgram(this.#lease, model.compile(plan, slots), slots, take)
  }

  [Symbol.dispose](): void {
    this.#lease.dispose()
  }
}

/** Keeps a program and its weights while it runs. */
interface RunHeld extends Disposable {
  readonly body: ProgramBody
  /** Is to come where rows of its ids are read first. */
  readonly input: RunInput | Promise<RunInput>
}
type RunInput = Readonly<Parameters<ProgramBody['run']>>

class OwnedProgram implements Program {
  readonly #model: Lease<ModelBody>
  readonly #lease: Lease<ProgramBody>
  readonly #outputs: readonly SlotName[]
  readonly #take: TakeInputs

  constructor(model: Lease<ModelBody>, body: ProgramBody, outputs: readonly SlotName[], take: TakeInputs) {
    this.#take = take
    this.#model = model
    this.#lease = new Lease(body, 'program')
    this.#outputs = outputs
  }

  activationBytes(batch: number): number {
    return this.#lease.get().activationBytes(batch)
  }

  async run(
    given: GivenInputs,
    options: { batch?: number; signal?: AbortSignal } = {},
  ): Promise<ReadonlyMap<SlotName, Float32Array>> {
    using held = this.#begin(given, options)
    // A run begins at once where nothing is read for it, so that runs begin in the order in which they were asked for.
    const input = held.input instanceof Promise ? await held.input : held.input
    return this.#named(await held.body.run(...input))
  }

  async profile(
    given: GivenInputs,
    options: { batch?: number; signal?: AbortSignal } = {},
  ): Promise<RunTimes> {
    using held = this.#begin(given, options)
    const input = held.input instanceof Promise ? await held.input : held.input
    if (held.body.profile !== undefined) return await held.body.profile(...input)
    throw new EngineError(
      'unsupported',
      'This engine cannot tell how long each operation takes; native and wasm can.',
    )
  }

  /** Checks what is asked of a run, and keeps weights and program until it has ended. */
  #begin(given: GivenInputs, options: { batch?: number; signal?: AbortSignal }): RunHeld {
    checkOptionNames(options, { batch: true, signal: true })
    const { batch = 1, signal } = options
    signal?.throwIfAborted()
    const body = this.#lease.get()
    this.#model.get()
    const record = this.#take(given, batch)
    const input =
      record instanceof Promise
        ? record.then((values) => [values, batch, signal] as const)
        : ([record, batch, signal] as const)
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
