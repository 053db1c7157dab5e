/** Puts the weights of a model into one piece of memory: says where each lies, and brings it there. */
import { elementCount, type Shape, sameShape } from '../../tensor/shape.js'
import { EngineError } from '../engine-error.js'
import type { ProductPrecision } from '../ops.js'
import type { Plan, WeightName } from '../plan.js'
import { rowsAndWidth, weightShape } from '../plan-lookup.js'
import type { Arithmetic } from './arithmetic.js'
import { checkStep } from './check-step.js'
import { lowerStep } from './lower-step.js'
import { type LoweredOp, type WeightForm, type WeightRef, weightsOf } from './lowered-op.js'
import { sizesOf } from './slot-sizes.js'

/** Is twice the widest vector, so that whatever is read in whole vectors ends in zeros. */
export const PADDING = 32

export interface WeightPlace {
  readonly name: WeightName
  readonly offset: number
  readonly form: WeightForm
}

export interface WeightLayout {
  /** Is what the weights were laid out for; plans that run on them are lowered with it. */
  readonly arithmetic: Arithmetic
  /** Holds the shapes that the weights were laid out in. */
  readonly shapes: ReadonlyMap<WeightName, Shape>
  /** Most weights have one place; one that is used in two forms has two. */
  readonly places: ReadonlyMap<WeightName, readonly WeightPlace[]>
  readonly floats: number
}

export function up(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}

/**
 * Gives a place to each weight that a step of the plan reads, in the order of the steps.
 *
 * @param packedFloats room that a weight [columns, depth] takes when packed for the products of a precision
 */
export function layOutWeights(
  plan: Plan,
  arithmetic: Arithmetic,
  packedFloats: (precision: ProductPrecision, columns: number, depth: number) => number,
): WeightLayout {
  const sizes = sizesOf(plan)
  const places = new Map<WeightName, WeightPlace[]>()
  const shapes = new Map<WeightName, Shape>()
  let floats = 0
  for (const step of plan.steps) {
    checkStep(step, plan)
    for (const ref of lowerStep(step, plan, sizes, arithmetic).flatMap(weightsOf)) {
      const known = places.get(ref.name) ?? []
      if (known.some((place) => place.form === ref.form)) continue
      places.set(ref.name, [...known, { ...ref, offset: floats }])
      const shape = weightShape(plan, ref.name)
      shapes.set(ref.name, shape)
      floats += up(
        ref.form === 'rows'
          ? elementCount(shape) + PADDING
          : packedFloats(ref.form, ...rowsAndWidth(ref.name, shape)),
        PADDING,
      )
    }
  }
  return { arithmetic, places, shapes, floats }
}

/**
 * Throws `unsupported` for a weight that the model was not loaded with, or that the plan has in another shape.
 *
 * @param loaded shapes of the model's weights
 */
export function assertLoaded(
  ops: readonly LoweredOp[],
  plan: Plan,
  loaded: ReadonlyMap<WeightName, Shape>,
): void {
  for (const { name } of ops.flatMap(weightsOf)) {
    const shape = loaded.get(name)
    if (shape === undefined) throw notLoaded(name)
    const wanted = weightShape(plan, name)
    if (sameShape(shape, wanted)) continue
    throw new EngineError(
      'unsupported',
      `The plan has the weight ${name} as [${wanted.join(', ')}]; the model was loaded with one of [${shape.join(', ')}].`,
    )
  }
}

function notLoaded(name: WeightName, form = ''): EngineError {
  return new EngineError(
    'unsupported',
    `The plan needs the weight ${name}${form}, which the model was not loaded with. Load it with a plan that names it.`,
  )
}

/** Throws `unsupported` for a weight that the model was not loaded with. */
export function offsetOf(layout: WeightLayout, { name, form }: WeightRef): number {
  const place = layout.places.get(name)?.find((candidate) => candidate.form === form)
  if (place === undefined) throw notLoaded(name, ` (as ${form})`)
  return place.offset
}

/** Throws `wrong-size` for a weight that does not hold what its shape says. */
export function assertLength(name: WeightName, shape: Shape, values: Float32Array): void {
  if (values.length === elementCount(shape)) return
  throw new EngineError(
    'wrong-size',
    `The weight ${name} should hold [${shape.join(', ')}], ${elementCount(shape)} values; it holds ${values.length}.`,
  )
}
