/** Finds what a plan holds under a name. What is missing throws by its name: it never passes for something empty. */
import { elementCount, type Shape } from '../tensor/shape.js'
import { EngineError } from './engine-error.js'
import type { Constant, ConstantName, Plan, SlotName, WeightName } from './plan.js'

export function weightShape(plan: Plan, name: WeightName): Shape {
  return plan.weights.get(name) ?? missing('weight', name)
}

export function constantOf(plan: Plan, name: ConstantName): Constant {
  return plan.constants.get(name) ?? missing('constant', name)
}

/** Counts the values that a slot holds for one image. */
export function slotLength(plan: Plan, name: SlotName): number {
  return elementCount(plan.slots.get(name) ?? missing('slot', name))
}

/** Finds the shape of what a step reads: a slot, or a constant. */
export function operandShape(plan: Plan, name: SlotName | ConstantName): Shape {
  return plan.slots.get(name) ?? plan.constants.get(name)?.shape ?? missing('slot or constant', name)
}

/** Takes a shape that must be [rows, width] apart. */
export function rowsAndWidth(name: string, shape: Shape): readonly [rows: number, width: number] {
  const [rows, width, ...more] = shape
  if (rows !== undefined && width !== undefined && more.length === 0) return [rows, width]
  throw new EngineError(
    'unsupported',
    `The plan has [${shape.join(', ')}] for ${name}, expected [rows, width].`,
  )
}

function missing(what: string, name: string): never {
  throw new EngineError('unsupported', `The plan has no ${what} named ${name}.`)
}
