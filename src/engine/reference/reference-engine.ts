/**
 * Computes the slow truth: every step by its kernel, sums in float64, one activation after another. The other engines are checked against
 * it; it is chosen only when asked for, or where nothing faster can run.
 */
import type { Engine, EngineModel, WeightSource } from '../engine.js'
import { disposed } from '../engine-error.js'
import { plainArithmetic } from '../lowered/arithmetic.js'
import { checkStep } from '../lowered/check-step.js'
import { lowerStep } from '../lowered/lower-step.js'
import { sizesOf } from '../lowered/slot-sizes.js'
import { assertLength, assertLoaded } from '../lowered/weight-layout.js'
import { inputsOf, neededSteps } from '../needed-steps.js'
import { type ModelBody, OwnedModel, type ProgramBody } from '../owned-model.js'
import type { Plan, SlotName, Step, WeightName } from '../plan.js'
import { inputLength, inputPlace, slotLength } from '../plan-lookup.js'
import { signalOf } from '../signal-of.js'
import { runStep } from './run-step.js'

type Weights = ReadonlyMap<WeightName, Float32Array>

/**
 * Makes the engine that the others are checked against: plain TypeScript on the calling thread, sums in float64, hundreds of times slower. It throws
 * nothing.
 */
export function createReferenceEngine(): Engine {
  const life = new Life()
  return {
    name: 'reference',
    precision: 'float64',
    description: 'plain TypeScript, 1 thread',
    supports: () => true,
    load: async (plan, weights, options = {}) =>
      await life.guard(load(life, plan, weights, signalOf(options))),
    [Symbol.asyncDispose]: () => life.end(),
  }
}

/** Tells the models and programs of an engine whether it has been disposed of, and keeps what is under way on it. */
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
  const weights = new Map<WeightName, Float32Array>()
  life.assertAlive()
  for (const [name, shape] of plan.weights) {
    signal?.throwIfAborted()
    // A copy, because the source may hand out a view of something larger.
    const values = Float32Array.from(await source.read(name, shape))
    life.assertAlive()
    assertLength(name, shape, values)
    weights.set(name, values)
  }
  signal?.throwIfAborted()
  return new OwnedModel(new ReferenceModel(life, plan, weights), source)
}

class ReferenceModel implements ModelBody {
  readonly byteLength: number
  readonly #life: Life
  readonly #loaded: Plan
  #weights: Weights

  constructor(life: Life, loaded: Plan, weights: Weights) {
    this.#life = life
    this.#loaded = loaded
    this.#weights = weights
    this.byteLength = [...weights.values()].reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  compile(plan: Plan, outputs: readonly SlotName[]): ProgramBody {
    this.#life.assertAlive()
    const steps = neededSteps(plan, outputs)
    for (const step of steps) checkStep(step, plan)
    const [sizes, arithmetic] = [sizesOf(plan), plainArithmetic()]
    const ops = steps.flatMap((step) => lowerStep(step, plan, sizes, arithmetic))
    assertLoaded(ops, plan, this.#loaded.weights)
    return new ReferenceProgram(this.#life, plan, outputs, steps, this.#weights)
  }

  release(): void {
    this.#weights = new Map()
  }
}

/** Is how long steps go on, in milliseconds, before others have their turn. */
const TURN_MS = 5

class ReferenceProgram implements ProgramBody {
  readonly #inputLength: number
  readonly #life: Life
  readonly #plan: Plan
  readonly #outputs: readonly SlotName[]
  readonly #steps: readonly Step[]
  /** Holds the index of the last step that reads a slot: its memory can go afterwards. */
  readonly #lastUse = new Map<SlotName, number>()
  #weights: Weights

  constructor(
    life: Life,
    plan: Plan,
    outputs: readonly SlotName[],
    steps: readonly Step[],
    weights: Weights,
  ) {
    this.#life = life
    this.#plan = plan
    this.#outputs = outputs
    this.#steps = steps
    this.#weights = weights
    this.#inputLength = inputLength(plan)
    this.#steps.forEach((step, index) => {
      for (const slot of inputsOf(step)) this.#lastUse.set(slot, index)
    })
    for (const slot of outputs) this.#lastUse.delete(slot)
  }

  activationBytes(batch: number): number {
    const bytesOf = (slots: readonly SlotName[]) =>
      slots.reduce((sum, slot) => sum + 4 * slotLength(this.#plan, slot), 0)
    return bytesOf(this.#steps.map(({ output }) => output)) + batch * bytesOf(this.#outputs)
  }

  async run(
    pixels: Float32Array<ArrayBuffer>,
    batch: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly Float32Array[]> {
    return await this.#life.guard(this.#runBatch(pixels, batch, signal))
  }

  async #runBatch(
    pixels: Float32Array<ArrayBuffer>,
    batch: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly Float32Array[]> {
    this.#life.assertAlive()
    const results = this.#outputs.map((slot) => {
      const length = slotLength(this.#plan, slot)
      return { slot, length, values: new Float32Array(batch * length) }
    })
    for (let image = 0; image < batch; image++) {
      const own = pixels.subarray(image * this.#inputLength, (image + 1) * this.#inputLength)
      const slots = await this.#runOne(own, signal)
      for (const { slot, length, values } of results) {
        const found = slots.get(slot)
        if (found === undefined) throw new Error(`No step wrote ${slot}.`)
        values.set(found, image * length)
      }
    }
    return results.map(({ values }) => values)
  }

  async #runOne(
    given: Float32Array,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<SlotName, Float32Array>> {
    const slots = new Map<SlotName, Float32Array>()
    for (const { slot } of this.#plan.inputs) {
      const { inputAt } = inputPlace(this.#plan, slot)
      slots.set(slot, given.subarray(inputAt, inputAt + slotLength(this.#plan, slot)))
    }
    let since = Number.NEGATIVE_INFINITY
    for (const [index, step] of this.#steps.entries()) {
      // Steps may take seconds here: timers and signals have their turn in between. A turn takes a millisecond, which is longer than most small steps.
      if (performance.now() - since >= TURN_MS) {
        await new Promise<void>((resolve) => setTimeout(resolve, 0))
        since = performance.now()
      }
      signal?.throwIfAborted()
      this.#life.assertAlive()
      const out = new Float32Array(slotLength(this.#plan, step.output))
      runStep(step, { plan: this.#plan, weights: this.#weights, slots, out })
      slots.set(step.output, out)
      for (const slot of inputsOf(step)) if (this.#lastUse.get(slot) === index) slots.delete(slot)
    }
    return slots
  }

  release(): void {
    this.#weights = new Map()
  }
}
