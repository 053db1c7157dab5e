/** Loads a model from an address in a real Chromium: it is kept, resumed and checked, and every trouble has its name. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  buildPage,
  call,
  callIn,
  chromiumPath,
  openPage,
  serveSite,
  sharedChromium,
  type TestSite,
} from '../support/chromium.js'
import { MINI } from '../support/mini.js'

const NAME = 'deit3_reg4_t14_tiny-imagenet.safetensors'
const weights = readFileSync(MINI)
const sha256 = createHash('sha256').update(weights).digest('hex')
const PATH = `/models/${NAME}`

interface Behaviour {
  /** Says after how many bytes each answer is cut; further ones are whole. */
  cuts?: number[]
  etag?: string
  ranges?: boolean
  status?: number
  body?: Buffer
  hold?: boolean
}

describe.skipIf(chromiumPath === null)('downloads in Chromium', () => {
  let browser: Browser
  let context: BrowserContext
  /** Is the page of a test that needs one only. */
  let first: Promise<Page> | undefined
  let site: TestSite
  let asked: { method: string; range: string | undefined }[] = []
  let behaviour: Behaviour = {}

  function answer(request: IncomingMessage, response: ServerResponse): boolean {
    if (request.url !== PATH) return false
    const { cuts = [], etag = '"one"', ranges = true, status, body = weights, hold = false } = behaviour
    const range = request.headers.range
    asked.push({ method: request.method ?? '', range })
    if (status !== undefined) {
      response.writeHead(status, { 'Retry-After': '0' }).end()
      return true
    }
    const start = ranges ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0
    const rest = body.subarray(start)
    const cut = cuts.shift()
    response.writeHead(start > 0 ? 206 : 200, {
      'Content-Length': rest.length,
      ETag: etag,
      'Cross-Origin-Resource-Policy': 'same-origin',
      ...(start > 0 ? { 'Content-Range': `bytes ${start}-${body.length - 1}/${body.length}` } : {}),
    })
    if (request.method === 'HEAD') response.end()
    else if (cut === undefined) response.end(rest)
    else
      response.write(rest.subarray(0, cut), () =>
        hold ? undefined : setTimeout(() => response.destroy(), 50),
      )
    return true
  }

  beforeAll(async () => {
    site = await serveSite(await buildPage(), {})
    site.handler = answer
    browser = await sharedChromium()
  })
  beforeEach(async () => {
    context = await browser.newContext()
    first = undefined
    asked = []
    behaviour = {}
  })
  afterEach(() => context?.close())
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]()
  })

  const page = () => {
    first ??= openPage(context, site.plain)
    return first
  }
  const load = async (options: { load?: object; stopAt?: number } = {}) =>
    await callIn(await page(), 'load', { url: PATH, ...options })
  /** Does so in a page of its own, as at another visit. */
  const visit = (options: { load?: object } = {}) =>
    call(context, site.plain, 'load', { url: PATH, ...options })

  test('a model is fetched once, and asked after at the next visit', async () => {
    const before = await visit()
    expect(before.error).toBeNull()
    expect(before.progress.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['start', 'done']))
    expect(await callIn(await page(), 'listStoredModels')).toEqual([
      { url: new URL(PATH, site.plain).href, bytes: weights.length, whole: true },
    ])
    const after = await load()
    expect(after.embedding).toEqual(before.embedding)
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'HEAD'])
  })

  test('one with a known hash is not asked after', async () => {
    expect((await visit({ load: { sha256 } })).error).toBeNull()
    expect((await visit({ load: { sha256 } })).error).toBeNull()
    expect(asked).toHaveLength(1)
  })

  test('a changed file is fetched anew', async () => {
    await load()
    behaviour = { etag: '"two"' }
    expect((await load()).error).toBeNull()
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'HEAD', 'GET'])
  })

  test('an answer that is cut goes on where it stopped', async () => {
    behaviour = { cuts: [3_000_000] }
    const { error, embedding } = await load()
    expect(error).toBeNull()
    expect(embedding).toHaveLength(192)
    expect(asked).toHaveLength(2)
    const from = Number(/bytes=(\d+)-/.exec(asked[1]?.range ?? '')?.[1])
    expect(from).toBeGreaterThan(0)
    expect(from).toBeLessThanOrEqual(3_000_000)
  })

  test('a page that is closed in the middle leaves what it has, and the next one goes on from there', async () => {
    behaviour = { cuts: [4_000_000], hold: true }
    const page = await openPage(context, site.plain)
    const lost = callIn(page, 'load', { url: PATH }).catch(() => 'closed')
    await expect.poll(() => asked.length).toBe(1)
    const other = await openPage(context, site.plain)
    await expect
      .poll(async () => (await callIn(other, 'listStoredModels'))[0]?.bytes ?? 0, { timeout: 20_000 })
      .toBeGreaterThan(3_000_000)
    // What is being written stays, and is told.
    expect(await callIn(other, 'removeStoredModels')).toMatchObject([{ whole: false }])
    await page.close({ runBeforeUnload: false })
    expect(await lost).toBe('closed')
    const { error, progress } = await callIn(other, 'load', { url: PATH })
    expect(error).toBeNull()
    expect(progress.map(({ kind }) => kind)).toContain('resume')
    expect(Number(/bytes=(\d+)-/.exec(asked[1]?.range ?? '')?.[1])).toBeGreaterThan(3_000_000)
  })

  test('a page that waits for another hears how far that one is, and takes over when it is closed', async () => {
    behaviour = { cuts: [4_000_000], hold: true }
    const page = await openPage(context, site.plain)
    const lost = callIn(page, 'load', { url: PATH }).catch(() => 'closed')
    const other = await openPage(context, site.plain)
    await expect
      .poll(async () => (await callIn(other, 'listStoredModels'))[0]?.bytes ?? 0)
      .toBeGreaterThan(3_000_000)
    const taken = callIn(other, 'load', { url: PATH })
    const waiting = () => other.evaluate(async () => (await navigator.locks.query()).pending?.length)
    await expect.poll(waiting).toBe(1)
    await expect.poll(() => callIn(other, 'heard')).toContain('waiting')
    await page.close({ runBeforeUnload: false })
    expect(await lost).toBe('closed')
    const { error, progress } = await taken
    expect(error).toBeNull()
    const kinds = [...new Set(progress.map(({ kind }) => kind))]
    expect(kinds).toEqual(['waiting', 'verify', 'resume', 'bytes', 'done'])
    expect(progress[0]?.received).toBeGreaterThan(3_000_000)
    expect(asked).toHaveLength(2)
  })

  test('a load that is given up stops, keeps its bytes, and can be taken up', async () => {
    behaviour = { cuts: [2_000_000], hold: true }
    const { error } = await load({ stopAt: 1 })
    expect(error?.name).toBe('AbortError')
    behaviour = {}
    expect((await load()).error).toBeNull()
    expect(asked[1]?.range).toMatch(/^bytes=\d+-$/)
  })

  test('pieces of two versions are not joined', async () => {
    behaviour = { cuts: [2_000_000], hold: true }
    await load({ stopAt: 1 })
    behaviour = { etag: '"two"' }
    expect((await load()).error).toBeNull()
    // The rest was asked for, belonged to another version, and all was fetched anew.
    expect(asked.map(({ range }) => range !== undefined)).toEqual([false, true, false])
  })

  test('a server without ranges is fetched from the start', async () => {
    behaviour = { cuts: [2_000_000], ranges: false }
    expect((await load()).error).toBeNull()
  })

  test('two pages at once fetch it once', async () => {
    const [a, b] = await Promise.all([visit({ load: { sha256 } }), visit({ load: { sha256 } })])
    expect([a.error, b.error]).toEqual([null, null])
    expect(asked).toHaveLength(1)
  })

  test.each([
    ['another hash', {}, { sha256: '0'.repeat(64) }, 'HubError', 'wrong-hash'],
    ['no such file', { status: 404 }, {}, 'HubError', 'not-found'],
    ['no permission', { status: 403 }, {}, 'HubError', 'forbidden'],
    [
      'a page where weights were expected',
      { body: Buffer.from('<html>not here</html>') },
      {},
      'HubError',
      'server-error',
    ],
    [
      'a file that is no checkpoint',
      { body: Buffer.from('these bytes are of something else') },
      {},
      'CheckpointError',
      'unknown-format',
    ],
  ] as const)('%s: refused by name', async (_, given, options, name, code) => {
    behaviour = given
    const { error } = await load({ load: options })
    expect(error).toMatchObject({ name, code })
  })

  test('a server that stays busy is tried again, then named', async () => {
    behaviour = { status: 503 }
    const { error } = await load()
    expect(error).toMatchObject({ name: 'HubError', code: 'server-error' })
    expect(asked.length).toBeGreaterThan(3)
  })

  test('an unknown name is answered with the nearest ones, without asking any server', async () => {
    const { error } = await callIn(await page(), 'load', { url: 'vit_reg4_l14_nps_ls_dino-v2-lvd142' })
    expect(error).toMatchObject({ name: 'HubError', code: 'unknown-model' })
    expect(error?.message).toContain('vit_reg4_l14_nps_ls_dino-v2-lvd142m')
  })

  test('stored models can be removed', async () => {
    await load()
    expect(await callIn(await page(), 'removeStoredModels')).toEqual([])
    expect(await callIn(await page(), 'listStoredModels')).toEqual([])
  })
})
