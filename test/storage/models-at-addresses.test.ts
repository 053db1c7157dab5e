/** A model in a bucket or on a web server is fetched once, with what lies beside it, and again only where it has changed. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { findModel } from '../../src/platform/node/find-model.js'
import { listCache, removeCached, verifyCached } from '../../src/platform/node/hub/cache-contents.js'
import { loadEncoder, openStorage, type Storage } from '../../src/platform/node/index.js'
import { type LyingProxy, startLyingProxy } from '../support/lying-proxy.js'
import { MINI } from '../support/mini.js'
import { type S3Server, startS3Server, versitygw } from '../support/s3-server.js'
import { serve, startServer, type WeightsServer } from '../support/weights-server.js'

const NAME = basename(MINI)
const CONFIG = Buffer.from('{"a": 1}')
let cache = ''
let warnings: string[] = []
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'plumage-cache-'))
  vi.stubEnv('PLUMAGE_CACHE', cache)
  warnings = []
})
afterEach(() => rmSync(cache, { recursive: true, force: true }))
afterAll(() => void vi.unstubAllEnvs())
const find = async (address: string, options: Parameters<typeof findModel>[1] = {}) =>
  (await findModel(address, { onWarning: (message) => warnings.push(message), ...options })).path
const besides = (path: string) =>
  readdirSync(dirname(path))
    .filter((name) => !name.endsWith('.kept.json'))
    .sort()

describe.skipIf(versitygw === undefined)('in a bucket', () => {
  let server: S3Server
  let proxy: LyingProxy
  let storage: Storage
  beforeAll(async () => {
    server = await startS3Server()
    proxy = await startLyingProxy(server.endpoint)
    for (const [name, value] of Object.entries({ ...server.env, AWS_ENDPOINT_URL: proxy.endpoint }))
      process.env[name] = value
    await server.makeBucket('models')
    storage = await openStorage('s3://models', { endpoint: server.endpoint })
  })
  afterAll(async () => {
    for (const name of Object.keys(server.env)) delete process.env[name]
    await storage[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })
  const gets = (from = 0) =>
    proxy.asked.slice(from).filter(({ method, path }) => method === 'GET' && !path.includes('list-type'))

  test('a file is fetched once; it is the same model, and computes the same', async () => {
    await storage.write(`one/${NAME}`, readFileSync(MINI))
    const address = `s3://models/one/${NAME}`
    const path = await find(address)
    expect(readFileSync(path).equals(readFileSync(MINI))).toBe(true)
    const before = proxy.asked.length
    await using remote = await loadEncoder(address, { engine: 'wasm', threads: 1 })
    await using local = await loadEncoder(MINI, { engine: 'wasm', threads: 1 })
    expect(remote.identity).toEqual(local.identity)
    expect(gets(before)).toEqual([])
    expect(proxy.asked.length).toBeGreaterThan(before)
    expect(await find(address, { offline: true })).toBe(path)
    expect(warnings).toEqual([])
  })

  test('a folder is a model by the names of its files; what changes there changes here, and what goes there goes here', async () => {
    await storage.write('two/model.safetensors', Buffer.from('first'))
    await storage.write('two/config.json', CONFIG)
    await storage.write('two/below/model.safetensors', Buffer.from('another'))
    const path = await find('s3://models/two/')
    expect(besides(path)).toEqual(['config.json', 'model.safetensors'])
    await storage.write('two/model.safetensors', Buffer.from('second'))
    await storage.remove('two/config.json')
    expect(await find('s3://models/two')).toBe(path)
    expect(readFileSync(path, 'utf8')).toBe('second')
    expect(besides(path)).toEqual(['model.safetensors'])
    const within = await find('s3://models/two', { subfolder: 'below' })
    expect(readFileSync(within, 'utf8')).toBe('another')
    expect(dirname(within)).not.toBe(dirname(path))
  })

  test('the parts that an index names come with it, and none from elsewhere', async () => {
    const map = { a: 'part-1.safetensors', b: 'part-2.safetensors', c: '../secret', d: '..' }
    await storage.write(
      'parts/model.safetensors.index.json',
      Buffer.from(JSON.stringify({ weight_map: map })),
    )
    for (const part of [1, 2])
      await storage.write(`parts/part-${part}.safetensors`, Buffer.from(`part ${part}`))
    const path = await find('s3://models/parts')
    expect(besides(path)).toEqual([
      'model.safetensors.index.json',
      'part-1.safetensors',
      'part-2.safetensors',
    ])
  })

  test('a damaged copy is fetched anew, and `cache` looks after it', async () => {
    await storage.write('kept/model.safetensors', Buffer.from('as it was'))
    const path = await find('s3://models/kept')
    const [model] = await listCache()
    expect(model).toMatchObject({ path, kind: 'file' })
    const states = async () => {
      const found = []
      if (model !== undefined) for await (const { state } of verifyCached(model)) found.push(state)
      return found
    }
    expect(await states()).toEqual(['whole'])
    writeFileSync(path, 'as it isn’t')
    expect(await states()).toEqual(['damaged'])
    await expect(find('s3://models/kept', { offline: true })).rejects.toMatchObject({ code: 'offline' })
    expect(readFileSync(await find('s3://models/kept'), 'utf8')).toBe('as it was')
    if (model !== undefined) await removeCached(model)
    expect(readdirSync(dirname(path))).toEqual([])
  })

  test.each([
    ['s3://models/none', 'not-found', 'leads to no checkpoint'],
    ['s3://models/none/model.safetensors', 'not-found', 'model.safetensors'],
    ['s3://no-bucket/model.safetensors', 'not-found', 's3://no-bucket/model.safetensors'],
    ['s3://no-bucket/model', 'refused', 'there is no bucket no-bucket'],
    ['s4://models/none', 'wrong-key', 'Did you mean s3:?'],
    ['abfs://models/none', 'refused', 'AZURE_STORAGE_CONNECTION_STRING'],
    ['file://elsewhere/none.pt', 'wrong-key', 'names no file on this machine'],
  ])('%s is refused as %s', async (address, code, message) => {
    await expect(find(address)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
  })
})

describe('on a web server', () => {
  let server: WeightsServer
  let files: Record<string, Uint8Array> = {}
  let etag = '"one"'
  let cutAfter: number | undefined
  let refusesHead = false
  beforeAll(async () => {
    server = await startServer((request, response) => {
      const { pathname } = new URL(request.url ?? '', 'http://x')
      const file = files[pathname]
      if (file === undefined) return void response.writeHead(404).end()
      if (request.method === 'HEAD' && refusesHead) return void response.writeHead(403).end()
      if (request.headers.range === 'bytes=0-0')
        return void response
          .writeHead(206, { etag, 'content-range': `bytes 0-0/${file.length}` })
          .end(file.subarray(0, 1))
      const manners = { etag, ...(cutAfter === undefined ? {} : { cutAfter }) }
      cutAfter = undefined
      serve(request, response, file, manners)
    })
  })
  beforeEach(() => {
    files = { '/m/model.safetensors': Buffer.alloc(50_000, 7), '/m/config.json': CONFIG }
    etag = '"one"'
    refusesHead = false
  })
  const bodies = () => server.requests.filter(({ method }) => method === 'GET').map(({ url }) => url)

  test('a file and a folder are the same model; a cut is gone on from; what is changed is fetched again', async () => {
    cutAfter = 20_000
    const from = server.requests.length
    const path = await find(`${server.origin}/m/model.safetensors`)
    expect(readFileSync(path)).toEqual(files['/m/model.safetensors'])
    expect(besides(path)).toEqual(['config.json', 'model.safetensors'])
    expect(server.requests.slice(from).map(({ headers }) => headers.range)).toContain('bytes=20000-')
    const before = bodies().length
    expect(await find(`${server.origin}/m/`)).toBe(path)
    expect(bodies()).toHaveLength(before)
    etag = '"two"'
    files['/m/model.safetensors'] = Buffer.from('changed')
    await find(`${server.origin}/m/`)
    expect(readFileSync(path, 'utf8')).toBe('changed')
  })

  test('what signs an address is neither kept nor told, and a newly signed one is the same file', async () => {
    refusesHead = true
    const signed = (signature: string) =>
      `${server.origin}/m/model.safetensors?X-Amz-Signature=${signature}&X-Amz-Expires=60`
    const told: string[] = []
    const path = await find(signed('SECRET1'), { onProgress: ({ url }) => told.push(url) })
    const before = bodies().filter((url) => url?.includes('model')).length
    expect(await find(signed('SECRET2'))).toBe(path)
    // The one question is for the first byte: HEAD is refused.
    expect(bodies().filter((url) => url?.includes('model'))).toHaveLength(before + 1)
    etag = '"two"'
    files['/m/model.safetensors'] = Buffer.from('changed')
    await find(signed('SECRET3'))
    expect(readFileSync(path, 'utf8')).toBe('changed')
    files = {}
    await find(signed('SECRET4'))
    expect(warnings.join('\n')).toContain('It could not be asked whether')
    const other = find(`${server.origin}/m/other.safetensors?X-Amz-Signature=SECRET5`)
    const error = await other.catch((cause: Error) => cause)
    const kept = readdirSync(cache, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    expect([...told, ...warnings, ...kept, String(error)].join('\n')).not.toContain('SECRET')
    expect(warnings.join()).toContain('files beside it')
  })

  test.each([
    ['/m/page', 'not-found', 'ends in .safetensors'],
    ['/none/', 'not-found', 'leads to no checkpoint'],
    ['/none.pt', 'not-found', 'none.pt'],
  ])('%s is refused as %s', async (path, code, message) => {
    await expect(find(server.origin + path)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
  })

  test('nothing is asked for offline, and a name with a password is not shown to anyone', async () => {
    const before = server.requests.length
    await expect(find(`${server.origin}/m/`, { offline: true })).rejects.toMatchObject({ code: 'offline' })
    const named = server.origin.replace('//', '//me:SECRET@')
    const error = await find(`${named}/m/model.safetensors`).catch((cause: Error) => cause)
    expect(error).toMatchObject({ code: 'no-address', message: expect.not.stringContaining('SECRET') })
    expect(server.requests.length).toBe(before)
  })

  test('what is here is used where its server is gone, and that is told', async () => {
    const path = await find(`${server.origin}/m/model.safetensors`)
    await server[Symbol.asyncDispose]()
    expect(await find(`${server.origin}/m/model.safetensors`)).toBe(path)
    expect(warnings).toEqual([expect.stringContaining('It could not be asked whether')])
  })
})
