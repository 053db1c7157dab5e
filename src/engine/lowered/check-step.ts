/**
 * Whether a step's slots and weights fit each other. The kernels trust sizes: a plan that contradicts itself must fail here, by name,
 * and not by reading past the end of something.
 */

import { elementCount, type Shape } from '../../tensor/shape.js'
import { EngineError } from '../engine-error.js'
import type { NormWeights, Plan, SlotName, Step, WeightName } from '../plan.js'

/** Throws `unsupported` naming the step and what does not fit. */
export function checkStep(step: Step, plan: Plan): void {
  const check = new StepCheck(step, plan)
  switch (step.op) {
    case 'patchify':
      check.patchify(step)
      return
    case 'linear': {
      const [[rows, depth], [outRows, columns]] = [check.slot(step.input), check.slot(step.output)]
      check.same('rows', rows, outRows)
      check.weight(step.weight, [columns, depth])
      check.vector(step.bias, columns)
      return
    }
    case 'assembleTokens': {
      const [[rows, width], [outRows, outWidth]] = [check.slot(step.input), check.slot(step.output)]
      check.same('width', width, outWidth)
      const registers = step.registers === null ? 0 : check.rowsOf(step.registers, width)
      const head = step.classToken === null ? 0 : check.rowsOf(step.classToken, width)
      check.same('rows of the class token', head, step.classToken === null ? 0 : 1)
      check.same('rows', rows + registers + head, outRows)
      if (step.positions === null) return
      check.same('positions', plan.constants.get(step.positions)?.length ?? 0, rows * width)
      return
    }
    case 'norm':
      check.sameSize(step.input, step.output)
      check.norm(step, check.slot(step.output)[1])
      return
    case 'attention': {
      const [[rows, three], [outRows, width]] = [check.slot(step.input), check.slot(step.output)]
      check.same('rows', rows, outRows)
      check.same('width of q, k and v', three, 3 * width)
      check.divides('heads', step.heads, width)
      check.norm(step.queryNorm, width / step.heads)
      check.norm(step.keyNorm, width / step.heads)
      return
    }
    case 'activation':
      check.sameSize(step.input, step.output)
      return
    case 'gate':
      check.sameSize(step.gate, step.output)
      check.sameSize(step.value, step.output)
      return
    case 'scale':
      check.sameSize(step.input, step.output)
      check.vector(step.gamma, check.slot(step.output)[1])
      return
    case 'add':
      check.sameSize(step.input, step.output)
      check.sameSize(step.branch, step.output)
      return
    case 'sliceRows': {
      const [[rows, width], [outRows, outWidth]] = [check.slot(step.input), check.slot(step.output)]
      check.same('width', width, outWidth)
      check.same('rows', step.to - step.from, outRows)
      check.that(step.from >= 0 && step.to <= rows, `rows ${step.from} to ${step.to} of ${rows}`)
      return
    }
    case 'meanRows':
      check.same('rows', check.slot(step.output)[0], 1)
      check.same('width', check.slot(step.input)[1], check.slot(step.output)[1])
      return
    case 'broadcast':
      check.weight(step.weight, check.slot(step.output))
      return
    case 'crossAttention': {
      const [[, width], [keys, two]] = [check.slot(step.query), check.slot(step.keyValue)]
      check.sameSize(step.query, step.output)
      check.same('width of k and v', two, 2 * width)
      check.that(keys > 0, 'no keys')
      check.divides('heads', step.heads, width)
      return
    }
    case 'probeAttention': {
      const [rows, width] = check.slot(step.output)
      check.same('rows', rows, 1)
      check.sameSize(step.keys, step.values)
      check.same('width', check.slot(step.keys)[1], width)
      check.divides('heads', step.heads, width)
      check.divides('latents', check.rowsOf(step.latents, width), width)
      return
    }
    case 'softMoe': {
      const [, width] = check.slot(step.output)
      check.sameSize(step.input, step.output)
      check.norm(step.tokenNorm, width)
      check.divides('experts', step.experts.length, check.rowsOf(step.slots, width))
      const hidden = plan.weights.get(step.experts[0]?.bias1 ?? '')?.[0] ?? 0
      for (const expert of step.experts) {
        check.weight(expert.weight1, [hidden, width])
        check.vector(expert.bias1, hidden)
        check.weight(expert.weight2, [width, hidden])
        check.vector(expert.bias2, width)
      }
      return
    }
    default:
      step satisfies never
  }
}

class StepCheck {
  readonly #step: Step
  readonly #plan: Plan

  constructor(step: Step, plan: Plan) {
    this.#step = step
    this.#plan = plan
  }

  that(holds: boolean, what: string): void {
    if (holds) return
    throw new EngineError(
      'unsupported',
      `The plan contradicts itself at ${this.#step.output} (${this.#step.op}): ${what}.`,
    )
  }

  same(what: string, found: number, expected: number): void {
    this.that(found === expected, `${what}: ${found}, expected ${expected}`)
  }

  divides(what: string, count: number, width: number): void {
    this.that(count > 0 && width % count === 0, `${count} ${what} do not divide ${width}`)
  }

  slot(name: SlotName): readonly [rows: number, width: number] {
    const shape = this.#plan.slots.get(name) ?? []
    const [rows, width] = shape
    this.that(shape.length === 2, `slot ${name} should be [rows, width], it is [${shape.join(', ')}]`)
    this.that(
      [rows, width].every((size) => Number.isInteger(size) && size > 0),
      `slot ${name} is empty`,
    )
    return [rows, width]
  }

  sameSize(a: SlotName, b: SlotName): void {
    const [[rows, width], [otherRows, otherWidth]] = [this.slot(a), this.slot(b)]
    this.that(
      rows === otherRows && width === otherWidth,
      `${a} is [${rows}, ${width}], ${b} is [${otherRows}, ${otherWidth}]`,
    )
  }

  weight(name: WeightName, shape: Shape): void {
    const found = this.#plan.weights.get(name) ?? []
    this.that(
      found.length === shape.length && found.every((size, axis) => size === shape[axis]),
      `weight ${name} is [${found.join(', ')}], expected [${shape.join(', ')}]`,
    )
  }

  vector(name: WeightName | null, width: number): void {
    if (name !== null) this.weight(name, [width])
  }

  rowsOf(name: WeightName, width: number): number {
    const rows = elementCount(this.#plan.weights.get(name) ?? [0]) / width
    this.that(Number.isInteger(rows) && rows > 0, `weight ${name} is no table of rows of ${width}`)
    return rows
  }

  norm(norm: NormWeights | null, width: number): void {
    if (norm === null) return
    this.vector(norm.weight, width)
    this.vector(norm.bias, width)
  }

  patchify(step: Extract<Step, { op: 'patchify' }>): void {
    const { channels, height, width, patch } = step
    const [rows, columns] = this.slot(step.output)
    this.same('rows', rows, Math.floor(height / patch) * Math.floor(width / patch))
    this.same('width', columns, channels * patch * patch)
    const pixels = elementCount(this.#plan.slots.get(step.input) ?? [])
    this.same('values of the input', pixels, channels * height * width)
    if (step.layout === 'rows') this.same('channels', this.slot(step.input)[1], channels)
    else this.that(step.input === this.#plan.input, 'planes are cut from the input only')
  }
}
