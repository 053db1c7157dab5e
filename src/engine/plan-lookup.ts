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

/** Counts the values that a run is given of one image: those of all inputs. */
export function inputLength(plan: Plan): number {
  return plan.inputs.reduce((sum, { slot }) => sum + slotLength(plan, slot), 0)
}

/** Says where an input begins among all that a run is given of one image. Throws for a slot that is none. */
export function inputPlace(
  plan: Plan,
  name: SlotName,
): { readonly inputAt: number; readonly inputLength: number } {
  const index = plan.inputs.findIndex(({ slot }) => slot === name)
  if (index < 0) missing('input', name)
  const inputs = plan.inputs.slice(0, index)
  return { inputAt: inputLength({ ...plan, inputs }), inputLength: inputLength(plan) }
}

/** Tells whether a slot is given from outside, and written by no step. */
export function isInput(plan: Plan, name: SlotName): boolean {
  return plan.inputs.some(({ slot }) => slot === name)
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
