/** Loads a model on an engine that runs lowered plans as numbers: weights in one piece of memory, operations as records. */
import { elementCount, type Shape } from '../../tensor/shape.js'
import type {
  EngineModel,
  LoadingOptions,
  OpTime,
  PackedBytes,
  PackedFile,
  StoredValues,
  WeightSource,
} from '../engine.js'
import type { ProductPrecision } from '../ops.js'
import { type ModelBody, OwnedModel, type ProgramBody } from '../owned-model.js'
import type { Plan, SlotName, WeightName } from '../plan.js'
import { rowsAndWidth, weightShape } from '../plan-lookup.js'
import type { Arithmetic } from './arithmetic.js'
import { type EncodedPlan, encodePlan } from './encode-ops.js'
import { lowerPlan } from './lower-plan.js'
import { type MeasuredTimes, opTimes } from './op-times.js'
import {
  assertLength,
  assertLoaded,
  layOutWeights,
  offsetOf,
  type WeightLayout,
  type WeightPlace,
} from './weight-layout.js'

/** Says where in a region a weight goes, and how: as a matrix that products read, or as values that stay as they are. */
export interface WeightPlacement {
  /** Counts floats from the start of the region. */
  readonly offset: number
  /** Is null for values that stay as they are. */
  readonly precision: ProductPrecision | null
  readonly columns: number
  /** Is 0 for values that stay as they are. */
  readonly depth: number
}

export interface PackedWeight extends WeightPlacement {
  readonly values: Float32Array
}

/** Says how a weight was packed. */
export interface Packed {
  /** Is false where a column's largest value leaves bytes for little else: most of its other values have become zero. */
  readonly isHeld: boolean
}

/** Counts what comes out of a program for one image, and knows what its operations are. */
export interface ProgramFacts {
  /** Is in the order of the outputs. */
  readonly outputLengths: readonly number[]
  /** Says what it was that took so long. */
  readonly describeTimes: (times: MeasuredTimes, batch: number) => readonly OpTime[]
}

/** An engine does this by its own means. Whatever the system refuses it throws as an `EngineError`. */
export interface Executor<Region> {
  readonly arithmetic: Arithmetic
  /** Counts the floats that a weight [columns, depth] takes when it is packed for products. */
  packedFloats(precision: ProductPrecision, columns: number, depth: number): number
  /** Gives memory that is all zeros. */
  allocate(floats: number): Region | Promise<Region>
  pack(region: Region, weight: PackedWeight): Promise<Packed>
  /** Packs a weight from an open file, without a copy of it in memory; null where the file does not give it. Absent where no file is read. */
  packStored?(region: Region, weight: WeightPlacement, values: StoredValues): Promise<Packed | null>
  releaseRegion(region: Region): void
  /** Takes weights from a file as they lie there, `floats` of them; null where the file does not hold them. Absent where no file is read. */
  takePacked?(file: PackedFile, floats: number): Promise<Region | null>
  /** Gives what a region holds. Absent where it cannot be put into a file. */
  packedBytes?(region: Region, floats: number): PackedBytes
  /** Makes a program that runs on the weights of a region. */
  createProgram(encoded: EncodedPlan, region: Region, facts: ProgramFacts): ProgramBody
}

/**
 * Weights of which a precision holds too little are known when they have been packed. Networks that have any are rare: they are packed once more with an
 * arithmetic that holds them, and all others have paid nothing for it.
 */
export async function loadLowered<Region>(
  executor: Executor<Region>,
  plan: Plan,
  source: WeightSource,
  { signal, packed }: LoadingOptions,
): Promise<EngineModel> {
  signal?.throwIfAborted()
  let layout = layOut(executor, plan)
  const taken = packed === undefined ? null : await executor.takePacked?.(packed, layout.floats)
  if (taken != null) return new OwnedModel(new LoweredModel(executor, taken, layout), source)
  for (;;) {
    const region = await executor.allocate(layout.floats)
    const notHeld: WeightName[] = []
    const note = ({ name, form }: WeightPlace, { isHeld }: Packed) => {
      if (!isHeld && form === layout.arithmetic.precision) notHeld.push(name)
    }
    try {
      await packWeights(plan, layout, source, {
        signal,
        pack: async (place, shape, values) =>
          note(place, await executor.pack(region, { ...placementOf(place, shape), values })),
        packStored: async (place, shape, values) => {
          const result = await executor.packStored?.(region, placementOf(place, shape), values)
          if (result != null) note(place, result)
          return result != null
        },
      })
    } catch (error) {
      executor.releaseRegion(region)
      throw error
    }
    if (notHeld.length === 0) return new OwnedModel(new LoweredModel(executor, region, layout), source)
    executor.releaseRegion(region)
    layout = layOut(executor, plan, layout.arithmetic.holding(notHeld))
  }
}

/** Gives a place to each weight as the executor packs it. */
export function layOut<Region>(
  executor: Executor<Region>,
  plan: Plan,
  arithmetic: Arithmetic = executor.arithmetic,
): WeightLayout {
  return layOutWeights(plan, arithmetic, (...weight) => executor.packedFloats(...weight))
}

function placementOf({ offset, form }: WeightPlace, shape: Shape): WeightPlacement {
  if (form === 'rows') return { offset, precision: null, columns: elementCount(shape), depth: 0 }
  const [columns, depth] = rowsAndWidth('a packed weight', shape)
  return { offset, precision: form, columns, depth }
}

/** Does by an engine's means what packing weights takes. */
export interface Packing {
  pack(place: WeightPlace, shape: Shape, values: Float32Array): Promise<void>
  /** Resolves to false where the file does not give the weight. Absent where no file is read. */
  packStored?(place: WeightPlace, shape: Shape, values: StoredValues): Promise<boolean>
  readonly signal: AbortSignal | undefined
}

/**
 * Reads the weights one after the other; while one is packed elsewhere the next is read, so that no more than two are in memory unpacked. One that lies
 * in a file as it is, and goes to one place, is packed from there.
 */
export async function packWeights(
  plan: Plan,
  layout: WeightLayout,
  source: WeightSource,
  { pack, packStored, signal }: Packing,
): Promise<void> {
  const packFromFile = async (name: string, shape: Shape, places: readonly WeightPlace[]) => {
    const [place, ...others] = places
    if (packStored === undefined || place === undefined || others.length > 0) return false
    const stored = await source.stored?.(name, shape)
    return stored != null && (await packStored(place, shape, stored))
  }
  let packing: Promise<unknown> = Promise.resolve()
  try {
    for (const [name, places] of layout.places) {
      signal?.throwIfAborted()
      const shape = weightShape(plan, name)
      if (await packFromFile(name, shape, places)) continue
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
  readonly packed: PackedBytes | undefined
  readonly #executor: Executor<Region>
  readonly #region: Region
  readonly #layout: WeightLayout

  constructor(executor: Executor<Region>, region: Region, layout: WeightLayout) {
    this.byteLength = layout.floats * 4
    // A file holds weights as a load lays them out that does not know yet which of them are kept wide.
    if (layout.arithmetic === executor.arithmetic) this.packed = executor.packedBytes?.(region, layout.floats)
    this.#executor = executor
    this.#region = region
    this.#layout = layout
  }

  compile(plan: Plan, outputs: readonly SlotName[]): ProgramBody {
    const lowered = lowerPlan(plan, outputs, this.#layout.arithmetic)
    assertLoaded(lowered.ops, plan, this.#layout.shapes)
    const encoded = encodePlan(lowered, plan, (ref) => offsetOf(this.#layout, ref))
    return this.#executor.createProgram(encoded, this.#region, {
      outputLengths: lowered.outputLengths,
      describeTimes: (times, batch) => opTimes(lowered, times, batch),
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
