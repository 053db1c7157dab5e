/** Tries what goes into an engine and comes out of it: outputs, batches, grids. */
import { expect } from 'vitest'
import type { Plan } from '../../../src/engine/plan.js'
import { createReferenceEngine } from '../../../src/engine/reference/reference-engine.js'
import { outputOf, planOf, pseudoRandom, relativeError, type StepPlan, tower, weights } from '../one-step.js'
import { type ContractCase, loaded, pixelsOf, type Subject } from './subject.js'

async function onReference(
  { plan }: StepPlan,
  outputs: readonly string[],
  pixels: Float32Array,
  batch: number,
) {
  using model = await createReferenceEngine().load(plan, weights)
  return await model.compile(plan, outputs).run(pixels, { batch })
}

async function outputsAskedFor({ engine, tolerance }: Subject): Promise<void> {
  const made = tower(3, 5, 64)
  const { plan } = made
  const pixels = pixelsOf(made, 3)
  const all = [...plan.slots.keys()]
  const expected = await onReference(made, all, pixels, 3)
  using model = await (await engine()).load(plan, weights)
  for (const outputs of [['y2'], ['y0', 'y2'], all]) {
    using program = model.compile(plan, outputs)
    const found = await program.run(pixels, { batch: 3 })
    expect([...found.keys()].sort()).toEqual([...outputs].sort())
    for (const [slot, values] of found) {
      expect(values).toHaveLength(3 * 5 * 64)
      expect(relativeError(values, outputOf(expected, slot)), slot).toBeLessThanOrEqual(tolerance)
    }
  }
}

async function oneOutputNamedTwice({ engine }: Subject): Promise<void> {
  const made = tower(2, 5, 64)
  using model = await (await engine()).load(made.plan, weights)
  using program = model.compile(made.plan, ['y1', 'y1'])
  const found = await program.run(pixelsOf(made, 1))
  expect([...found.keys()]).toEqual(['y1'])
  expect(outputOf(found, 'y1')).toHaveLength(5 * 64)
}

async function freshArrays({ engine }: Subject): Promise<void> {
  using subject = await loaded(await engine(), tower(2, 5, 64))
  const first = await subject.values()
  const kept = first.slice()
  const second = await subject.values()
  expect(second).toEqual(kept)
  second.fill(0)
  expect(first).toEqual(kept)
  expect(await subject.values()).toEqual(kept)
}

async function pixelsLeftAlone({ engine }: Subject): Promise<void> {
  using subject = await loaded(await engine(), tower(2, 5, 64))
  const before = subject.pixels.slice()
  await subject.values()
  expect(subject.pixels).toEqual(before)
}

async function batches({ engine }: Subject): Promise<void> {
  const made = tower(3, 7, 64)
  const [batch, size] = [5, 7 * 64]
  const pixels = pixelsOf(made, batch)
  using subject = await loaded(await engine(), made)
  const whole = outputOf(await subject.program.run(pixels, { batch }), made.output)
  // Small ones follow a large one and the other way round: memory is kept and grows.
  for (const [from, count] of [
    [0, 1],
    [1, 3],
    [0, 5],
    [4, 1],
  ] as const) {
    const part = pixels.subarray(from * size, (from + count) * size)
    const values = outputOf(await subject.program.run(part, { batch: count }), made.output)
    expect(values).toEqual(whole.slice(from * size, (from + count) * size))
  }
}

async function anotherGrid({ engine, tolerance }: Subject): Promise<void> {
  const [made, other] = [tower(2, 5, 64), tower(2, 11, 64)]
  using model = await (await engine()).load(made.plan, weights)
  const pixels = pixelsOf(other, 1)
  const expected = await onReference(other, [other.output], pixels, 1)
  using program = model.compile(other.plan, [other.output])
  const values = outputOf(await program.run(pixels), other.output)
  expect(relativeError(values, outputOf(expected, other.output))).toBeLessThanOrEqual(tolerance)
}

async function wrongPixels({ engine }: Subject): Promise<void> {
  using subject = await loaded(await engine(), tower(1, 5, 64))
  const { program, pixels } = subject
  for (const length of [0, pixels.length - 1, pixels.length + 1, 2 * pixels.length]) {
    await expect(program.run(new Float32Array(length))).rejects.toMatchObject({ code: 'wrong-size' })
  }
  for (const batch of [0, -1, 0.5, Number.NaN, 2]) {
    await expect(program.run(pixels, { batch })).rejects.toMatchObject({ code: 'wrong-size' })
  }
  expect(await subject.values()).toHaveLength(pixels.length)
}

async function accounts({ engine }: Subject): Promise<void> {
  const made = tower(4, 5, 64)
  using subject = await loaded(await engine(), made)
  // A byte a weight is the least that any precision keeps.
  expect(subject.model.byteLength).toBeGreaterThanOrEqual(4 * 64 * 64)
  expect(subject.program.activationBytes(1)).toBeGreaterThan(0)
  expect(subject.program.activationBytes(4)).toBeGreaterThan(subject.program.activationBytes(1))
}

/** These plans contradict themselves, or the weights that were loaded: what is at fault must be named. */
const MISTAKES: readonly {
  readonly plan: Plan
  readonly outputs: readonly string[]
  readonly named: RegExp
}[] = [
  { plan: tower(1, 5, 64).plan, outputs: ['nowhere'], named: /nowhere/ },
  {
    plan: linear([5, 64], [5, 64], { other: [64, 64] }, 'other'),
    outputs: ['y'],
    named: /other/,
  },
  { plan: linear([5, 64], [5, 64], { w0: [64, 63] }, 'w0'), outputs: ['y'], named: /w0/ },
  { plan: linear([5, 64], [5, 63], { w0: [64, 64] }, 'w0'), outputs: ['y'], named: /w0/ },
  { plan: linear([5, 64], [4, 64], { w0: [64, 64] }, 'w0'), outputs: ['y'], named: /rows/ },
]

function linear(
  input: readonly number[],
  output: readonly number[],
  shapes: Readonly<Record<string, readonly number[]>>,
  weight: string,
): Plan {
  return planOf(input, [{ op: 'linear', input: 'x', output: 'y', weight, bias: null }], { y: output }, shapes)
    .plan
}

/** Most engines see them at once, a GPU's where it looks for the weights: before anything is computed in any case. */
async function planMistakes({ engine }: Subject): Promise<void> {
  const made = tower(1, 5, 64)
  using model = await (await engine()).load(made.plan, weights)
  for (const { plan, outputs, named } of MISTAKES) {
    const run = async () => {
      using program = model.compile(plan, outputs)
      await program.run(pixelsOf(made, 1))
    }
    await expect(run()).rejects.toMatchObject({ code: 'unsupported', message: expect.stringMatching(named) })
  }
}

async function shortWeights({ engine }: Subject): Promise<void> {
  const { plan } = tower(1, 5, 64)
  for (const length of [0, 64 * 64 - 1, 64 * 64 + 1]) {
    const source = { read: async () => pseudoRandom(length, 1) }
    await expect((await engine()).load(plan, source)).rejects.toMatchObject({ code: 'wrong-size' })
  }
}

export const SHAPES: readonly ContractCase[] = [
  { name: 'exactly the outputs asked for come back, each right, fused or not', run: outputsAskedFor },
  { name: 'an output that is named twice comes back once', run: oneOutputNamedTwice },
  { name: 'every run gives fresh arrays', run: freshArrays },
  { name: 'a run leaves its pixels as they are', run: pixelsLeftAlone },
  { name: 'a batch gives the bits of its images, whatever ran before', run: batches },
  { name: 'a plan for another grid runs on the weights that are loaded', run: anotherGrid },
  { name: 'pixels of a wrong size and batches that are none are refused by name', run: wrongPixels },
  { name: 'weights and activations are told in bytes', run: accounts },
  {
    name: 'a plan that contradicts itself or the weights is refused, and what is at fault named',
    run: planMistakes,
  },
  { name: 'a weight of another length than its shape is refused by name', run: shortWeights },
]
