/**
 * The slow truth: every step by its kernel, sums in float64, one activation after another. The other engines are checked against
 * it; it is chosen only when asked for, or where nothing faster can run.
 */

import { elementCount } from '../../tensor/shape.js'
import { assertBatch } from '../assert-batch.js'
import type { Engine, EngineModel, Program, WeightSource } from '../engine.js'
import { disposed } from '../engine-error.js'
import { inputsOf, neededSteps } from '../needed-steps.js'
import type { Plan, SlotName, Step } from '../plan.js'
import { runStep, type StepContext } from './run-step.js'

export function createReferenceEngine(): Engine {
  return {
    name: 'reference',
    precision: 'float64',
    description: 'plain TypeScript, 1 thread',
    supports: () => true,
    load,
  }
}

async function load(
  plan: Plan,
  source: WeightSource,
  options: { signal?: AbortSignal } = {},
): Promise<EngineModel> {
  const weights = new Map<string, Float32Array>()
  let byteLength = 0
  for (const [name, shape] of plan.weights) {
    options.signal?.throwIfAborted()
    // A copy, because the source may hand out a view of something larger.
    const values = Float32Array.from(await source.read(name, shape))
    weights.set(name, values)
    byteLength += values.byteLength
  }
  return new ReferenceModel(weights, byteLength)
}

class ReferenceModel implements EngineModel {
  readonly byteLength: number
  #weights: ReadonlyMap<string, Float32Array> | null

  constructor(weights: ReadonlyMap<string, Float32Array>, byteLength: number) {
    this.#weights = weights
    this.byteLength = byteLength
  }

  compile(plan: Plan, outputs: readonly SlotName[]): Program {
    if (this.#weights === null) throw disposed('model')
    return new ReferenceProgram(plan, outputs, this.#weights)
  }

  [Symbol.dispose](): void {
    this.#weights = null
  }
}

class ReferenceProgram implements Program {
  readonly #plan: Plan
  readonly #outputs: readonly SlotName[]
  readonly #steps: readonly Step[]
  /** The index of the last step that reads a slot: its memory can go afterwards. */
  readonly #lastUse = new Map<SlotName, number>()
  #weights: ReadonlyMap<string, Float32Array> | null

  constructor(plan: Plan, outputs: readonly SlotName[], weights: ReadonlyMap<string, Float32Array>) {
    this.#plan = plan
    this.#outputs = outputs
    this.#weights = weights
    this.#steps = neededSteps(plan, outputs)
    this.#steps.forEach((step, index) => {
      for (const slot of inputsOf(step)) this.#lastUse.set(slot, index)
    })
    for (const slot of outputs) this.#lastUse.delete(slot)
  }

  activationBytes(batch: number): number {
    let bytes = 0
    for (const step of this.#steps) bytes += 4 * elementCount(this.#plan.slots.get(step.output) ?? [])
    return (
      bytes +
      4 * batch * this.#outputs.reduce((sum, slot) => sum + elementCount(this.#plan.slots.get(slot) ?? []), 0)
    )
  }

  async run(
    pixels: Float32Array,
    options: { batch?: number; signal?: AbortSignal } = {},
  ): Promise<ReadonlyMap<SlotName, Float32Array>> {
    const batch = options.batch ?? 1
    const size = elementCount(this.#plan.slots.get(this.#plan.input) ?? [])
    assertBatch(pixels, batch, size)
    // Taken once: disposing lets a run that is under way finish.
    const weights = this.#weights
    if (weights === null) throw disposed('model')
    const results = new Map<SlotName, Float32Array>()
    for (const slot of this.#outputs) {
      results.set(slot, new Float32Array(batch * elementCount(this.#plan.slots.get(slot) ?? [])))
    }
    for (let image = 0; image < batch; image++) {
      const slots = await this.#runOne(
        pixels.subarray(image * size, (image + 1) * size),
        weights,
        options.signal,
      )
      for (const [slot, result] of results) {
        const values = slots.get(slot)
        if (values !== undefined) result.set(values, image * values.length)
      }
    }
    return results
  }

  async #runOne(
    pixels: Float32Array,
    weights: ReadonlyMap<string, Float32Array>,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<SlotName, Float32Array>> {
    const slots = new Map<SlotName, Float32Array>([[this.#plan.input, pixels]])
    for (const [index, step] of this.#steps.entries()) {
      // Steps may take seconds here: give timers and signals their turn in between.
      await new Promise<void>((resolve) => setTimeout(resolve, 0))
      signal?.throwIfAborted()
      const out = new Float32Array(elementCount(this.#plan.slots.get(step.output) ?? []))
      const context: StepContext = { plan: this.#plan, weights, slots, out }
      runStep(step, context)
      slots.set(step.output, out)
      for (const slot of inputsOf(step)) if (this.#lastUse.get(slot) === index) slots.delete(slot)
    }
    return slots
  }

  [Symbol.dispose](): void {
    this.#weights = null
  }
}
