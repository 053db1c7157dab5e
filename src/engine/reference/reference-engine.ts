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
  const life = new Life()
  return {
    name: 'reference',
    precision: 'float64',
    description: 'plain TypeScript, 1 thread',
    supports: () => true,
    load: (plan, weights, { signal } = {}) => life.guard(load(life, plan, weights, signal)),
    [Symbol.asyncDispose]: () => life.end(),
  }
}

/** What the models and programs of an engine know of it: whether it has been disposed of, and what is under way on it. */
class Life {
  readonly #underWay = new Set<Promise<unknown>>()
  #ended = false

  /** Throws `disposed` after the end. */
  assertAlive(): void {
    if (this.#ended) throw disposed('engine')
  }

  async guard<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }

  /** Resolves when what was under way has seen it. */
  async end(): Promise<void> {
    this.#ended = true
    await Promise.allSettled(this.#underWay)
  }
}

async function load(
  life: Life,
  plan: Plan,
  source: WeightSource,
  signal: AbortSignal | undefined,
): Promise<EngineModel> {
  const weights = new Map<string, Float32Array>()
  let byteLength = 0
  life.assertAlive()
  for (const [name, shape] of plan.weights) {
    signal?.throwIfAborted()
    // A copy, because the source may hand out a view of something larger.
    const values = Float32Array.from(await source.read(name, shape))
    weights.set(name, values)
    byteLength += values.byteLength
    life.assertAlive()
  }
  return new ReferenceModel(life, weights, byteLength)
}

class ReferenceModel implements EngineModel {
  readonly byteLength: number
  readonly #life: Life
  #weights: ReadonlyMap<string, Float32Array> | null

  constructor(life: Life, weights: ReadonlyMap<string, Float32Array>, byteLength: number) {
    this.#life = life
    this.#weights = weights
    this.byteLength = byteLength
  }

  compile(plan: Plan, outputs: readonly SlotName[]): Program {
    this.#life.assertAlive()
    if (this.#weights === null) throw disposed('model')
    return new ReferenceProgram(this.#life, plan, outputs, this.#weights)
  }

  [Symbol.dispose](): void {
    this.#weights = null
  }
}

class ReferenceProgram implements Program {
  readonly #life: Life
  readonly #plan: Plan
  readonly #outputs: readonly SlotName[]
  readonly #steps: readonly Step[]
  /** The index of the last step that reads a slot: its memory can go afterwards. */
  readonly #lastUse = new Map<SlotName, number>()
  #weights: ReadonlyMap<string, Float32Array> | null

  constructor(
    life: Life,
    plan: Plan,
    outputs: readonly SlotName[],
    weights: ReadonlyMap<string, Float32Array>,
  ) {
    this.#life = life
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

  run(
    pixels: Float32Array,
    options: { batch?: number; signal?: AbortSignal } = {},
  ): Promise<ReadonlyMap<SlotName, Float32Array>> {
    return this.#life.guard(this.#runBatch(pixels, options))
  }

  async #runBatch(
    pixels: Float32Array,
    options: { batch?: number; signal?: AbortSignal },
  ): Promise<ReadonlyMap<SlotName, Float32Array>> {
    this.#life.assertAlive()
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
      this.#life.assertAlive()
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
