/** Collects a plan's steps, and with them the shapes of its slots and weights. */
import type { ActivationKind, Constant, NormWeights, SlotName, Step } from '../engine/plan.js'
import { type Shape, sizeAt } from '../tensor/shape.js'

/** Says how wide a feed-forward net is, and which activation it has. */
interface FeedForwardSizes {
  readonly hidden: number
  readonly width: number
  readonly kind: ActivationKind
}

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

  /** Throws where no step writes the slot, since a plan that reads it could not run. */
  shapeOf(slot: SlotName): Shape {
    const shape = this.slots.get(slot)
    if (shape === undefined) throw new Error(`The plan reads ${slot}, which no step before has written.`)
    return shape
  }

  /** Adds a step and declares its output. */
  step(step: Step, shape: Shape): SlotName {
    this.steps.push(step)
    return this.slot(step.output, shape)
  }

  /** Adds `output` = `input` times `name.weight` transposed, + `name.bias`. */
  linear(input: SlotName, output: SlotName, name: string, width: number, bias = true): SlotName {
    const shape = this.shapeOf(input)
    const weight = this.weight(`${name}.weight`, [width, sizeAt(shape, 1)])
    const biasName = bias ? this.weight(`${name}.bias`, [width]) : null
    return this.step({ op: 'linear', input, output, weight, bias: biasName }, [sizeAt(shape, 0), width])
  }

  /**
   * Adds two linear layers with an activation between, by the numbers that the three have in PyTorch's `Sequential`; `norm` stands behind the
   * activation where there is one.
   */
  feedForward(
    input: SlotName,
    name: string,
    { hidden, width, kind }: FeedForwardSizes,
    norm: NormWeights | null = null,
  ): SlotName {
    const inner = this.linear(input, `${name}.0`, `${name}.0`, hidden)
    let active = this.step({ op: 'activation', input: inner, output: `${name}.1`, kind }, this.shapeOf(inner))
    if (norm !== null) active = this.norm(active, `${name}.norm`, norm)
    return this.linear(active, `${name}.3`, `${name}.3`, width)
  }

  /** Adds a gated net (SwiGLU where the activation is SiLU) by the names of its three layers in timm and Birder; `norm` stands behind the gate where there is one. */
  gatedFeedForward(
    input: SlotName,
    name: string,
    { hidden, width, kind, bias = true }: FeedForwardSizes & { readonly bias?: boolean },
    norm: NormWeights | null = null,
  ): SlotName {
    const gate = this.linear(input, `${name}.fc1_g`, `${name}.fc1_g`, hidden, bias)
    const value = this.linear(input, `${name}.fc1_x`, `${name}.fc1_x`, hidden, bias)
    let gated = this.step({ op: 'gate', gate, value, output: `${name}.gated`, kind }, this.shapeOf(gate))
    if (norm !== null) gated = this.norm(gated, `${name}.norm`, norm)
    return this.linear(gated, name, `${name}.fc2`, width, bias)
  }

  /** Puts the rows of slots one below the other, however many each has: those that have fewer are filled up, since a step stacks as many of each. */
  stack(inputs: readonly SlotName[], output: SlotName): SlotName {
    const counts = inputs.map((input) => sizeAt(this.shapeOf(input), 0))
    const width = Math.max(...inputs.map((input) => sizeAt(this.shapeOf(input), 1)))
    const most = Math.max(...counts)
    const total = counts.reduce((sum, count) => sum + count, 0)
    if (counts.every((count) => count === most))
      return this.step({ op: 'stackRows', inputs, output }, [total, width])
    const filled = inputs.map((input, at) => {
      const count = counts[at] ?? 0
      if (count === most) return input
      const places = Array.from({ length: most }, (_, row) => (row < count ? row : -1))
      return this.gather(input, `${output}.filled.${at}`, places)
    })
    const all = `${output}.stacked`
    this.step({ op: 'stackRows', inputs: filled, output: all }, [most * inputs.length, width])
    const kept = counts.flatMap((count, at) => Array.from({ length: count }, (_, row) => at * most + row))
    return this.gather(all, output, kept)
  }

  /** Takes rows by their numbers; -1 stands for zeros. Gathers that take the same rows can name one index. */
  gather(input: SlotName, output: SlotName, rows: readonly number[], index = `${output}.index`): SlotName {
    this.constants.set(index, { shape: [rows.length, 1], values: Float32Array.from(rows) })
    return this.step({ op: 'gatherRows', input, output, index }, [
      rows.length,
      sizeAt(this.shapeOf(input), 1),
    ])
  }

  /** Takes the rows in [from, to). */
  slice(input: SlotName, output: SlotName, from: number, to: number): SlotName {
    const width = sizeAt(this.shapeOf(input), 1)
    return this.step({ op: 'sliceRows', input, output, from, to }, [to - from, width])
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
