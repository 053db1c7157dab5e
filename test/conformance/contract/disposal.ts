/** What is disposed of says so, gives back once, and lets what is under way finish. */
import { expect } from 'vitest'
import { tower, weights } from '../one-step.js'
import { attempt, type ContractCase, loaded, type Subject } from './subject.js'

const disposed = { code: 'disposed' }

async function program({ engine }: Subject): Promise<void> {
  using subject = await loaded(await engine(), tower(1, 5, 64))
  const { model, output, pixels } = subject
  subject.program[Symbol.dispose]()
  subject.program[Symbol.dispose]()
  await expect(subject.program.run(pixels)).rejects.toMatchObject(disposed)
  await expect(attempt(() => subject.program.activationBytes(1))).rejects.toMatchObject(disposed)
  using another = model.compile(tower(1, 5, 64).plan, [output])
  expect((await another.run(pixels)).get(output)).toHaveLength(5 * 64)
}

async function model({ engine }: Subject): Promise<void> {
  const made = tower(1, 5, 64)
  const { model, program, pixels } = await loaded(await engine(), made)
  model[Symbol.dispose]()
  model[Symbol.dispose]()
  await expect(attempt(() => model.compile(made.plan, [made.output]))).rejects.toMatchObject(disposed)
  await expect(program.run(pixels)).rejects.toMatchObject(disposed)
  program[Symbol.dispose]()
}

async function underWay({ engine, long }: Subject): Promise<void> {
  const shared = await engine()
  const subject = await loaded(shared, long)
  const expected = await subject.values()
  const runs = [subject.values(), subject.values()]
  subject.program[Symbol.dispose]()
  subject.model[Symbol.dispose]()
  // What is loaded next may take the memory over.
  using next = await loaded(shared, long)
  expect(await Promise.all(runs)).toEqual([expected, expected])
  await expect(subject.program.run(subject.pixels)).rejects.toMatchObject(disposed)
  expect(await next.values()).toEqual(expected)
}

async function oneOfTwoModels({ engine }: Subject): Promise<void> {
  const made = tower(2, 5, 64)
  const shared = await engine()
  const gone = await shared.load(made.plan, weights)
  using kept = await loaded(shared, made)
  const expected = await kept.values()
  gone[Symbol.dispose]()
  expect(await kept.values()).toEqual(expected)
}

export const DISPOSAL: readonly ContractCase[] = [
  { name: 'a program that is disposed of, twice even, says so, and its model goes on', run: program },
  { name: 'a model that is disposed of, twice even, says so, and so do its programs', run: model },
  { name: 'runs under way finish when their program and model are disposed of', run: underWay },
  { name: 'disposing of one of two models of the same weights leaves the other', run: oneOfTwoModels },
]
