/** Judges the queues of jobs alike, wherever they are kept: what a job may count on is said here, and nowhere is there more. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Claim, JobQueue, Task } from '../../src/jobs/queue.js'
import { QUEUE_PLACES, type QueuePlace } from '../support/queue-places.js'

const taskOf = (part: number, pass = 0): Task => ({ round: 0, part, pass })
const tasks = (count: number) => Array.from({ length: count }, (_, part) => taskOf(part))

/** Takes until something comes, as a worker does. */
async function taken(queue: JobQueue): Promise<Claim> {
  for (let times = 0; times < 30; times++) {
    const claim = await queue.take()
    if (claim !== null) return claim
  }
  throw new Error('Nothing came.')
}

for (const { name, missing, start } of QUEUE_PLACES) {
  if (missing !== null) console.warn(`Queues on ${name} are not tested. ${missing}`)

  describe.skipIf(missing !== null)(`a queue on ${name}`, () => {
    let place: QueuePlace
    beforeAll(async () => {
      place = await start()
    })
    afterAll(() => place[Symbol.asyncDispose]())

    test('gives each part to one worker, whoever asks at once', async () => {
      const queues = await Promise.all([1, 2, 3, 4].map(() => place.open('once')))
      await queues[0]?.add(tasks(40))
      const claims = (await Promise.all(queues.map(takeAll))).flat()
      expect(claims.map(({ task }) => task.part).sort((a, b) => a - b)).toEqual(
        tasks(40).map(({ part }) => part),
      )
      expect(claims.every(({ deaths, lost }) => deaths === 0 && !lost.aborted)).toBe(true)
      expect(await queues[1]?.counts()).toEqual({ waiting: 0, active: 40 })
      await Promise.all(claims.map((claim) => claim.done()))
      expect(await queues[1]?.counts()).toEqual({ waiting: 0, active: 0 })
      await Promise.all(queues.map((queue) => queue[Symbol.asyncDispose]()))
    })

    test('leaves parts alone that it has already, waits or not, and takes them again once done', async () => {
      await using queue = await place.open('known')
      await queue.add([taskOf(1), taskOf(1)])
      await queue.add([taskOf(1), taskOf(1, 1)])
      expect(await queue.counts()).toEqual({ waiting: 2, active: 0 })
      const first = await taken(queue)
      await queue.add([taskOf(1), taskOf(1, 1)])
      expect(await queue.counts()).toEqual({ waiting: 1, active: 1 })
      await first.done()
      await (await taken(queue)).done()
      await queue.add([taskOf(1)])
      expect((await taken(queue)).task).toEqual(taskOf(1))
    })

    // These wait for clocks, each in a job of its own.
    test.concurrent('gives a part to another worker each time its worker dies, and counts the deaths', async () => {
      await using queue = await place.open('deaths')
      await queue.add([taskOf(3)])
      await (await place.hold('deaths')).kill()
      const claim = await taken(queue)
      expect(claim).toMatchObject({ task: taskOf(3), deaths: 1 })
      await claim.giveBack()
      await (await place.hold('deaths')).kill()
      expect(await taken(queue)).toMatchObject({ task: taskOf(3), deaths: 2 })
    })

    test.concurrent('counts no death where a part is given back, and keeps it back for as long as is asked', async () => {
      await using queue = await place.open('back')
      await queue.add([taskOf(1)])
      await (await taken(queue)).giveBack()
      const again = await taken(queue)
      expect(again.deaths).toBe(0)
      const begun = performance.now()
      await again.giveBack({ delayMs: 700 })
      expect(await queue.counts()).toEqual({ waiting: 1, active: 0 })
      expect((await taken(queue)).deaths).toBe(0)
      expect(performance.now() - begun).toBeGreaterThan(690)
    })

    test.concurrent('gives nobody a part whose worker lives, for how long it may take', async () => {
      await using working = await place.open('long')
      await using other = await place.open('long')
      await working.add([taskOf(1)])
      const claim = await taken(working)
      const end = performance.now() + 4000
      while (performance.now() < end) expect(await other.take()).toBe(null)
      expect(claim.lost.aborted).toBe(false)
      await claim.done()
    })

    test('ends taking at once when it is told to', async () => {
      await using queue = await place.open('abort')
      const stop = new AbortController()
      const taking = queue.take({ signal: stop.signal })
      setTimeout(() => stop.abort(new Error('enough')), 50)
      const begun = performance.now()
      await expect(taking).rejects.toThrow('enough')
      expect(performance.now() - begun).toBeLessThan(700)
      await queue.add([taskOf(1)])
      await expect(queue.take({ signal: stop.signal })).rejects.toThrow('enough')
      expect(await queue.counts()).toEqual({ waiting: 1, active: 0 })
    })

    test('forgets all when it is cleared, tells workers so, and can be filled again', async () => {
      await using queue = await place.open('clear')
      await using other = await place.open('another')
      await queue.add(tasks(5))
      await other.add(tasks(2))
      const claim = await taken(queue)
      await queue.clear()
      expect(await queue.counts()).toEqual({ waiting: 0, active: 0 })
      expect(await other.counts()).toEqual({ waiting: 2, active: 0 })
      await expect.poll(() => claim.lost.aborted).toBe(true)
      await claim.done()
      await claim.giveBack()
      await queue.add([taskOf(1)])
      expect((await taken(queue)).task).toEqual(taskOf(1))
    })

    test('gives back what a worker has when it closes, which is no death', async () => {
      const closing = await place.open('close')
      await using queue = await place.open('close')
      await queue.add([taskOf(1)])
      const claim = await taken(closing)
      await closing[Symbol.asyncDispose]()
      expect(claim.lost.aborted).toBe(true)
      await expect(closing.take()).rejects.toMatchObject({ code: 'refused' })
      expect((await taken(queue)).deaths).toBe(0)
    })
  })
}

/** Takes until nothing comes. */
async function takeAll(queue: JobQueue): Promise<readonly Claim[]> {
  const claims: Claim[] = []
  for (let claim = await queue.take(); claim !== null; claim = await queue.take()) claims.push(claim)
  return claims
}
