/** A listing by many requests at once finds what one by one finds, in the same order, whatever keys look like. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compareNames } from '../../src/compare-names.js'
import { openStorage } from '../../src/platform/node/storage/open-storage.js'
import { keyBetween } from '../../src/platform/node/storage/s3/key-between.js'
import type { Storage } from '../../src/storage/storage.js'

/** Lists as S3 does, in pages of so many. */
let keys: string[] = []
let pageSize = 10
let asked = 0
let atOnce = 0
let most = 0
let delayMs = 0
/** Is how long each answer keeps the server from the next one, in milliseconds. */
let busyMs = 0
let freeAt = 0
let longestMs = 0
const server = createServer((request, response) => {
  asked++
  most = Math.max(most, ++atOnce)
  const { searchParams } = new URL(request.url ?? '', 'http://x')
  const prefix = searchParams.get('prefix') ?? ''
  const after = searchParams.get('start-after') ?? ''
  let at = firstAfter(after)
  while (at < keys.length && !keys[at]?.startsWith(prefix)) at++
  const page: string[] = []
  for (; page.length < pageSize && keys[at]?.startsWith(prefix); at++) page.push(keys[at] ?? '')
  const isTruncated = keys[at]?.startsWith(prefix) ?? false
  const contents = page.map(
    (key) =>
      `<Contents><Key>${key.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>1</Size></Contents>`,
  )
  const body = `<ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${contents.join('')}</ListBucketResult>`
  const now = performance.now()
  freeAt = Math.max(now, freeAt) + busyMs
  longestMs = Math.max(longestMs, freeAt - now)
  setTimeout(
    () => {
      atOnce--
      response.end(body)
    },
    Math.max(delayMs, freeAt - now),
  )
})
function firstAfter(after: string): number {
  let low = 0
  for (let high = keys.length; low < high; ) {
    const middle = (low + high) >> 1
    if (compareNames(keys[middle] ?? '', after) > 0) high = middle
    else low = middle + 1
  }
  return low
}

let storage: Storage
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  storage = await openStorage('s3://bucket', {
    env: { NO_PROXY: '127.0.0.1', HOME: '/nonexistent' },
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: async () => null,
  })
})
afterAll(async () => {
  await storage[Symbol.asyncDispose]()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function listed(options: Parameters<Storage['list']>[0] = {}): Promise<string[]> {
  const found: string[] = []
  asked = 0
  most = 0
  for await (const { key } of storage.list(options)) found.push(key)
  return found
}

const SHAPES = {
  numbered: (i: number) => `photos/img${String(i).padStart(8, '0')}.jpg`,
  unpadded: (i: number) => `photos/${i}`,
  hashed: (i: number) => `photos/${((i * 2654435761) % 2 ** 32).toString(16).padStart(8, '0')}/a.jpg`,
  dated: (i: number) => `photos/2024/${1 + (i % 12)}/${1 + (i % 28)}/IMG_${i}.JPG`,
  lopsided: (i: number) => (i < 4900 ? `photos/a/${i}` : `photos/${i}/${i}`),
  'of many letters': (i: number) => `photos/${String.fromCodePoint(0x4e00 + (i % 97))}é&<${i}`,
}

test.for(Object.keys(SHAPES) as (keyof typeof SHAPES)[])('keys that are %s', async (shape) => {
  keys = [...new Set(Array.from({ length: 5000 }, (_, i) => SHAPES[shape](i)))].sort(compareNames)
  keys.unshift('other/a')
  keys.push('z')
  pageSize = 50
  delayMs = 1
  const found = await listed({ prefix: 'photos/' })
  expect(found).toEqual(keys.slice(1, -1))
  // Letters that were not seen yet are found one after the other, and most cuts among those that were are in vain.
  // On a machine that is busy with other things answers are slow, and fewer are asked for at once.
  if (shape !== 'of many letters') expect(most).toBeGreaterThan(8)
  expect(most).toBeLessThanOrEqual(32)
  // A hundred pages, and what cutting costs.
  expect(asked).toBeLessThan(shape === 'of many letters' ? 600 : 300)
  const after = found[1234] ?? ''
  expect(await listed({ prefix: 'photos/', after })).toEqual(found.slice(1235))
})

test('a server that can do one thing at a time is not asked for so much that it seems to hang', async () => {
  keys = Array.from({ length: 800 }, (_, i) => SHAPES.hashed(i)).sort(compareNames)
  pageSize = 20
  longestMs = 0
  busyMs = 100
  expect(await listed({ prefix: 'photos/' })).toEqual(keys)
  busyMs = 0
  // Of 32 at once the last one would wait for more than three seconds.
  expect(longestMs).toBeLessThan(2000)
})

test('any keys are found once and in order', async () => {
  delayMs = 0
  const key = fc.string({
    unit: fc.constantFrom('a', 'b', '0', '9', '/', '-', '~', 'é', '日', '😀', ' '),
    minLength: 1,
    maxLength: 8,
  })
  const check = fc.asyncProperty(
    fc.uniqueArray(key, { maxLength: 120 }),
    fc.integer({ min: 1, max: 5 }),
    async (made, size) => {
      keys = made.sort(compareNames)
      pageSize = size
      expect(await listed()).toEqual(keys)
    },
  )
  await fc.assert(check, { numRuns: 60 })
})

test('who stops reading stops asking', async () => {
  keys = Array.from({ length: 100_000 }, (_, i) => SHAPES.numbered(i))
  pageSize = 100
  delayMs = 1
  let count = 0
  for await (const _ of storage.list()) if (++count === 500) break
  asked = 0
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(asked).toBe(0)
})

test('what lies between two keys lies between them', () => {
  const letters = ['-', '0', '9', 'a', 'b', 'é', '日', '😀']
  const key = fc.string({ unit: fc.constantFrom(...letters, 'c'), maxLength: 6 })
  fc.assert(
    fc.property(key, key, (a, b) => {
      const [after = '', until = ''] = [a, b].sort(compareNames)
      const found = keyBetween(letters, 0, after, until)
      if (found === null) return
      expect(compareNames(found, after)).toBeGreaterThan(0)
      expect(compareNames(found, until)).toBeLessThan(0)
    }),
  )
})
