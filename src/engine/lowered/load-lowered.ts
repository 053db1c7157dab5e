/** Loads a model on an engine that runs lowered plans as numbers: weights in one piece of memory, operations as records. */
import type { Shape } from '../../tensor/shape.js'
import type { EngineModel, WeightSource } from '../engine.js'
import { EngineError } from '../engine-error.js'
import type { ProductPrecision } from '../ops.js'
import { type ModelBody, OwnedModel, type ProgramBody } from '../owned-model.js'
import type { Plan, SlotName } from '../plan.js'
import { rowsAndWidth, slotLength } from '../plan-lookup.js'
import type { Arithmetic } from './arithmetic.js'
import { type EncodedPlan, encodePlan } from './encode-ops.js'
import { lowerPlan } from './lower-plan.js'
import {
  assertLoaded,
  layOutWeights,
  offsetOf,
  packWeights,
  type WeightLayout,
  type WeightPlace,
} from './weight-layout.js'

/** A weight on its way into a region: a matrix that products read, or values that stay as they are. */
export interface PackedWeight {
  /** Counts floats from the start of the region. */
  readonly offset: number
  /** Is null for values that stay as they are. */
  readonly precision: ProductPrecision | null
  readonly columns: number
  readonly depth: number
  readonly values: Float32Array
}

/** Describes one run of a program. */
export interface Job<Region, Compiled> {
  readonly region: Region
  readonly program: Compiled
  readonly batch: number
  /** Belongs to the job. */
  readonly pixels: Float32Array<ArrayBuffer>
  /** Counts the values of each output for the batch. */
  readonly outputLengths: readonly number[]
  /** Is told how to give the run up, which then rejects with `Cancelled`. */
  readonly onStarted: (cancel: () => void) => void
}

/** An engine does this by its own means. Whatever the system refuses it throws as an `EngineError`. */
export interface Executor<Region, Compiled> {
  readonly arithmetic: Arithmetic
  /** How many floats a weight [columns, depth] takes when it is packed for products. */
  packedFloats(precision: ProductPrecision, columns: number, depth: number): number
  /** Gives memory that is all zeros. */
  allocate(floats: number): Region | Promise<Region>
  pack(region: Region, weight: PackedWeight): Promise<void>
  releaseRegion(region: Region): void
  createProgram(encoded: EncodedPlan): Compiled
  programBytes(program: Compiled, batch: number): number
  run(job: Job<Region, Compiled>): Promise<readonly Float32Array[]>
  releaseProgram(program: Compiled): void
}

/** Says that a run was given up, by its caller or by the end of its engine. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

export async function loadLowered<Region, Compiled>(
  executor: Executor<Region, Compiled>,
  plan: Plan,
  source: WeightSource,
  signal: AbortSignal | undefined,
): Promise<EngineModel> {
  signal?.throwIfAborted()
  const layout = layOutWeights(plan, executor.arithmetic, (...weight) => executor.packedFloats(...weight))
  const region = await executor.allocate(layout.floats)
  try {
    const pack = ({ offset, form }: WeightPlace, shape: Shape, values: Float32Array) => {
      if (form === 'rows') {
        return executor.pack(region, { offset, precision: null, columns: values.length, depth: 0, values })
      }
      const [columns, depth] = rowsAndWidth('a packed weight', shape)
      return executor.pack(region, { offset, precision: form, columns, depth, values })
    }
    await packWeights(plan, layout, source, pack, signal)
  } catch (error) {
    executor.releaseRegion(region)
    throw error
  }
  return new OwnedModel(new LoweredModel(executor, region, layout))
}

class LoweredModel<Region, Compiled> implements ModelBody {
  readonly byteLength: number
  readonly #executor: Executor<Region, Compiled>
  readonly #region: Region
  readonly #layout: WeightLayout

  constructor(executor: Executor<Region, Compiled>, region: Region, layout: WeightLayout) {
    this.byteLength = layout.floats * 4
    this.#executor = executor
    this.#region = region
    this.#layout = layout
  }

  compile(plan: Plan, outputs: readonly SlotName[]): ProgramBody {
    const executor = this.#executor
    const lowered = lowerPlan(plan, outputs, executor.arithmetic)
    assertLoaded(lowered.ops, plan, this.#layout.shapes)
    const encoded = encodePlan(lowered, plan, (ref) => offsetOf(this.#layout, ref))
    const program = executor.createProgram(encoded)
    const lengths = outputs.map((slot) => slotLength(plan, slot))
    return {
      inputLength: lowered.inputLength,
      activationBytes: (batch) => executor.programBytes(program, batch),
      run: (pixels, batch, signal) =>
        runAbortably(signal, (onStarted) =>
          executor.run({
            region: this.#region,
            program,
            batch,
            pixels,
            outputLengths: lengths.map((length) => length * batch),
            onStarted,
          }),
        ),
      release: () => executor.releaseProgram(program),
    }
  }

  release(): void {
    this.#executor.releaseRegion(this.#region)
  }
}

/** A run that its signal gives up rejects with the signal's reason. */
async function runAbortably<Result>(
  signal: AbortSignal | undefined,
  run: (onStarted: (cancel: () => void) => void) => Promise<Result>,
): Promise<Result> {
  let cancel = () => {}
  const abort = () => cancel()
  try {
    return await run((started) => {
      cancel = started
      signal?.addEventListener('abort', abort, { once: true })
    })
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error
    if (signal?.aborted) throw signal.reason
    throw new EngineError('disposed', 'The engine was disposed of while this run was under way.')
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}
