/** Whoever makes an engine disposes of it: what it holds is then given back, and whatever is asked of it says so. */
import { expect } from 'vitest'
import type { Engine } from '../../../src/engine/engine.js'
import { tower, weights } from '../one-step.js'
import { attempt, type ContractCase, loaded, nextTurn, type Subject } from './subject.js'

const disposed = { code: 'disposed' }

/** Knows that an engine can be disposed of until its interface says so. */
function end(engine: Engine): Promise<void> {
  return Promise.resolve((engine as Engine & AsyncDisposable)[Symbol.asyncDispose]())
}

async function afterwards({ fresh }: Subject): Promise<void> {
  const made = tower(2, 5, 64)
  const engine = await fresh()
  const { model, program, pixels } = await loaded(engine, made)
  await program.run(pixels)
  await Promise.all([end(engine), end(engine)])
  await end(engine)
  await expect(engine.load(made.plan, weights)).rejects.toMatchObject(disposed)
  await expect(program.run(pixels)).rejects.toMatchObject(disposed)
  const compiled = async () => await model.compile(made.plan, [made.output]).run(pixels)
  await expect(attempt(compiled)).rejects.toMatchObject(disposed)
  program[Symbol.dispose]()
  model[Symbol.dispose]()
}

async function duringRun({ fresh, long }: Subject): Promise<void> {
  const engine = await fresh()
  const subject = await loaded(engine, long)
  let outcome = 'under way'
  const run = subject.values().then(
    () => {
      outcome = 'finished'
    },
    ({ code }) => {
      outcome = code
    },
  )
  await nextTurn()
  await end(engine)
  await Promise.race([run, nextTurn()])
  expect(['finished', 'disposed']).toContain(outcome)
}

async function duringLoad({ fresh }: Subject): Promise<void> {
  const { plan } = tower(4, 5, 64)
  const engine = await fresh()
  let ended: Promise<void> | undefined
  const source = {
    read: async (name: string, shape: readonly number[]) => {
      ended ??= end(engine)
      return weights.read(name, shape)
    },
  }
  await expect(engine.load(plan, source)).rejects.toMatchObject(disposed)
  await ended
}

async function another({ fresh }: Subject): Promise<void> {
  const made = tower(2, 5, 64)
  const [first, second] = [await fresh(), await fresh()]
  using kept = await loaded(second, made)
  const expected = await kept.values()
  await end(first)
  expect(await kept.values()).toEqual(expected)
  await end(second)
}

async function unused({ fresh }: Subject): Promise<void> {
  const engine = await fresh()
  await end(engine)
  await expect(engine.load(tower(1, 5, 64).plan, weights)).rejects.toMatchObject(disposed)
}

export const OWNERSHIP: readonly ContractCase[] = [
  {
    name: 'whatever is asked of an engine that is disposed of, twice even, fails with disposed',
    run: afterwards,
  },
  { name: 'a run under way has settled when the disposal of its engine resolves', run: duringRun },
  { name: 'a load under way fails with disposed when its engine is disposed of', run: duringLoad },
  { name: 'disposing of an engine leaves another one of its kind', run: another },
  { name: 'an engine that was never used can be disposed of', run: unused },
]
