/** What does not fit into memory is an error by name, and the engine goes on. */
import { expect } from 'vitest'
import { planOf, pseudoRandom, tower, weights } from '../one-step.js'
import { type ContractCase, loaded, type Subject } from './subject.js'

const refused = { code: 'out-of-memory' }

async function weightsBeyondMemory({ engine }: Subject): Promise<void> {
  const [columns, depth] = [2 ** 24, 2 ** 20]
  const { plan } = planOf(
    [1, depth],
    [{ op: 'linear', input: 'x', output: 'y', weight: 'vast', bias: null }],
    { y: [1, columns] },
    { vast: [columns, depth] },
  )
  let reads = 0
  const source = {
    read: async () => {
      reads++
      return new Float32Array()
    },
  }
  const shared = await engine()
  await expect(shared.load(plan, source)).rejects.toMatchObject(refused)
  expect(reads).toBe(0)
  using small = await loaded(shared, tower(1, 5, 64))
  expect(await small.values()).toHaveLength(5 * 64)
}

/** Rows and columns are few enough to be given; their products, between two steps, no memory holds. */
async function activationsBeyondMemory({ engine }: Subject): Promise<void> {
  const [rows, columns] = [2 ** 21, 2 ** 21]
  const { plan, output } = planOf(
    [rows, 1],
    [
      { op: 'linear', input: 'x', output: 'vast', weight: 'tall', bias: null },
      { op: 'meanRows', input: 'vast', output: 'y' },
    ],
    { vast: [rows, columns], y: [1, columns] },
    { tall: [columns, 1] },
  )
  const shared = await engine()
  using model = await shared.load(plan, weights)
  const run = async () => {
    using program = model.compile(plan, [output])
    return await program.run(pseudoRandom(rows, 1))
  }
  await expect(run()).rejects.toMatchObject(refused)
  using small = await loaded(shared, tower(1, 5, 64))
  expect(await small.values()).toHaveLength(5 * 64)
}

export const MEMORY: readonly ContractCase[] = [
  {
    name: 'weights that no memory holds are refused by name before one is read, and the engine goes on',
    run: weightsBeyondMemory,
  },
  {
    name: 'activations that no memory holds are refused by name, and the engine goes on',
    run: activationsBeyondMemory,
  },
]
