/** Tries what befalls servers of queues: they die, hang, forget, are set wrongly and have other clocks. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Claim, JobQueue, Task } from '../../src/jobs/queue.js'
import { type JobQueueOptions, openJobQueue } from '../../src/platform/node/jobs/open-job-queue.js'
import { PostgresServer, postgresIsMissing } from '../support/postgres-server.js'
import { QUICK, startQueueChild } from '../support/queue-places.js'
import { RedisServer, redisIsMissing } from '../support/redis-server.js'

const HOUR = 3_600_000
const tasks = (count: number): Task[] =>
  Array.from({ length: count }, (_, part) => ({ round: 0, part, pass: 0 }))

const SERVERS = [
  { name: 'Redis', missing: redisIsMissing, start: () => RedisServer.start() },
  { name: 'PostgreSQL', missing: postgresIsMissing, start: () => PostgresServer.start() },
]

for (const { name, missing, start } of SERVERS) {
  describe.skipIf(missing !== null)(`a queue on ${name}`, () => {
    let server: RedisServer | PostgresServer
    beforeAll(async () => {
      server = await start()
    })
    afterAll(() => server[Symbol.asyncDispose]())
    const open = (jobId: string, options: JobQueueOptions = {}) =>
      openJobQueue(server.address, jobId, { ...QUICK, ...options })

    test('loses nothing when its server is killed and started again', async () => {
      await using queue = await open('killed', { lockMs: 20_000 })
      await queue.add(tasks(20))
      const held = [await taken(queue), await taken(queue)]
      await server.kill()
      const done = held[0]?.done()
      const taking = taken(queue)
      const counting = queue.counts()
      await server.start()
      await done
      const claims = [await taking, ...(await takeAll(queue))]
      expect((await counting).waiting).toBeGreaterThan(10)
      expect(held[1]?.lost.aborted).toBe(false)
      await held[1]?.done()
      const parts = [...held, ...claims].map(({ task }) => task.part)
      expect(parts.sort((a, b) => a - b)).toEqual(tasks(20).map(({ part }) => part))
      await Promise.all(claims.map((claim) => claim.done()))
      expect(await queue.counts()).toEqual({ waiting: 0, active: 0 })
    })

    test('tells a worker that its part is lost once the server was not reached for as long as it is locked', async () => {
      await using queue = await open('paused')
      await queue.add(tasks(1))
      const claim = await taken(queue)
      const begun = performance.now()
      server.pause()
      await expect.poll(() => claim.lost.aborted, { interval: 20 }).toBe(true)
      const afterMs = performance.now() - begun
      server.resume()
      expect(afterMs).toBeGreaterThan(QUICK.lockMs * 0.7)
      expect(afterMs).toBeLessThan(QUICK.lockMs * 1.1)
      expect(claim.lost.reason).toMatchObject({ code: 'unavailable' })
      expect(await taken(queue)).toMatchObject({ task: claim.task, deaths: 1 })
    })

    test('says that its server does not answer after the time that was stated, and closes all the same', async () => {
      const queue = await open('gone', { unavailableMs: 500 })
      await queue.add(tasks(1))
      const claim = await taken(queue)
      await server.kill()
      const begun = performance.now()
      await expect(queue.counts()).rejects.toMatchObject({ code: 'unavailable' })
      await expect(claim.giveBack()).rejects.toMatchObject({ code: 'unavailable' })
      await expect(open('gone', { unavailableMs: 500 })).rejects.toMatchObject({ code: 'unavailable' })
      await queue[Symbol.asyncDispose]()
      expect(performance.now() - begun).toBeLessThan(6000)
      await server.start()
    })

    test('closes within seconds although its server hangs', async () => {
      const queue = await open('hangs')
      await queue.add(tasks(1))
      await taken(queue)
      server.pause()
      const begun = performance.now()
      await queue[Symbol.asyncDispose]()
      server.resume()
      expect(performance.now() - begun).toBeLessThan(9500)
    })

    test('gives two thousand parts to four workers, each part once', async () => {
      await using queue = await open('many')
      await queue.add(tasks(2000))
      const begun = performance.now()
      const workers = [1, 2, 3, 4].map(() => startQueueChild('drain', server.address, 'many'))
      const said = (await Promise.all(workers.map((worker) => worker.rest()))).flat()
      console.log(
        `2,000 parts on ${name} took four workers ${((performance.now() - begun) / 1000).toFixed(1)} s.`,
      )
      expect(said.filter(({ task, deaths }) => task === undefined || deaths !== 0)).toEqual([])
      expect(said.map(({ task }) => task?.part ?? -1).sort((a, b) => a - b)).toEqual(
        tasks(2000).map(({ part }) => part),
      )
    })

    test('names its server without user, password and parameters', async () => {
      const secret = server.address.replace(/:\/\/(?:[^@/]*@)?/, '://someone:p@ss?/w%20d@')
      await using queue = await open('label')
      expect(queue.label).not.toContain('@')
      const refused = await openJobQueue(secret, 'label', { ...QUICK, unavailableMs: 300 }).catch(
        (error) => error,
      )
      expect(refused).toMatchObject({ name: 'QueueError' })
      expect(`${refused.message}${JSON.stringify(refused)}${refused.cause}`).not.toMatch(/p@ss|w%20d|w d/)
    })
  })
}

describe.skipIf(redisIsMissing !== null)('a queue on Redis alone', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await RedisServer.start()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  test('goes on after all was forgotten, and says of parts in flight that they are lost', async () => {
    await using queue = await openJobQueue(server.address, 'flush', QUICK)
    await queue.add(tasks(3))
    const claim = await taken(queue)
    await server.command('FLUSHALL')
    await expect.poll(() => claim.lost.aborted).toBe(true)
    await claim.done()
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0 })
    await queue.add(tasks(3))
    for (const _ of tasks(3)) await (await taken(queue)).done()
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0 })
  })

  test('runs again where a worker died while it was clearing', async () => {
    await server.command('HSET', 'plumage:job-stopped:meta', 'paused', '1')
    await using queue = await openJobQueue(server.address, 'stopped', QUICK)
    await queue.add(tasks(1))
    await (await taken(queue)).done()
  })

  test('is refused where the server may drop parts, with the command that mends it', async () => {
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    await expect(openJobQueue(server.address, 'unfit')).rejects.toMatchObject({
      code: 'unfit',
      message: expect.stringMatching(
        /allkeys-lru.*redis-cli -u redis:\S+ CONFIG SET maxmemory-policy noeviction/,
      ),
    })
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
  })

  test('costs at most six operations a part, from adding it to its end', async () => {
    await using queue = await openJobQueue(server.address, 'count', QUICK)
    await server.command('CONFIG', 'RESETSTAT')
    await queue.add(tasks(200))
    for (const _ of tasks(200)) await (await taken(queue)).done()
    const stats = await server.command('INFO', 'commandstats')
    const calls = Object.fromEntries(
      [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, command, count]) => [
        command,
        Number(count),
      ]),
    )
    // Commands within a script are counted beside it: what was sent is the scripts.
    const { evalsha = 0, eval: evals = 0 } = calls
    console.log(
      `A part costs ${((evalsha + evals) / 200).toFixed(2)} operations on Redis: ${JSON.stringify(calls)}`,
    )
    expect((evalsha + evals) / 200).toBeLessThanOrEqual(6)
    expect((evalsha + evals) / 200).toBeGreaterThanOrEqual(3)
  })

  test('says at once that a password is wrong, without it', async () => {
    const address = server.address.replace('://', '://someone:p%40ss-word@')
    const refused = await openJobQueue(address, 'password').catch((error) => error)
    expect(refused).toMatchObject({ code: 'refused', message: expect.stringContaining('WRONGPASS') })
    expect(`${refused.message}${refused.cause}`).not.toContain('ss-word')
  })

  test('does not mind a worker whose clock is an hour off', async () => {
    await using queue = await openJobQueue(server.address, 'skew', QUICK)
    await queue.add(tasks(2))
    const ours = await taken(queue)
    const [ahead, behind] = [HOUR, -HOUR].map((skew) => startQueueChild('hold', server.address, 'skew', skew))
    expect(await Promise.race([ahead?.next(), behind?.next()])).toMatchObject({ deaths: 0 })
    await new Promise((resolve) => setTimeout(resolve, QUICK.lockMs * 2))
    expect(ours.lost.aborted).toBe(false)
    expect(await queue.counts()).toEqual({ waiting: 0, active: 2 })
    await Promise.all([ahead?.kill(), behind?.kill()])
    expect((await taken(queue)).deaths).toBe(1)
  })

  test('keeps parts back for as long as is asked, whoever’s clock is an hour off', async () => {
    await using queue = await openJobQueue(server.address, 'late', QUICK)
    await queue.add(tasks(1))
    // One that is ahead must not keep it from others for an hour, and one that is behind must not wait for an hour.
    await startQueueChild('postpone', server.address, 'late', HOUR).next()
    const claim = await taken(queue)
    await claim.giveBack({ delayMs: 300 })
    const [said] = await startQueueChild('drain', server.address, 'late', -HOUR).rest()
    expect(said).toMatchObject({ task: claim.task, deaths: 0 })
  })

  test('keeps parts back from a worker as well whose clock is an hour ahead', async () => {
    await using queue = await openJobQueue(server.address, 'early', QUICK)
    await queue.add(tasks(1))
    await (await taken(queue)).giveBack({ delayMs: 1500 })
    const begun = performance.now()
    const now = Date.now
    Date.now = () => now() + HOUR
    try {
      await using ahead = await openJobQueue(server.address, 'early', QUICK)
      const claim = await taken(ahead)
      expect(performance.now() - begun).toBeGreaterThan(1400)
      expect(claim).toMatchObject({ task: tasks(1)[0], deaths: 0 })
      // Once it was taken in time, it is as any other.
      await claim.giveBack()
      expect((await taken(ahead)).deaths).toBe(0)
    } finally {
      Date.now = now
    }
  })
})

describe.skipIf(postgresIsMissing !== null)('a queue on PostgreSQL alone', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await PostgresServer.start()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  test.each([
    ['ahead of', HOUR],
    ['behind', -HOUR],
  ])('refuses a worker whose clock is an hour %s the server’s', async (words, skew) => {
    const child = startQueueChild('hold', server.address, 'skew', skew)
    expect(await child.rest()).toEqual([
      { code: 'clock', message: expect.stringContaining(`3600.0 s ${words}`) },
    ])
  })

  test('gives back what a worker has whose clock goes wrong, and tells it why', async () => {
    await using queue = await openJobQueue(server.address, 'jump', QUICK)
    const jumping = await openJobQueue(server.address, 'jump', { ...QUICK, clockMs: 100 })
    await queue.add(tasks(1))
    const claim = await taken(jumping)
    const now = Date.now
    try {
      Date.now = () => now() + HOUR
      await expect.poll(() => claim.lost.aborted, { interval: 20 }).toBe(true)
      await expect(jumping.take()).rejects.toMatchObject({ code: 'clock' })
    } finally {
      Date.now = now
    }
    expect(claim.lost.reason).toMatchObject({ code: 'clock' })
    expect((await taken(queue)).deaths).toBe(0)
    await jumping[Symbol.asyncDispose]()
  })
})

test('names the scheme that a mistyped one may have meant', async () => {
  await expect(openJobQueue('postgre://user:secret@host/db', 'job')).rejects.toThrow(
    /postgre:\/\/.*Did you mean postgres:\/\/\?/,
  )
  await expect(openJobQueue('localhost:6379', 'job')).rejects.toMatchObject({ code: 'refused' })
  await expect(openJobQueue('redis://host', 'job', { lockms: 1 } as never)).rejects.toThrow('lockMs')
})

async function taken(queue: JobQueue): Promise<Claim> {
  for (let times = 0; times < 30; times++) {
    const claim = await queue.take()
    if (claim !== null) return claim
  }
  throw new Error('Nothing came.')
}

async function takeAll(queue: JobQueue): Promise<readonly Claim[]> {
  const claims: Claim[] = []
  for (let claim = await queue.take(); claim !== null; claim = await queue.take()) claims.push(claim)
  return claims
}
