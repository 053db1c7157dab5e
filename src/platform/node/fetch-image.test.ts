/** Images of addresses are fetched within limits, from a real server; what leads inside this machine or its network is refused unless it is allowed. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeImage } from './decode-image.js'
import { isPublicAddress, lookupPublic } from './public-address.js'

let server: Server
let base = ''
let asked: string[] = []

beforeAll(async () => {
  const image = await sharp({ create: { width: 6, height: 4, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
  const answers: Readonly<Record<string, RequestListener>> = {
    '/wren.png': (_, answer) => answer.end(image),
    '/moved': (_, answer) => answer.writeHead(302, { location: '/wren.png' }).end(),
    '/round': (_, answer) => answer.writeHead(301, { location: '/round' }).end(),
    '/file': (_, answer) => answer.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    '/nowhere': (_, answer) => answer.writeHead(302).end(),
    '/packed': (_, answer) => answer.writeHead(200, { 'content-encoding': 'gzip' }).end(image),
    '/private': ({ headers }, answer) =>
      answer.writeHead(headers.authorization === `Basic ${btoa('wren:eg@g')}` ? 200 : 401).end(image),
    '/page': (_, answer) => answer.end('<!DOCTYPE html><title>no image</title>'),
    '/broken': (_, answer) => {
      answer.writeHead(200, { 'content-length': image.length })
      answer.write(image.subarray(0, 20), () => answer.destroy())
    },
    '/long': (_, answer) => answer.writeHead(200, { 'content-length': 1e9 }).write(image),
    '/endless': (_, answer) => {
      const write = () => {
        while (!answer.destroyed && answer.write(Buffer.alloc(65536)));
      }
      answer.on('drain', write)
      write()
    },
    '/silent': () => {},
    '/slow': (_, answer) => answer.write(image.subarray(0, 10)),
  }
  server = createServer((question, answer) => {
    const path = new URL(question.url ?? '/', 'http://here').pathname
    asked.push(path)
    const found = answers[path]
    if (found === undefined) answer.writeHead(404).end()
    else found(question, answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const allowed = { allowPrivateAddresses: true }

test.each(['/wren.png', '/moved', '/wren.png?secret=1'])(
  '%s is fetched, as a text and as a URL',
  async (path) => {
    const expected = { height: 4, width: 6, format: 'png' }
    expect(await decodeImage(base + path, allowed)).toMatchObject(expected)
    expect(await decodeImage(new URL(base + path), allowed)).toMatchObject(expected)
  },
)

test('a name and a password in an address are told to its server', async () => {
  const address = `${base.replace('//', '//wren:eg%40g@')}/private`
  expect(await decodeImage(address, allowed)).toMatchObject({ format: 'png' })
  await expect(decodeImage(`${base}/private`, allowed)).rejects.toThrow(/answers 401/)
})

test.each([
  ['/none.png', 'not-found', /answers 404/],
  ['/round', 'download-failed', /redirected more than 5 times/],
  ['/file', 'download-failed', /redirects to file:/],
  ['/nowhere', 'download-failed', /redirects to nowhere/],
  ['/packed', 'download-failed', /comes packed \(gzip\)/],
  ['/page', 'unsupported', /is HTML/],
  ['/broken', 'unreadable', /cannot be read to its end/],
  ['/long', 'too-large', /more than 100000 bytes/],
  ['/endless', 'too-large', /more than 100000 bytes/],
])('%s fails as %s, and its query is not told', async (path, code, message) => {
  const failing = decodeImage(`${base}${path}?token=hidden`, { ...allowed, maxFileBytes: 100_000 })
  const error = await failing.catch((error: unknown) => error)
  expect(error).toMatchObject({ name: 'ImageError', code, message: expect.stringMatching(message) })
  expect(String(error)).not.toContain('hidden')
})

test.each(['/silent', '/slow'])(
  '%s is given up after the time that it may take, and on an abort',
  async (path) => {
    await expect(decodeImage(base + path, { ...allowed, fetchTimeoutMs: 50 })).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringContaining('longer than 50 ms'),
    })
    const reason = new Error('no longer wanted')
    const controller = new AbortController()
    const running = decodeImage(base + path, { ...allowed, signal: controller.signal })
    setTimeout(() => controller.abort(reason), 30)
    await expect(running).rejects.toBe(reason)
  },
)

test('a server that is not there is named', async () => {
  await expect(decodeImage('http://127.0.0.1:1/wren.png', allowed)).rejects.toMatchObject({
    code: 'download-failed',
    message: expect.stringContaining('http://127.0.0.1:1/wren.png cannot be fetched'),
  })
})

describe('nothing is asked', () => {
  test('where the network is not to be used', async () => {
    asked = []
    const refused = decodeImage(`${base}/wren.png`, { ...allowed, offline: true })
    await expect(refused).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('offline'),
    })
    expect(asked).toEqual([])
  })

  test.each(['127.0.0.1', 'localhost', '[::1]', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]', '0.0.0.0'])(
    'of this machine by the name of %s',
    async (host) => {
      asked = []
      const url = `${base.replace('127.0.0.1', host)}/wren.png`
      await expect(decodeImage(url)).rejects.toMatchObject({
        name: 'ImageError',
        code: 'refused',
        message: expect.stringContaining('allowPrivateAddresses'),
      })
      expect(asked).toEqual([])
    },
  )
})

test.each([
  ['8.8.8.8', true],
  ['2606:4700:4700::1111', true],
  ['64:ff9b::8.8.8.8', true],
  ['64:ff9b::10.0.0.1', false],
  ['127.0.0.53', false],
  ['10.1.2.3', false],
  ['172.16.0.1', false],
  ['172.32.0.1', true],
  ['192.168.1.1', false],
  ['169.254.169.254', false],
  ['100.64.0.1', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['0.0.0.0', false],
  ['::', false],
  ['::1', false],
  ['fe80::1', false],
  ['fd00::1', false],
  ['::ffff:192.168.0.1', false],
  ['nonsense', false],
])('%s is public: %s', (address, expected) => {
  expect(isPublicAddress(address)).toBe(expected)
})

test('a name is judged by all that it leads to, when the connection is made', async () => {
  const found = await new Promise<Error | null>((resolve) => {
    lookupPublic('localhost', {}, (error) => resolve(error))
  })
  expect(found).toMatchObject({
    name: 'ImageError',
    code: 'refused',
    message: expect.stringContaining('localhost ('),
  })
})
