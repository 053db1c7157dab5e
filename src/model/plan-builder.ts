/** Collects a plan's steps, and with them the shapes of its slots and weights. */
import type { Constant, NormWeights, SlotName, Step } from '../engine/plan.js'
import type { Shape } from '../tensor/shape.js'

export class PlanBuilder {
  readonly slots = new Map<SlotName, Shape>()
  readonly weights = new Map<string, Shape>()
  readonly constants = new Map<string, Constant>()
  readonly steps: Step[] = []

  weight(name: string, shape: Shape): string {
    this.weights.set(name, shape)
    return name
  }

  slot(name: SlotName, shape: Shape): SlotName {
    this.slots.set(name, shape)
    return name
  }

  shapeOf(slot: SlotName): Shape {
    return this.slots.get(slot) ?? []
  }

  /** Adds a step and declares its output. */
  step(step: Step, shape: Shape): SlotName {
    this.steps.push(step)
    return this.slot(step.output, shape)
  }

  /** `out` = `input` times `name.weight` transposed, + `name.bias`. */
  linear(input: SlotName, output: SlotName, name: string, width: number, bias = true): SlotName {
    const [rows, K] = this.shapeOf(input)
    const weight = this.weight(`${name}.weight`, [width, K])
    const biasName = bias ? this.weight(`${name}.bias`, [width]) : null
    return this.step({ op: 'linear', input, output, weight, bias: biasName }, [rows, width])
  }

  norm(input: SlotName, output: SlotName, weights: NormWeights): SlotName {
    return this.step({ op: 'norm', input, output, ...weights }, this.shapeOf(input))
  }

  normWeights(name: string, width: number, kind: 'layerNorm' | 'rmsNorm', epsilon: number): NormWeights {
    const weight = this.weight(`${name}.weight`, [width])
    const bias = kind === 'layerNorm' ? this.weight(`${name}.bias`, [width]) : null
    return { kind, weight, bias, epsilon }
  }
}
