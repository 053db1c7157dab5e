/** Servers that truncate, stall, redirect and lie: each ends in the right file or in its own named error. */
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { DownloadProgress } from '../../src/hub/download-progress.js'
import type { HubErrorCode } from '../../src/hub/hub-error.js'
import { type DownloadOptions, downloadFile } from '../../src/platform/node/hub/download-file.js'
import { type Answerer, serve, someBytes, startServer, temporaryFolder } from '../support/weights-server.js'

const file = someBytes(300_000)
const QUICK = { retries: 2, retryDelayMs: 5, stallTimeoutMs: 250, env: {} } as const

async function download(
  answer: Answerer,
  options: DownloadOptions = {},
  before?: (destination: string) => Promise<void>,
) {
  await using server = await startServer(answer)
  await using folder = await temporaryFolder()
  const destination = join(folder.path, 'models', 'w.pt')
  await before?.(destination)
  const progress: DownloadProgress[] = []
  const all = { ...QUICK, onProgress: (event: DownloadProgress) => progress.push(event), ...options }
  const outcome = await downloadFile(`${server.origin}/w.pt`, destination, all).then(
    (result) => ({ result, error: null }),
    (error) => ({ result: null, error }),
  )
  return {
    ...outcome,
    requests: server.requests,
    progress,
    kinds: [...new Set(progress.map(({ kind }) => kind))],
    bytes: existsSync(destination) ? await readFile(destination) : null,
    left: await readdir(join(folder.path, 'models')).catch(() => []),
  }
}

async function failure(code: HubErrorCode, answer: Answerer, options: DownloadOptions = {}) {
  const outcome = await download(answer, options)
  expect(outcome.error).toMatchObject({ name: 'HubError', code })
  expect(outcome.error.message).not.toContain('\n')
  expect(outcome.bytes, 'no file under the final name').toBeNull()
  return outcome
}

async function success(answer: Answerer, options: DownloadOptions = {}) {
  const outcome = await download(answer, { sha256: file.sha256, ...options })
  expect(outcome.error).toBeNull()
  expect(outcome.bytes?.equals(file.bytes)).toBe(true)
  expect(outcome.left, 'nothing but the file is left').toEqual(['w.pt'])
  return outcome
}

describe('a good server', () => {
  test('the file arrives whole, with progress and under its own user agent', async () => {
    const { result, progress, kinds, requests } = await success((request, response) =>
      serve(request, response, file.bytes),
    )
    expect(result).toMatchObject({ size: 300_000, sha256: file.sha256, downloaded: true })
    expect(kinds).toEqual(['start', 'bytes', 'done'])
    expect(progress.at(-1)).toMatchObject({ received: 300_000, total: 300_000 })
    expect(requests[0]?.headers['user-agent']).toMatch(/^plumage\/\d+\.\d+\.\d+/)
  })

  test('a file that is there and fits is used without a request; one that does not fit is replaced', async () => {
    const put = (bytes: Uint8Array) => async (destination: string) => {
      await import('node:fs/promises').then(({ mkdir }) =>
        mkdir(join(destination, '..'), { recursive: true }),
      )
      await writeFile(destination, bytes)
    }
    const answer: Answerer = (request, response) => serve(request, response, file.bytes)
    const fits = await download(answer, { sha256: file.sha256 }, put(file.bytes))
    expect(fits.result).toMatchObject({ downloaded: false })
    expect(fits.requests).toHaveLength(0)
    const other = await download(answer, { sha256: file.sha256 }, put(Buffer.from('old')))
    expect(other.result).toMatchObject({ downloaded: true })
    expect(other.bytes?.equals(file.bytes)).toBe(true)
  })

  test('offline: no request, and the error says where to put the file and where it is from', async () => {
    for (const options of [{ offline: true }, { env: { HF_HUB_OFFLINE: '1' } }]) {
      const { error, requests } = await failure(
        'offline',
        (request, response) => serve(request, response, file.bytes),
        options,
      )
      expect(error.message).toMatch(/models.w\.pt .*http:\/\/127\.0\.0\.1:\d+\/w\.pt/)
      expect(requests).toHaveLength(0)
    }
  })
})

describe('cuts', () => {
  test('after a cut the rest is asked for, of the same version', async () => {
    const { requests, progress } = await success((request, response, visit) =>
      serve(request, response, file.bytes, visit === 0 ? { cutAfter: 100_000 } : {}),
    )
    expect(requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=100000-'])
    expect(requests[1]?.headers['if-range']).toBe('"one"')
    expect(progress.find(({ kind }) => kind === 'resume')).toMatchObject({
      received: 100_000,
      total: 300_000,
    })
  })

  test('a server that knows no Range starts the file anew', async () => {
    const { progress } = await success((request, response, visit) =>
      serve(request, response, file.bytes, { ranges: false, ...(visit === 0 ? { cutAfter: 100_000 } : {}) }),
    )
    expect(progress.filter(({ kind }) => kind === 'start')).toHaveLength(2)
  })

  test('a version that changed midway is fetched from the start, not joined to the old one', async () => {
    const old = someBytes(300_000)
    await success((request, response, visit) =>
      visit === 0
        ? serve(request, response, old.bytes, { etag: '"old"', cutAfter: 100_000 })
        : serve(request, response, file.bytes, { etag: '"new"' }),
    )
  })

  test('a version that changed midway under the same ETag is noticed by its hash and fetched once more', async () => {
    const old = someBytes(300_000)
    const { requests } = await success((request, response, visit) =>
      serve(
        request,
        response,
        visit === 0 ? old.bytes : file.bytes,
        visit === 0 ? { cutAfter: 100_000 } : {},
      ),
    )
    expect(requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=100000-', undefined])
  })

  test('a server that ignores If-Range and sends a piece of another version is not believed', async () => {
    const { requests } = await success((request, response, visit) => {
      if (visit === 0) return serve(request, response, file.bytes, { cutAfter: 100_000 })
      request.headers['if-range'] = undefined
      serve(request, response, file.bytes, { etag: '"other"' })
    })
    expect(requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=100000-', undefined])
  })

  test('a piece from another place than asked for is not joined', async () => {
    await success((request, response, visit) => {
      if (visit === 0) return serve(request, response, file.bytes, { cutAfter: 100_000 })
      if (visit > 1) return serve(request, response, file.bytes)
      response
        .writeHead(206, { 'content-range': 'bytes 5-299999/300000', etag: '"one"' })
        .end(file.bytes.subarray(5))
    })
  })

  test('416 for a partial file longer than the file starts anew', async () => {
    const longer = someBytes(400_000)
    await success((request, response, visit) =>
      visit === 0
        ? serve(request, response, longer.bytes, { cutAfter: 350_000 })
        : serve(request, response, file.bytes),
    )
  })

  test('a server that always cuts at the same byte: short-file, and what arrived is kept', async () => {
    const { error, left, requests } = await failure('short-file', (request, response) =>
      serve(request, response, file.bytes, { ranges: false, cutAfter: 100_000 }),
    )
    expect(error.message).toContain('after 100000 bytes, expected 300000')
    expect(left.sort()).toEqual(['w.pt.partial', 'w.pt.partial.json'])
    expect(requests).toHaveLength(3)
  })

  test('progress of a mebibyte a time is worth any number of tries', async () => {
    const large = someBytes(8 << 20)
    const { error, bytes, requests } = await download(
      (request, response) => serve(request, response, large.bytes, { cutAfter: 3 << 19 }),
      { sha256: large.sha256, retries: 1 },
    )
    expect(error).toBeNull()
    expect(bytes?.equals(large.bytes)).toBe(true)
    expect(requests).toHaveLength(6)
  })

  test('the second call goes on from where an abort left the first', async () => {
    await using server = await startServer((request, response, visit) =>
      serve(request, response, file.bytes, visit === 0 ? { stallAfter: 100_000 } : {}),
    )
    await using folder = await temporaryFolder()
    const destination = join(folder.path, 'w.pt')
    const abort = new AbortController()
    const onProgress = ({ received }: DownloadProgress) =>
      received === 100_000 && abort.abort(new Error('enough'))
    const first = downloadFile(`${server.origin}/w.pt`, destination, {
      ...QUICK,
      signal: abort.signal,
      onProgress,
    })
    await expect(first).rejects.toThrow('enough')
    const second = await downloadFile(`${server.origin}/w.pt`, destination, { ...QUICK, sha256: file.sha256 })
    expect(second.downloaded).toBe(true)
    expect(server.requests[1]?.headers.range).toBe('bytes=100000-')
  })

  test('a partial file damaged on the disk is found out and replaced', async () => {
    await using server = await startServer((request, response) => serve(request, response, file.bytes))
    await using folder = await temporaryFolder()
    const destination = join(folder.path, 'w.pt')
    await writeFile(`${destination}.partial`, Buffer.alloc(50_000))
    await writeFile(
      `${destination}.partial.json`,
      JSON.stringify({ url: `${server.origin}/w.pt`, etag: '"one"' }),
    )
    await downloadFile(`${server.origin}/w.pt`, destination, { ...QUICK, sha256: file.sha256 })
    expect((await readFile(destination)).equals(file.bytes)).toBe(true)
    expect(server.requests.map(({ headers }) => headers.range)).toEqual(['bytes=50000-', undefined])
  })
})

describe('stalls', () => {
  test('a stall is cut short and the rest asked for', async () => {
    const { requests } = await success((request, response, visit) =>
      serve(request, response, file.bytes, visit === 0 ? { stallAfter: 100_000 } : {}),
    )
    expect(requests[1]?.headers.range).toBe('bytes=100000-')
  })

  test('a server that never answers: stalled, after the time given', async () => {
    const { error } = await failure('stalled', () => {}, { retries: 0 })
    expect(error.message).toContain('nothing for 0.25 s')
  })
})

describe('lies', () => {
  const wrong = someBytes(300_000)

  test('wrong bytes: wrong-hash with both hashes, fetched once, nothing kept', async () => {
    const { error, left, requests } = await failure(
      'wrong-hash',
      (request, response) => serve(request, response, wrong.bytes),
      { sha256: file.sha256 },
    )
    expect(error.message).toContain(wrong.sha256)
    expect(error.message).toContain(file.sha256)
    expect(left).toEqual([])
    expect(requests).toHaveLength(1)
  })

  test('wrong bytes in pieces: fetched once more in one piece at most', async () => {
    const { requests } = await failure(
      'wrong-hash',
      (request, response, visit) =>
        serve(request, response, wrong.bytes, visit % 2 === 0 ? { cutAfter: 100_000 } : {}),
      { sha256: file.sha256 },
    )
    expect(requests).toHaveLength(4)
  })

  test('a length announced that is not the expected one is refused before a byte is kept', async () => {
    const answer: Answerer = (request, response) => serve(request, response, file.bytes)
    const short = await failure('short-file', answer, { size: 300_001 })
    expect(short.error.message).toContain('offers 300000 bytes, expected 300001')
    await failure('too-long', answer, { size: 299_999 })
    await failure('too-long', answer, { atMost: 299_999 })
  })

  test('a server that announces no length and never ends is stopped at the limit', async () => {
    let sent = 0
    const endless: Answerer = (_, response) => {
      response.writeHead(200)
      const more = () => {
        while (!response.destroyed && response.write(wrong.bytes)) sent += wrong.bytes.length
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    }
    const { left } = await failure('too-long', endless, { atMost: 1_000_000 })
    expect(left).toEqual([])
    expect(sent).toBeLessThan(20_000_000)
  })

  test('no length announced and too few bytes: short-file', async () => {
    const answer: Answerer = (request, response) =>
      serve(request, response, file.bytes, { length: false, ranges: false })
    await failure('short-file', answer, { size: 300_001, retries: 0 })
  })

  test('a length announced that is larger than what comes: short-file', async () => {
    const answer: Answerer = (_, response) => {
      response
        .writeHead(200, { 'content-length': 400_000 })
        .write(file.bytes, () => setTimeout(() => response.destroy(), 20))
    }
    await failure('short-file', answer, { retries: 0 })
  })

  test('a length announced that is smaller than what comes: the hash tells', async () => {
    const answer: Answerer = (_, response) => {
      response.socket?.end(
        Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n'), file.bytes]),
      )
    }
    await failure('wrong-hash', answer, { sha256: file.sha256, retries: 0 })
  })
})

describe('refusals', () => {
  const status =
    (code: number, headers: Record<string, string> = {}): Answerer =>
    (_, response) =>
      response.writeHead(code, headers).end('sorry')

  test.each([
    [404, 'not-found', 1],
    [410, 'not-found', 1],
    [401, 'forbidden', 1],
    [403, 'forbidden', 1],
    [418, 'server-error', 1],
    [500, 'server-error', 3],
    [503, 'server-error', 3],
    [429, 'server-error', 3],
  ] as const)('%d is %s after %d tries', async (code, named, tries) => {
    const { requests, error, left } = await failure(named, status(code))
    expect(left).toEqual([])
    expect(requests).toHaveLength(tries)
    expect(error.message).toContain(`${code}`)
    if (named === 'forbidden') expect(error.message).toContain('HF_TOKEN')
  })

  test('429 and 500 first, then the file: the wait that Retry-After asks for is kept', async () => {
    const started = Date.now()
    await success((request, response, visit) => {
      if (visit === 0) return status(429, { 'retry-after': '1' })(request, response, visit)
      if (visit === 1) return status(500)(request, response, visit)
      serve(request, response, file.bytes)
    })
    expect(Date.now() - started).toBeGreaterThanOrEqual(990)
  })

  test('nobody at the address: no-network, naming host and proxy variables', async () => {
    const gone = await startServer(() => {})
    await gone[Symbol.asyncDispose]()
    await using folder = await temporaryFolder()
    const attempt = downloadFile(`${gone.origin}/w.pt`, join(folder.path, 'w.pt'), QUICK)
    await expect(attempt).rejects.toMatchObject({
      code: 'no-network',
      message: /127\.0\.0\.1:\d+.*ECONNREFUSED.*HTTPS_PROXY/,
    })
    const unknown = downloadFile('http://no-such-host.invalid/w.pt', join(folder.path, 'w.pt'), {
      ...QUICK,
      retries: 0,
    })
    await expect(unknown).rejects.toMatchObject({ code: 'no-network' })
  })

  test('a place that cannot be written to is named', async () => {
    await using server = await startServer((request, response) => serve(request, response, file.bytes))
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'a-file'), '')
    const attempt = downloadFile(`${server.origin}/w.pt`, join(folder.path, 'a-file', 'w.pt'), QUICK)
    await expect(attempt).rejects.toMatchObject({ code: 'no-access', message: /PLUMAGE_CACHE/ })
    expect(server.requests).toHaveLength(0)
  })

  test('what is no address is refused by name', async () => {
    await expect(downloadFile('file:///etc/hosts', '/nowhere/w.pt', QUICK)).rejects.toMatchObject({
      code: 'no-address',
    })
  })
})
