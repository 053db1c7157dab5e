/** Rows are fetched from real servers as a guest should, and from files, shards and objects; what goes wrong says whether it may pass. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { RowFailure } from '../../../jobs/row.js'
import { MemoryStorage } from '../../../storage/memory-storage.js'
import { refusingWordOrNull } from './robots-tag.js'
import { RowFetcher, type RowFetcherOptions } from './row-fetcher.js'

/** Is a server of its own, so that what is known of one is not known of the next. */
interface Site extends AsyncDisposable {
  readonly base: string
  readonly asked: {
    readonly path: string
    readonly atMs: number
    readonly headers: IncomingMessage['headers']
  }[]
}

const servers: Server[] = []
const image = Buffer.from('bytes of an image')
const NO_ROBOTS: RequestListener = (_, answer) => answer.writeHead(404).end()

async function site(routes: Readonly<Record<string, RequestListener>>): Promise<Site> {
  const asked: Site['asked'][number][] = []
  const server = createServer((question, answer) => {
    const { pathname } = new URL(question.url ?? '/', 'http://here')
    asked.push({ path: pathname, atMs: performance.now(), headers: question.headers })
    const found = routes[pathname] ?? (pathname === '/robots.txt' ? NO_ROBOTS : routes['*'])
    if (found === undefined) answer.writeHead(404).end()
    else found(question, answer)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.asyncDispose]: close,
  }
}

afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections()
})

const contact = 'wren@example.org'
const quick = { contact, allowPrivateAddresses: true, hostRate: { perSecond: 1000, connections: 4 } }
const { signal } = new AbortController()

async function outcome(address: string, options: RowFetcherOptions = quick): Promise<string | RowFailure> {
  using fetcher = new RowFetcher(options)
  const found = await fetcher.fetch({ address }, signal)
  return found instanceof Uint8Array ? Buffer.from(found).toString() : found
}

describe('a web server', () => {
  test('is told who asks, and its image comes, wherever it was moved to', async () => {
    await using here = await site({
      '/wren.jpg': (_, answer) => answer.end(image),
      '/moved': (_, answer) => answer.writeHead(302, { location: '/wren.jpg' }).end(),
    })
    expect(await outcome(`${here.base}/moved?token=1`)).toBe(String(image))
    expect(here.asked.map(({ path }) => path)).toEqual(['/robots.txt', '/moved', '/wren.jpg'])
    for (const { headers } of here.asked)
      expect(headers['user-agent']).toMatch(/^plumage\/\d\S* \(\+mailto:wren@example\.org\)$/)
  })

  test('is not asked by those who give no contact, and none is invented', async () => {
    await using here = await site({ '*': (_, answer) => answer.end(image) })
    expect(await outcome(`${here.base}/a`, { allowPrivateAddresses: true })).toMatchObject({
      code: 'no-contact',
      transient: false,
      reason: expect.stringContaining('--contact'),
    })
    expect(here.asked).toEqual([])
    for (const wrong of ['', 'me', 'a@b', 'a b@c.org', 'ftp://x.org', 'a@b.org\r\nx: y'])
      expect(() => new RowFetcher({ contact: wrong })).toThrow(RangeError)
  })

  test.each([
    ['/gone', 'not-found', false],
    ['/secret', 'http-4xx', false],
    ['/odd', 'bad-answer', false],
    ['/never', 'http-5xx', false],
    ['/packed', 'bad-answer', false],
    ['/long', 'too-large', false],
    ['/endless', 'too-large', false],
    ['/round', 'bad-answer', false],
    ['/out', 'bad-answer', false],
    ['/silent', 'timeout', true],
    ['/drip', 'timeout', true],
    ['/cut', 'cut-off', true],
    ['/reset', 'unreachable', true],
  ])('fails for %s as %s', async (path, code, transient) => {
    const status =
      (code: number): RequestListener =>
      (_, answer) =>
        void answer.writeHead(code).end()
    await using here = await site({
      '/gone': status(410),
      '/secret': status(403),
      '/odd': status(204),
      '/never': status(501),
      '/packed': (_, answer) => answer.writeHead(200, { 'content-encoding': 'gzip' }).end(image),
      '/long': (_, answer) => answer.writeHead(200, { 'content-length': 1e9 }).write(image),
      '/endless': (_, answer) => {
        const write = () => {
          while (!answer.destroyed && answer.write(Buffer.alloc(65536)));
        }
        answer.on('drain', write)
        write()
      },
      '/round': (_, answer) => answer.writeHead(301, { location: '/round' }).end(),
      '/out': (_, answer) => answer.writeHead(301, { location: 'file:///etc/passwd' }).end(),
      '/silent': () => {},
      '/drip': (_, answer) => {
        const timer = setInterval(() => answer.write('.'), 20)
        answer.on('close', () => clearInterval(timer))
      },
      '/cut': (_, answer) => {
        answer.writeHead(200, { 'content-length': image.length })
        answer.write(image.subarray(0, 5), () => answer.destroy())
      },
      '/reset': ({ socket }) => socket.destroy(),
    })
    const found = await outcome(`${here.base}${path}?token=hidden`, {
      ...quick,
      maxFileBytes: 100_000,
      fetchTimeoutMs: 200,
    })
    expect(found).toMatchObject({ code, transient })
    expect(JSON.stringify(found)).not.toContain('hidden')
    // What may pass is tried again; what took all of the time is not.
    const times = here.asked.filter((one) => one.path === path).length
    expect(times).toBe(code === 'cut-off' || code === 'unreachable' ? 3 : path === '/round' ? 6 : 1)
  })

  test('that is not there, or has no name, is no reason to stop', async () => {
    expect(await outcome('http://127.0.0.1:1/a.jpg')).toMatchObject({ code: 'unreachable', transient: true })
    const { code } = (await outcome('http://no-such-name.invalid/a.jpg')) as RowFailure
    expect(['no-host', 'unreachable']).toContain(code)
  })

  test('inside this machine or its network is refused, by number, by name and by redirect', async () => {
    await using here = await site({ '*': (_, answer) => answer.end(image) })
    const { port } = new URL(here.base)
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '169.254.169.254'])
      expect(await outcome(`http://${host}:${port}/a.jpg`, { contact })).toMatchObject({
        code: 'refused-private',
        transient: false,
      })
    expect(here.asked).toEqual([])
  })

  test('is asked again when it wants to be, and says so by Retry-After', async () => {
    let times = 0
    await using here = await site({
      '/busy.jpg': (_, answer) =>
        ++times < 3 ? answer.writeHead(429, { 'retry-after': '0' }).end() : answer.end(image),
      '/later.jpg': (_, answer) => answer.writeHead(503, { 'retry-after': '3000' }).end(),
      '/other.jpg': (_, answer) => answer.end(image),
    })
    expect(await outcome(`${here.base}/busy.jpg`)).toBe(String(image))
    using fetcher = new RowFetcher(quick)
    expect(await fetcher.fetch({ address: `${here.base}/later.jpg` }, signal)).toMatchObject({
      code: 'http-5xx',
      transient: true,
    })
    // For as long as it wants to be left alone, nothing is asked of it, and nobody waits.
    expect(await fetcher.fetch({ address: `${here.base}/other.jpg` }, signal)).toMatchObject({
      code: 'host-down',
      transient: true,
    })
    expect(here.asked.filter(({ path }) => path === '/other.jpg')).toEqual([])
  })

  test('that does not answer is left alone after some rows, so that not each of them waits', async () => {
    await using here = await site({ '*': () => {} })
    using fetcher = new RowFetcher({ ...quick, fetchTimeoutMs: 40 })
    const codes: string[] = []
    for (let row = 0; row < 8; row++) {
      const found = await fetcher.fetch({ address: `${here.base}/${row}.jpg` }, signal)
      codes.push((found as RowFailure).code)
    }
    expect(codes).toEqual([...Array(5).fill('timeout'), ...Array(3).fill('host-down')])
  })

  test('that drips holds up nobody who asks another', async () => {
    await using slow = await site({ '*': (_, answer) => void answer.write('.') })
    await using fast = await site({ '*': (_, answer) => answer.end(image) })
    using fetcher = new RowFetcher({
      ...quick,
      hostRate: { perSecond: 1000, connections: 2 },
      fetchTimeoutMs: 2000,
    })
    const stop = new AbortController()
    const waiting = Array.from({ length: 20 }, (_, row) =>
      fetcher.fetch({ address: `${slow.base}/${row}.jpg` }, stop.signal).catch((error: unknown) => error),
    )
    const start = performance.now()
    for (let row = 0; row < 10; row++)
      expect(await fetcher.fetch({ address: `${fast.base}/${row}.jpg` }, signal)).toBeInstanceOf(Uint8Array)
    expect(performance.now() - start).toBeLessThan(1500)
    expect(slow.asked.filter(({ path }) => path !== '/robots.txt').length).toBe(2)
    const reason = new Error('no longer wanted')
    stop.abort(reason)
    expect(await Promise.all(waiting)).toEqual(Array(20).fill(reason))
  })

  test('is asked no more often, and no more at once, than was said', async () => {
    let most = 0
    let underWay = 0
    await using here = await site({
      '*': (_, answer) => {
        most = Math.max(most, ++underWay)
        setTimeout(() => {
          underWay--
          answer.end(image)
        }, 60)
      },
    })
    using fetcher = new RowFetcher({ ...quick, hostRate: { perSecond: 50, connections: 2 } })
    await Promise.all(
      Array.from({ length: 8 }, (_, row) => fetcher.fetch({ address: `${here.base}/${row}.jpg` }, signal)),
    )
    expect(most).toBe(2)
    const times = here.asked.map(({ atMs }) => atMs)
    // Four pairs of 60 ms, and 20 ms between any two; clocks of two processes' ends differ by little.
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(170)
  })
})

describe('robots.txt', () => {
  const ruled = (text: string) =>
    site({ '/robots.txt': (_, answer) => void answer.end(text), '*': (_, answer) => answer.end(image) })

  test('is asked for once, and kept to', async () => {
    await using here = await ruled(
      'User-agent: *\nDisallow: /\n\nUser-agent: Plumage\nDisallow: /private\nAllow: /private/open\n',
    )
    using fetcher = new RowFetcher(quick)
    const codes = await Promise.all(
      ['/a.jpg', '/private/a.jpg', '/private/open/a.jpg', '/private?x'].map(async (path) => {
        const found = await fetcher.fetch({ address: here.base + path }, signal)
        return found instanceof Uint8Array ? 'fetched' : `${found.code} ${found.transient}`
      }),
    )
    expect(codes).toEqual(['fetched', 'refused-robots false', 'fetched', 'refused-robots false'])
    expect(here.asked.map(({ path }) => path).sort()).toEqual([
      '/a.jpg',
      '/private/open/a.jpg',
      '/robots.txt',
    ])
  })

  test('of a server to which another leads counts as well', async () => {
    await using there = await ruled('User-agent: *\nDisallow: /')
    await using here = await site({
      '*': (_, answer) => answer.writeHead(302, { location: `${there.base}/a.jpg` }).end(),
    })
    expect(await outcome(`${here.base}/a.jpg`)).toMatchObject({ code: 'refused-robots' })
    expect(there.asked.map(({ path }) => path)).toEqual(['/robots.txt'])
  })

  test.each([
    [403, 'fetched'],
    [404, 'fetched'],
    [500, 'refused-robots true'],
    [503, 'refused-robots true'],
    [429, 'refused-robots true'],
  ])('that answers %d means: %s', async (status, expected) => {
    await using here = await site({
      '/robots.txt': (_, answer) => answer.writeHead(status).end(),
      '*': (_, answer) => answer.end(image),
    })
    const found = await outcome(`${here.base}/a.jpg`)
    expect(typeof found === 'string' ? 'fetched' : `${found.code} ${found.transient}`).toBe(expected)
  })

  test('that is longer than half a megabyte counts as far as that', async () => {
    await using here = await ruled(
      `User-agent: *\nDisallow: /private\n${'# x\n'.repeat(150_000)}Disallow: /a.jpg\n`,
    )
    expect(await outcome(`${here.base}/a.jpg`)).toBe(String(image))
    expect(await outcome(`${here.base}/private/a.jpg`)).toMatchObject({ code: 'refused-robots' })
  })

  test('that is not answered says so, and who asked first may give up', async () => {
    await using here = await site({
      '/robots.txt': (_, answer) => void setTimeout(() => answer.writeHead(404).end(), 100),
      '*': (_, answer) => answer.end(image),
    })
    using fetcher = new RowFetcher(quick)
    const stop = new AbortController()
    const first = fetcher.fetch({ address: `${here.base}/a.jpg` }, stop.signal)
    const second = fetcher.fetch({ address: `${here.base}/b.jpg` }, signal)
    setTimeout(() => stop.abort(new Error('no longer wanted')), 20)
    await expect(first).rejects.toThrow('no longer wanted')
    expect(await second).toBeInstanceOf(Uint8Array)
    await using silent = await site({ '/robots.txt': () => {}, '*': (_, answer) => answer.end(image) })
    expect(await outcome(`${silent.base}/a.jpg`, { ...quick, fetchTimeoutMs: 50 })).toMatchObject({
      code: 'timeout',
      transient: true,
    })
  })
})

describe('X-Robots-Tag', () => {
  test.each([
    ['noai', 'noai'],
    ['nosnippet, NoImageAI', 'noimageai'],
    ['none', 'none'],
    ['googlebot: noindex, nofollow', null],
    ['googlebot: noindex, plumage: noai', 'noai'],
    ['otherbot: noai, *: noindex', 'noindex'],
    ['unavailable_after: 25 Jun 2027 15:00:00 PST, noai', 'noai'],
    ['all, noarchive, max-image-preview: large', null],
    [['otherbot: noai', 'noimageindex'], 'noimageindex'],
    [undefined, null],
  ])('%j is read as %s', (header, expected) => {
    expect(refusingWordOrNull(header, 'plumage')).toBe(expected)
  })

  test('is honoured unless it is to be ignored', async () => {
    await using here = await site({
      '*': (_, answer) => answer.writeHead(200, { 'x-robots-tag': 'noai' }).end(image),
    })
    expect(await outcome(`${here.base}/a.jpg`)).toMatchObject({ code: 'refused-noai', transient: false })
    expect(await outcome(`${here.base}/a.jpg`, { ...quick, ignoresNoai: true })).toBe(String(image))
  })
})

describe('what lies elsewhere', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'plumage-rows-'))
    writeFileSync(join(folder, 'shard.tar'), 'header.image one.more')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('is read as a whole or as a range', async () => {
    const shard = join(folder, 'shard.tar')
    const storage = new MemoryStorage('s3://photos')
    const written = await storage.write('a/b?c#d.jpg', image)
    const version = written.written ? written.version : ''
    using fetcher = new RowFetcher({ storages: new Map([['s3://photos', storage]]), maxFileBytes: 1000 })
    const text = async (place: Parameters<typeof fetcher.fetch>[0]) => {
      const found = await fetcher.fetch(place, signal)
      return found instanceof Uint8Array ? Buffer.from(found).toString() : found.code
    }
    expect(await text({ address: shard, offset: 7, length: 9 })).toBe('image one')
    expect(await text({ address: pathToFileURL(shard).href, offset: 17 })).toBe('more')
    expect(await text({ address: shard, offset: 17, length: 9 })).toBe('cut-off')
    expect(await text({ address: shard, length: 2000 })).toBe('too-large')
    expect(await text({ address: folder })).toBe('unreadable')
    expect(await text({ address: join(folder, 'none.jpg') })).toBe('not-found')
    expect(await text({ address: `data:image/png;base64,${image.toString('base64')}` })).toBe(String(image))
    expect(await text({ address: '' })).toBe('no-address')
    expect(await text({ address: 'ftp://x/y.jpg' })).toBe('unsupported')
    expect(await text({ address: 's3://photos/a/b?c#d.jpg', version })).toBe(String(image))
    expect(await text({ address: 's3://photos/a/b?c#d.jpg', offset: 9, length: 2 })).toBe('an')
    expect(await text({ address: 's3://photos/a/b?c#d.jpg', version: 'other' })).toBe('changed')
    expect(await text({ address: 's3://photos/none.jpg' })).toBe('not-found')
    await storage.write('large', Buffer.alloc(2000))
    expect(await text({ address: 's3://photos/large' })).toBe('too-large')
    expect(await text({ address: 's3://others/a.jpg' })).toBe('unsupported')
  })

  test('an abort is no failure of a row', async () => {
    using fetcher = new RowFetcher()
    await expect(fetcher.fetch({ address: 'x' }, AbortSignal.abort(new Error('over')))).rejects.toThrow(
      'over',
    )
  })

  test('unknown options are refused', () => {
    expect(() => new RowFetcher({ contcat: contact } as RowFetcherOptions)).toThrow('Did you mean contact?')
    expect(() => new RowFetcher({ hostRate: { perSecond: 0, connections: 1 } })).toThrow(RangeError)
  })
})
