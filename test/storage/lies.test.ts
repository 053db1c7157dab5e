/** What networks and servers do to requests costs tries, and never makes two of one write, half an object, or a success that was none. */
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type OpenStorageOptions, openStorage } from '../../src/platform/node/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { tryConditionalWrites } from '../../src/storage/try-conditional-writes.js'
import { type Asked, type Lie, type LyingProxy, startLyingProxy } from '../support/lying-proxy.js'
import { type S3Server, startS3Server, versitygw } from '../support/s3-server.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (found: { readonly bytes: Uint8Array } | null) =>
  found && new TextDecoder().decode(found.bytes)

/** Lies once, to the first request of this kind. */
function once(lie: Lie, isMeant: (asked: Asked) => boolean): (asked: Asked) => Lie | null {
  let isDone = false
  return (asked) => {
    if (isDone || !isMeant(asked)) return null
    isDone = true
    return lie
  }
}
const isPut = ({ method }: Asked) => method === 'PUT'
const isGet = ({ method }: Asked) => method === 'GET'
const isComplete = ({ method, path }: Asked) => method === 'POST' && path.includes('uploadId=')
const isPart = ({ method, path }: Asked) => method === 'PUT' && path.includes('partNumber=2')

describe.skipIf(versitygw === undefined)('a bucket behind a proxy that lies', () => {
  let server: S3Server
  let proxy: LyingProxy
  let storage: Storage
  const open = async (options: OpenStorageOptions = {}) =>
    await openStorage('s3://bucket/lies', {
      env: { ...server.env, AWS_ENDPOINT_URL: proxy.endpoint },
      partBytes: 5 * 2 ** 20,
      stallMs: 400,
      patienceMs: 60_000,
      ...options,
    })
  beforeAll(async () => {
    server = await startS3Server()
    await server.makeBucket('bucket')
    proxy = await startLyingProxy(server.endpoint)
    storage = await open()
  })
  afterEach(() => {
    proxy.choose = () => null
  })
  afterAll(async () => {
    await storage[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  test.for(['unavailable', 'reset-before', 'reset-after', 'conflict', 'drip', 'wrong-etag'] as const)(
    'a write where nothing is, first met with %s, takes effect once and is told as done',
    async (lie) => {
      proxy.choose = once(lie, isPut)
      expect(await storage.write(`absent/${lie}`, bytes('mine'), { ifAbsent: true })).toMatchObject({
        written: true,
      })
      expect(await storage.write(`absent/${lie}`, bytes('yours'), { ifAbsent: true })).toEqual({
        written: false,
      })
      expect(textOf(await storage.read(`absent/${lie}`))).toBe('mine')
    },
  )

  test.for(['unavailable', 'reset-before', 'reset-after', 'conflict'] as const)(
    'a write where a version is, first met with %s, is told as done under the version that is there',
    async (lie) => {
      const key = `version/${lie}`
      const first = await storage.write(key, bytes('one'))
      if (!first.written) throw new Error('It was not written.')
      proxy.choose = once(lie, isPut)
      const second = await storage.write(key, bytes('two'), { ifVersion: first.version })
      expect(second).toEqual({ written: true, version: (await storage.look(key))?.version })
    },
  )

  test("another's object that appeared while our write failed is not taken for ours", async () => {
    const other = await open()
    let isDone = false
    proxy.choose = (asked) => {
      if (isDone || !isPut(asked)) return null
      isDone = true
      return 'reset-before'
    }
    const ours = storage.write('contested', bytes('ours'), { ifAbsent: true })
    while (!isDone) await new Promise((resolve) => setTimeout(resolve, 1))
    const theirs = await other.write('contested', bytes('theirs'), { ifAbsent: true })
    expect([(await ours).written, theirs.written].filter(Boolean)).toHaveLength(1)
    expect(textOf(await storage.read('contested'))).toBe(theirs.written ? 'theirs' : 'ours')
  })

  test.for([
    ['error-in-200', isComplete],
    ['unavailable', isComplete],
    ['reset-before', isComplete],
    ['reset-after', isComplete],
    ['truncated', isComplete],
    ['conflict', isComplete],
    ['reset-before', isPart],
    ['reset-after', isPart],
    ['unavailable', isPart],
  ] as const)(
    'an object in parts that meets %s is there whole, and once',
    async ([lie, isMeant], { task }) => {
      const key = `parts/${task.id}`
      const whole = randomBytes(11_000_000)
      proxy.choose = once(lie, isMeant)
      expect(await storage.write(key, () => [whole], { ifAbsent: true })).toMatchObject({ written: true })
      expect(proxy.asked.some((asked) => asked.lie === lie && isMeant(asked))).toBe(true)
      expect(Buffer.compare((await storage.read(key))?.bytes ?? Buffer.alloc(0), whole)).toBe(0)
      expect(await storage.write(key, () => [whole], { ifAbsent: true })).toEqual({ written: false })
    },
  )

  test.for(['unavailable', 'reset-before', 'reset-after', 'truncated', 'drip', 'conflict'] as const)(
    'a read that meets %s gives all bytes',
    async (lie) => {
      const whole = randomBytes(100_000)
      await storage.write('whole', whole)
      for (const options of [{}, { length: 100_000 }, { offset: 10, length: 50_000 }]) {
        proxy.choose = once(lie, isGet)
        const { offset = 0, length = whole.length } = options as { offset?: number; length?: number }
        const found = await storage.read('whole', options)
        expect(Buffer.compare(found?.bytes ?? Buffer.alloc(0), whole.subarray(offset, offset + length))).toBe(
          0,
        )
      }
    },
  )

  test('a body that is cut each time is refused, and never given', async () => {
    await storage.write('cut', randomBytes(1000))
    proxy.choose = (asked) => (isGet(asked) ? 'truncated' : null)
    await expect(storage.read('cut')).rejects.toMatchObject({ code: 'too-short' })
  })

  test.for([
    ['error-in-200', 'HEAD', 'looked at'],
    ['truncated', 'GET', 'read'],
  ] as const)(
    'what answers with %s to every %s for half a second is outlived, and the object is %s',
    async ([lie, method]) => {
      await storage.write('outlived', bytes('hello'))
      const start = performance.now()
      proxy.choose = (asked) => (asked.method === method && performance.now() - start < 500 ? lie : null)
      if (method === 'HEAD') expect(await storage.look('outlived')).toMatchObject({ size: 5 })
      else expect(textOf(await storage.read('outlived'))).toBe('hello')
      expect(proxy.asked.some((asked) => asked.lie === lie && asked.method === method)).toBe(true)
    },
  )

  test('a read of a version that is answered with another ETag is asked again', async () => {
    const written = await storage.write('tagged', bytes('hello'))
    if (!written.written) throw new Error('It was not written.')
    proxy.choose = once('wrong-etag', isGet)
    expect(textOf(await storage.read('tagged', { version: written.version }))).toBe('hello')
  })

  test('a drip ends by the lack of progress, long before its own end', async () => {
    await storage.write('drip', randomBytes(2000))
    proxy.choose = once('drip', isGet)
    const start = performance.now()
    await storage.read('drip')
    expect(performance.now() - start).toBeLessThan(5000)
  })

  test('a server that is not there any more is told as unavailable once patience has ended', async () => {
    const hasty = await open({ patienceMs: 300 })
    proxy.choose = () => 'unavailable'
    await expect(hasty.write('late', bytes('x'))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('503 SlowDown'),
    })
  })

  test('a signal ends the waiting between tries', async () => {
    proxy.choose = () => 'unavailable'
    const stop = new AbortController()
    const writing = storage.write('stopped', bytes('x'), { signal: stop.signal })
    setTimeout(() => stop.abort(new Error('enough')), 150)
    await expect(writing).rejects.toThrow('enough')
  })

  test.for(['If-None-Match', 'If-Match'])(
    'a server that ignores %s is found out by the trial',
    async (condition) => {
      proxy.choose = ({ headers }) =>
        headers[condition.toLowerCase()] === undefined ? null : 'ignore-condition'
      await expect(tryConditionalWrites(storage)).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('does not keep writers apart'),
      })
    },
  )

  test('the trial holds on a server that fails in half of the requests', async () => {
    const lies: readonly Lie[] = ['unavailable', 'reset-before', 'reset-after', 'conflict']
    proxy.choose = ({ visit }) => (visit % 2 === 0 ? (lies[(visit / 2) % lies.length] ?? null) : null)
    await tryConditionalWrites(storage)
  })

  test('a server that is killed and comes back is waited for', async () => {
    await server.kill()
    const writing = storage.write('killed', bytes('here'), { ifAbsent: true })
    setTimeout(() => void server.restart(), 300)
    expect(await writing).toMatchObject({ written: true })
    expect(textOf(await storage.read('killed'))).toBe('here')
  })
})
