/** How much work a plan is, so that two timings compare whatever the network, the size and the engine. */
import { elementCount, type Shape } from '../tensor/shape.js'
import { EngineError } from './engine-error.js'
import { neededSteps } from './needed-steps.js'
import type { Plan, SlotName, Step } from './plan.js'

/**
 * Floating-point operations for one image: two for each multiply-add of the matrix products (linear layers, patch embedding, both products of
 * attention, experts). Norms, softmax and activations are left out, as is usual: a few per cent.
 *
 * @param outputs what is asked for; steps that it does not need do not count
 */
export function countFlop(plan: Plan, outputs: readonly SlotName[]): number {
  const slotShape = (name: SlotName) => shapeIn(plan.slots, name)
  const weightShape = (name: string) => shapeIn(plan.weights, name)
  return 2 * neededSteps(plan, outputs).reduce((sum, step) => sum + products(step, slotShape, weightShape), 0)
}

type ShapeOf = (name: string) => Shape

/** Multiply-adds. */
function products(step: Step, slotShape: ShapeOf, weightShape: ShapeOf): number {
  switch (step.op) {
    case 'linear':
      return slotShape(step.output)[0] * elementCount(weightShape(step.weight))
    case 'attention': {
      const [tokens, width] = slotShape(step.output)
      return 2 * tokens * tokens * width
    }
    case 'crossAttention': {
      const [queries, width] = slotShape(step.output)
      return 2 * queries * slotShape(step.keyValue)[0] * width
    }
    case 'probeAttention':
      // Each latent pools its own columns only, so that pooling is one pass over the values.
      return (
        slotShape(step.keys)[0] * elementCount(weightShape(step.latents)) +
        elementCount(slotShape(step.values))
      )
    case 'softMoe': {
      const [tokens] = slotShape(step.input)
      const [slots, width] = weightShape(step.slots)
      const ofOneSlot = step.experts.reduce(
        (sum, { weight1, weight2 }) =>
          sum + elementCount(weightShape(weight1)) + elementCount(weightShape(weight2)),
        0,
      )
      // Logits, dispatch and combine; each expert works on its own share of the slots.
      return 3 * tokens * slots * width + (slots / step.experts.length) * ofOneSlot
    }
    default:
      return 0
  }
}

function shapeIn(shapes: ReadonlyMap<string, Shape>, name: string): Shape {
  const shape = shapes.get(name)
  if (shape === undefined) throw new EngineError('unsupported', `The plan has no shape for ${name}.`)
  return shape
}
