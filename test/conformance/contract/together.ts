/** Several things at once on one engine do not touch each other, and numbers that are none stay in their row. */
import { expect } from 'vitest'
import type { Step } from '../../../src/engine/plan.js'
import { outputOf, planOf, pseudoRandom, tower, weights } from '../one-step.js'
import { type ContractCase, loaded, type Subject } from './subject.js'

async function twoRuns({ engine }: Subject): Promise<void> {
  const made = tower(3, 7, 64)
  using subject = await loaded(await engine(), made)
  const { program, pixels, output } = subject
  const other = pseudoRandom(2 * pixels.length, 3)
  const run = async (given: Float32Array, batch: number) =>
    outputOf(await program.run(given, { batch }), output)
  const alone = [await run(pixels, 1), await run(other, 2)]
  const together = await Promise.all([run(pixels, 1), run(other, 2), run(pixels, 1), run(other, 2)])
  expect(together).toEqual([...alone, ...alone])
}

async function twoPrograms({ engine }: Subject): Promise<void> {
  const [made, other] = [tower(3, 7, 64), tower(2, 9, 64)]
  using first = await loaded(await engine(), made)
  using second = first.model.compile(other.plan, [other.output])
  const pixels = pseudoRandom(9 * 64, 5)
  const run = async () => outputOf(await second.run(pixels), other.output)
  const alone = [await first.values(), await run()]
  expect(await Promise.all([first.values(), run(), first.values(), run()])).toEqual([...alone, ...alone])
}

async function twoNetworks({ engine }: Subject): Promise<void> {
  const shared = await engine()
  const towers = [tower(3, 7, 64), tower(2, 20, 96), tower(4, 3, 32)]
  const all = await Promise.all(towers.map((made) => loaded(shared, made)))
  const alone = []
  for (const one of all) alone.push(await one.values())
  expect(await Promise.all(all.map((one) => one.values()))).toEqual(alone)
  // The first one goes while the others run.
  const rest = Promise.all(all.slice(1).map((one) => one.values()))
  all[0]?.[Symbol.dispose]()
  expect(await rest).toEqual(alone.slice(1))
  for (const one of all) one[Symbol.dispose]()
}

async function loadDuringRun({ engine, long }: Subject): Promise<void> {
  const shared = await engine()
  using busy = await loaded(shared, long)
  const expected = await busy.values()
  const running = busy.values()
  using other = await loaded(shared, tower(2, 5, 64))
  const values = await other.values()
  expect(await running).toEqual(expected)
  expect(await other.values()).toEqual(values)
}

async function pixelsOverwritten({ engine, long }: Subject): Promise<void> {
  using subject = await loaded(await engine(), long)
  const { program, pixels, output } = subject
  const expected = await subject.values()
  const running = program.run(pixels)
  pixels.fill(Number.NaN)
  expect(outputOf(await running, output)).toEqual(expected)
  const again = program.run(new Float32Array(pixels.length))
  const given = pixels.fill(0)
  const zeros = outputOf(await again, output)
  const transferred = program.run(given)
  structuredClone(given.buffer, { transfer: [given.buffer] })
  expect(outputOf(await transferred, output)).toEqual(zeros)
}

/** Has one of each kind of step that mixes values of a row or rows. */
const NAN_STEPS: readonly Step[] = [
  {
    op: 'attention',
    input: 'x',
    output: 'mixed',
    heads: 2,
    scale: 0.3,
    queryNorm: null,
    keyNorm: null,
    rotary: null,
    bias: null,
    mask: null,
    groups: 1,
  },
  {
    op: 'norm',
    kind: 'layerNorm',
    weight: 'norm',
    bias: null,
    epsilon: 1e-6,
    input: 'mixed',
    output: 'normed',
  },
  { op: 'linear', input: 'normed', output: 'hidden', weight: 'w', bias: null },
  { op: 'activation', input: 'hidden', output: 'y', kind: 'gelu' },
]

async function notANumber({ engine }: Subject): Promise<void> {
  const [rows, width, columns] = [9, 64, 33]
  const made = planOf(
    [rows, 3 * width],
    NAN_STEPS,
    { mixed: [rows, width], normed: [rows, width], hidden: [rows, columns], y: [rows, columns] },
    { norm: [width], w: [columns, width] },
  )
  using model = await (await engine()).load(made.plan, weights)
  using program = model.compile(made.plan, [made.output])
  const run = async () => outputOf(await program.run(pixels, { batch: 2 }), made.output)
  const pixels = pseudoRandom(2 * rows * 3 * width, 1)
  pixels[5] = Number.NaN // a query of image 0: its own row only
  const values = await run()
  expect(values.subarray(0, columns).every(Number.isNaN)).toBe(true)
  expect(values.subarray(columns).some(Number.isNaN)).toBe(false)
  pixels[4 * 3 * width + 2 * width] = Number.NaN // a value of image 0: all its rows
  const worse = await run()
  expect(worse.subarray(0, rows * columns).every(Number.isNaN)).toBe(true)
  expect(worse.subarray(rows * columns).some(Number.isNaN)).toBe(false)
}

export const TOGETHER: readonly ContractCase[] = [
  { name: 'several runs of one program at once give what each gives alone', run: twoRuns },
  { name: 'two programs of one model at once give what each gives alone', run: twoPrograms },
  { name: 'several networks on one engine at once give what each gives alone', run: twoNetworks },
  { name: 'a model can be loaded while another one runs', run: loadDuringRun },
  { name: 'pixels may be overwritten or transferred while a run is under way', run: pixelsOverwritten },
  { name: 'what is not a number goes through, and stays in its row or its image', run: notANumber },
]
