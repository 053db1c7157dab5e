/** What a web server has is read in ranges, of one version, and written nowhere; addresses of other kinds say what to do. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openStorage } from '../../src/platform/node/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { tryConditionalWrites } from '../../src/storage/try-conditional-writes.js'

const TEXT = Buffer.from('0123456789')
let etag = '"one"'
let fault: RequestListener | null = null
const asked: IncomingMessage[] = []
const server = createServer((request, response) => {
  asked.push(request)
  if (fault !== null) {
    const once = fault
    fault = null
    return once(request, response)
  }
  if (request.url !== '/folder/a%20b?sig=secret') return response.writeHead(404).end()
  const [, start, end] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  response.setHeader('etag', etag)
  if (start === undefined) {
    response.setHeader('content-length', TEXT.length)
    return response.end(request.method === 'HEAD' ? undefined : TEXT)
  }
  if (Number(start) >= TEXT.length) return response.writeHead(416).end()
  const last = Math.min(end === '' ? Number.POSITIVE_INFINITY : Number(end), TEXT.length - 1)
  response.writeHead(206, { 'content-range': `bytes ${start}-${last}/${TEXT.length}` })
  response.end(TEXT.subarray(Number(start), last + 1))
})
let storage: Storage
let base = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  storage = await openStorage(`${base}/folder/?sig=secret`, {
    env: { NO_PROXY: '127.0.0.1' },
    patienceMs: 2000,
  })
})
afterAll(async () => {
  await storage[Symbol.asyncDispose]()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(() => {
  etag = '"one"'
  asked.length = 0
})
const read = async (options: Parameters<Storage['read']>[1] = {}) =>
  Buffer.from((await storage.read('a b', options))?.bytes ?? []).toString()

test('it is looked at and read, whole and in ranges, and its label has no secret', async () => {
  expect(storage.label).toBe(`${base}/folder`)
  expect(await storage.look('a b')).toMatchObject({ size: 10, version: '"one"' })
  expect(await read()).toBe('0123456789')
  expect(await read({ offset: 3, length: 4 })).toBe('3456')
  expect(await read({ offset: 8, length: 9 })).toBe('89')
  expect(await read({ offset: 12 })).toBe('')
  expect(await storage.read('gone')).toBeNull()
  expect(await storage.look('gone')).toBeNull()
})

test('another version than was asked for is not read', async () => {
  etag = '"two"'
  await expect(read({ version: '"one"' })).rejects.toMatchObject({ code: 'changed' })
})

test('a server that fails once is asked again, one that ignores ranges is understood', async () => {
  fault = (_, response) => response.writeHead(503, { 'retry-after': '0' }).end()
  expect(await read()).toBe('0123456789')
  fault = (request) => request.socket.destroy()
  expect(await read()).toBe('0123456789')
  fault = (_, response) => response.writeHead(200, { etag }).end(TEXT)
  expect(await read({ offset: 3, length: 4 })).toBe('3456')
})

test('it is not written to, not listed, and no place for what several share', async () => {
  expect(storage.isWritable).toBe(false)
  await expect(storage.write('a b', TEXT)).rejects.toMatchObject({ code: 'not-writable' })
  await expect(storage.remove('a b')).rejects.toMatchObject({ code: 'not-writable' })
  await expect(storage.list()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'refused' })
  await expect(tryConditionalWrites(storage)).rejects.toMatchObject({ code: 'not-writable' })
})

test.for([
  ['gcs://bucket/x', 'refused', 'GOOGLE_APPLICATION_CREDENTIALS'],
  ['abfs://container/x', 'refused', 'AZURE_STORAGE_CONNECTION_STRING'],
  ['ftp://host/x', 'wrong-key', 'no kind of place'],
  ['s3://', 'wrong-key', 'names no bucket'],
  ['s3://bucket/../x', 'wrong-key', 'names no object'],
  ['', 'wrong-key', 'an empty text'],
] as const)('%s is %s', async ([address, code, says]) => {
  await expect(openStorage(address)).rejects.toMatchObject({ code, message: expect.stringContaining(says) })
})
