/** Loads a model on an engine that runs lowered plans as numbers: weights in one piece of memory, operations as records. */
import type { Shape } from '../../tensor/shape.js'
import type { EngineModel, WeightSource } from '../engine.js'
import type { ProductPrecision } from '../ops.js'
import { type ModelBody, OwnedModel, type ProgramBody } from '../owned-model.js'
import type { Plan, SlotName } from '../plan.js'
import { rowsAndWidth, slotLength, weightShape } from '../plan-lookup.js'
import type { Arithmetic } from './arithmetic.js'
import { type EncodedPlan, encodePlan } from './encode-ops.js'
import { lowerPlan } from './lower-plan.js'
import {
  assertLength,
  assertLoaded,
  layOutWeights,
  offsetOf,
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

/** Counts what goes into a program and comes out of it, for one image. */
export interface ProgramLengths {
  readonly inputLength: number
  /** Is in the order of the outputs. */
  readonly outputLengths: readonly number[]
}

/** An engine does this by its own means. Whatever the system refuses it throws as an `EngineError`. */
export interface Executor<Region> {
  readonly arithmetic: Arithmetic
  /** Counts the floats that a weight [columns, depth] takes when it is packed for products. */
  packedFloats(precision: ProductPrecision, columns: number, depth: number): number
  /** Gives memory that is all zeros. */
  allocate(floats: number): Region | Promise<Region>
  pack(region: Region, weight: PackedWeight): Promise<void>
  releaseRegion(region: Region): void
  /** Makes a program that runs on the weights of a region. */
  createProgram(encoded: EncodedPlan, region: Region, lengths: ProgramLengths): ProgramBody
}

export async function loadLowered<Region>(
  executor: Executor<Region>,
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

/**
 * Reads the weights one after the other; while one is packed elsewhere the next is read, so that no more than two are in memory unpacked.
 */
export async function packWeights(
  plan: Plan,
  layout: WeightLayout,
  source: WeightSource,
  pack: (place: WeightPlace, shape: Shape, values: Float32Array) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let packing: Promise<unknown> = Promise.resolve()
  try {
    for (const [name, places] of layout.places) {
      signal?.throwIfAborted()
      const shape = weightShape(plan, name)
      const values = await source.read(name, shape)
      assertLength(name, shape, values)
      await packing
      packing = Promise.all(places.map((place) => pack(place, shape, values)))
    }
  } finally {
    // Also after an error elsewhere: nothing may be left running in memory that the caller gives up.
    await packing
  }
  signal?.throwIfAborted()
}

class LoweredModel<Region> implements ModelBody {
  readonly byteLength: number
  readonly #executor: Executor<Region>
  readonly #region: Region
  readonly #layout: WeightLayout

  constructor(executor: Executor<Region>, region: Region, layout: WeightLayout) {
    this.byteLength = layout.floats * 4
    this.#executor = executor
    this.#region = region
    this.#layout = layout
  }

  compile(plan: Plan, outputs: readonly SlotName[]): ProgramBody {
    const lowered = lowerPlan(plan, outputs, this.#executor.arithmetic)
    assertLoaded(lowered.ops, plan, this.#layout.shapes)
    const encoded = encodePlan(lowered, plan, (ref) => offsetOf(this.#layout, ref))
    const outputLengths = outputs.map((slot) => slotLength(plan, slot))
    return this.#executor.createProgram(encoded, this.#region, {
      inputLength: lowered.inputLength,
      outputLengths,
    })
  }

  release(): void {
    this.#executor.releaseRegion(this.#region)
  }
}

/** Lets a signal give up what is under way; what is returned stops to listen. */
export function onAbort(signal: AbortSignal | undefined, cancel: () => void): Disposable {
  signal?.addEventListener('abort', cancel, { once: true })
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', cancel) }
}
