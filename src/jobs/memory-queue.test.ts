import { expect, test } from 'vitest'
import { MemoryQueues } from './memory-queue.js'

const TASK = { round: 0, part: 7, pass: 1 }

test('what a killed worker had comes back once its lock has expired on the clock that was handed in', async () => {
  let now = 0
  const queues = new MemoryQueues({ now: () => now, lockMs: 2000, waitMs: 0 })
  const dying = queues.open('job')
  const living = queues.open('job')
  await dying.add([TASK])
  const first = await dying.take()
  expect(first).toMatchObject({ task: TASK, deaths: 0 })
  dying.kill()
  now = 1999
  expect(await living.take()).toBe(null)
  expect(first?.lost.aborted).toBe(false)
  now = 2000
  expect(await living.take()).toMatchObject({ task: TASK, deaths: 1 })
  expect(first?.lost.aborted).toBe(true)
  await first?.done()
  expect(await living.counts()).toEqual({ waiting: 0, active: 1 })
})

test('a delay passes on the clock that was handed in', async () => {
  let now = 0
  await using queue = new MemoryQueues({ now: () => now, waitMs: 0 }).open('job')
  await queue.add([TASK])
  await (await queue.take())?.giveBack({ delayMs: 500 })
  expect(await queue.take()).toBe(null)
  now = 500
  expect(await queue.take()).toMatchObject({ task: TASK, deaths: 0 })
})

test('a worker that closes its queue gives back what it had, and is refused from then on', async () => {
  const queues = new MemoryQueues({ waitMs: 0 })
  const closing = queues.open('job')
  await closing.add([TASK])
  const claim = await closing.take()
  await closing[Symbol.asyncDispose]()
  expect(claim?.lost.aborted).toBe(true)
  await expect(closing.take()).rejects.toMatchObject({ code: 'refused' })
  expect(await queues.open('job').take()).toMatchObject({ task: TASK, deaths: 0 })
  expect(await queues.open('another').take()).toBe(null)
})
