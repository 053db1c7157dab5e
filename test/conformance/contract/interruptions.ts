/** Ends work before it is done: by signals, and by sources that fail. */
import { expect } from 'vitest'
import type { WeightSource } from '../../../src/engine/engine.js'
import { cpuSeconds } from '../../support/cpu-time.js'
import { tower, weights } from '../one-step.js'
import { type ContractCase, loaded, nextTurn, pixelsOf, type Subject } from './subject.js'

async function abortedAlready({ engine }: Subject): Promise<void> {
  const made = tower(1, 5, 64)
  const reason = new Error('no')
  const signal = AbortSignal.abort(reason)
  let reads = 0
  const source: WeightSource = {
    read: (name, shape) => {
      reads++
      return weights.read(name, shape)
    },
  }
  await expect((await engine()).load(made.plan, source, { signal })).rejects.toBe(reason)
  expect(reads).toBe(0)
  using subject = await loaded(await engine(), made)
  await expect(subject.program.run(subject.pixels, { signal })).rejects.toBe(reason)
  expect(await subject.values()).toHaveLength(5 * 64)
}

/** A signal under a mistyped name would abort nothing. */
async function mistypedSignal({ engine }: Subject): Promise<void> {
  const made = tower(1, 5, 64)
  const mistyped = { signl: AbortSignal.abort() } as object
  const refused = {
    name: 'RangeError',
    message: expect.stringMatching(/no option signl\. Did you mean signal/),
  }
  await expect((await engine()).load(made.plan, weights, mistyped)).rejects.toMatchObject(refused)
  using subject = await loaded(await engine(), made)
  await expect(subject.program.run(subject.pixels, mistyped)).rejects.toMatchObject(refused)
}

async function loadGivenUp({ engine }: Subject): Promise<void> {
  const { plan } = tower(4, 5, 64)
  const reason = new Error('stop')
  const controller = new AbortController()
  const read: string[] = []
  const source: WeightSource = {
    read: async (name, shape) => {
      read.push(name)
      if (read.length === 2) controller.abort(reason)
      return weights.read(name, shape)
    },
  }
  await expect((await engine()).load(plan, source, { signal: controller.signal })).rejects.toBe(reason)
  expect(read.length).toBeLessThan(4)
}

async function failingSource({ engine }: Subject): Promise<void> {
  const made = tower(2, 5, 64)
  const gone = new Error('disk gone')
  const source: WeightSource = {
    read: (name, shape) => (name === 'w1' ? Promise.reject(gone) : weights.read(name, shape)),
  }
  await expect((await engine()).load(made.plan, source)).rejects.toBe(gone)
  using subject = await loaded(await engine(), made)
  expect(await subject.values()).toHaveLength(5 * 64)
}

/** Batches grow until a run is caught: some machines are faster than a timer, and a GPU finishes what it was handed already. */
async function runGivenUp({ engine, long }: Subject): Promise<void> {
  using subject = await loaded(await engine(), long)
  const expected = await subject.values()
  const reason = new Error('enough')
  const caught = async (batch: number) => {
    const controller = new AbortController()
    const run = subject.program.run(pixelsOf(long, batch), { batch, signal: controller.signal })
    const outcome = run.then(
      () => 'finished',
      (error: unknown) => error,
    )
    await nextTurn()
    controller.abort(reason)
    const found = await outcome
    if (found !== 'finished') expect(found).toBe(reason)
    return found === reason
  }
  for (let batch = 1; !(await caught(batch)); batch *= 4) expect(batch).toBeLessThan(1000)
  expect(await subject.values()).toEqual(expected)
}

/**
 * What was left undone is told by processor time, up to the end of another run: it begins only when the one that was given up has really ended. Batches
 * grow until one is long enough to tell.
 */
async function workLeftUndone({ engine, long }: Subject): Promise<void> {
  using subject = await loaded(await engine(), long)
  const { program } = subject
  await subject.values()
  const isLeft = async (batch: number) => {
    const pixels = pixelsOf(long, batch)
    const start = process.cpuUsage()
    await program.run(pixels, { batch })
    const whole = cpuSeconds(start)
    const controller = new AbortController()
    const from = process.cpuUsage()
    const run = program.run(pixels, { batch, signal: controller.signal })
    const outcome = run.then(
      () => 'finished',
      () => 'given up',
    )
    await nextTurn()
    controller.abort()
    const found = await outcome
    await subject.values()
    return found === 'given up' && cpuSeconds(from) < whole / 2
  }
  for (let batch = 8; !(await isLeft(batch)); batch *= 2) expect(batch).toBeLessThan(1000)
}

async function oneOfTwoGivenUp({ engine, long }: Subject): Promise<void> {
  using subject = await loaded(await engine(), long)
  const expected = await subject.values()
  const controller = new AbortController()
  // So many images are not done before the signal comes, whatever else this machine does.
  const batch = 64
  const given = subject.program.run(pixelsOf(long, batch), { batch, signal: controller.signal })
  const kept = subject.values()
  const settled = expect(given).rejects.toThrow('enough')
  controller.abort(new Error('enough'))
  await settled
  expect(await kept).toEqual(expected)
}

async function abortedAfterwards({ engine }: Subject): Promise<void> {
  using subject = await loaded(await engine(), tower(1, 5, 64))
  const controller = new AbortController()
  const { program, pixels } = subject
  const run = await program.run(pixels, { signal: controller.signal })
  controller.abort()
  expect([...run.values()]).toEqual([await subject.values()])
}

export const INTERRUPTIONS: readonly ContractCase[] = [
  { name: 'a signal that is aborted already starts nothing and reads nothing', run: abortedAlready },
  { name: 'a signal under a mistyped name is refused, on loading and on running', run: mistypedSignal },
  { name: 'loading is given up between weights, with the reason of the signal', run: loadGivenUp },
  { name: 'the error of a source that fails is passed on, and the engine goes on', run: failingSource },
  {
    name: 'a run under way is given up with the reason of its signal, and the next one is right',
    run: runGivenUp,
  },
  { name: 'a run that is given up leaves most of its work undone', run: workLeftUndone },
  { name: 'giving up one of two runs leaves the other one right', run: oneOfTwoGivenUp },
  { name: 'a signal that is aborted after the run changes nothing', run: abortedAfterwards },
]
