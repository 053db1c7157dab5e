/** Azure's storage is a place like any other, on Microsoft's own emulator: photos, models, outputs, collections and jobs; what opens it is found where its tools look. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { inspect, promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openStorage } from '../../src/platform/node/storage/open-storage.js'
import { AzuriteServer, azuriteIsThere } from '../support/azurite-server.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'

const CLI = join(packageRoot, 'dist/bundle/node/cli.js')
const PHOTOS = join(packageRoot, 'examples/photos')
const bytes = (text: string) => new TextEncoder().encode(text)

describe.skipIf(!azuriteIsThere)('on Azurite', () => {
  let azurite: AzuriteServer
  let folder = ''
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'plumage-azure-'))
    azurite = await AzuriteServer.start()
    await azurite.makeContainer('photos')
  })
  afterAll(async () => {
    await azurite?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })
  const run = async (...args: string[]) => {
    const env = { ...process.env, ...azurite.env, PLUMAGE_CACHE: join(folder, 'cache') }
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...args], { cwd: folder, env })
    return stdout
  }

  test('photos and a model are read from there, and what is made of them is written there and searched', async () => {
    await using storage = await openStorage('az://photos', { env: azurite.env })
    for (const name of ['hat-1.jpg', 'hat-2.jpg', 'shoes-1.jpg', 'shoes-2.jpg'])
      await storage.write(`some/${name}`, readFileSync(join(PHOTOS, name)))
    await storage.write(`models/${basename(MINI)}`, readFileSync(MINI))
    const model = `az://photos/models/${basename(MINI)}`
    await run('embed', 'az://photos/some/', '-m', model, '-o', 'az://photos/out/all.jsonl')
    const here = ['hat-1.jpg', 'hat-2.jpg', 'shoes-1.jpg', 'shoes-2.jpg'].map((name) => join(PHOTOS, name))
    const local = await run('embed', ...here, '-m', MINI)
    const embeddingsOf = (text: string) =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { readonly embedding: unknown }).embedding)
    const written = Buffer.from((await storage.read('out/all.jsonl'))?.bytes ?? []).toString()
    expect(embeddingsOf(written)).toEqual(embeddingsOf(local))

    await run('index', 'az://photos/some', '-m', MINI, '--to', 'az://photos/all.plumage')
    await run('index', PHOTOS, '-m', MINI, '--to', 'here.plumage')
    const found = await run('search', here[0] ?? '', '--in', 'az://photos/all.plumage', '--json')
    expect(found).toMatch(/hat-1\.jpg/)
    const checked = await run('collection', 'check', '--deep', '--in', 'az://photos/all.plumage')
    expect(checked).toMatch(/4 rows are as they should be/)
  }, 60_000)

  test('a job of photos there is done, proven and made a collection there', async () => {
    await using storage = await openStorage('az://photos/of-a-job', { env: azurite.env })
    for (let at = 0; at < 6; at++)
      await storage.write(`in/${at}.jpg`, readFileSync(join(PHOTOS, `hat-${1 + (at % 2)}.jpg`)))
    const place = 'az://photos/of-a-job/job'
    await run('job', 'create', 'az://photos/of-a-job/in', '--to', place, '-m', MINI, '--rows-per-part', '2')
    await run('worker', place)
    expect(await run('job', 'prove', place, '--deep')).toMatch(/6/)
    await run('job', 'finish', place, '-o', 'az://photos/of-a-job/made')
    const found = await run(
      'search',
      join(PHOTOS, 'hat-1.jpg'),
      '--in',
      'az://photos/of-a-job/made',
      '--json',
    )
    expect(found).toMatch(/photos\/of-a-job\/in\/0\.jpg/)
  }, 60_000)

  test('a shared access signature opens what it says, and is shown to nobody', async () => {
    const [, name = ''] = /AccountName=([^;]+)/.exec(azurite.env.AZURE_STORAGE_CONNECTION_STRING ?? '') ?? []
    const envOf = (signature: string) => ({
      AZURE_STORAGE_ACCOUNT: name,
      AZURE_STORAGE_SERVICE_ENDPOINT: azurite.endpoint,
      AZURE_STORAGE_SAS_TOKEN: `?${signature}`,
      NO_PROXY: '127.0.0.1',
    })
    await using all = await openStorage('az://photos/signed', { env: envOf(azurite.signature()) })
    expect(await all.write('one', bytes('1'))).toMatchObject({ written: true })
    const signature = azurite.signature({ permissions: 'rl' })
    await using reading = await openStorage('az://photos/signed', { env: envOf(signature) })
    expect((await reading.read('one'))?.bytes).toEqual(bytes('1'))
    const error = await reading.write('two', bytes('2')).catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/az:\/\/photos\/signed\/two cannot be written.*credentials are those/),
    })
    const sig = new URLSearchParams(signature).get('sig') ?? ''
    expect(inspect(error, { depth: 9 })).not.toContain(sig.slice(0, 20))
  })

  test('another key, another container and no account at all are told by name', async () => {
    const wrong = azurite.env.AZURE_STORAGE_CONNECTION_STRING?.replace(
      /AccountKey=[^;]+/,
      `AccountKey=${btoa('x')}`,
    )
    await using locked = await openStorage('az://photos', {
      env: { ...azurite.env, AZURE_STORAGE_CONNECTION_STRING: wrong ?? '' },
    })
    await expect(locked.read('one')).rejects.toMatchObject({ code: 'refused' })
    await using elsewhere = await openStorage('az://nowhere', { env: azurite.env })
    await expect(elsewhere.write('one', bytes('1'))).rejects.toThrow(
      /there is no container nowhere in the account/,
    )
    await expect(openStorage('az://photos', { env: {} })).rejects.toThrow(
      /No account of Azure is named.*AZURE_STORAGE_CONNECTION_STRING/,
    )
    await expect(openStorage('az://No_Name/x', { env: azurite.env })).rejects.toMatchObject({
      code: 'wrong-key',
    })
    await expect(openStorage('az://photos', { env: azurite.env, region: 'x' })).rejects.toThrow(RangeError)
    await expect(openStorage('azz://photos', { env: azurite.env })).rejects.toThrow(/Did you mean az:/)
  })
})

describe('a token', () => {
  const SECRET = 'a-secret-that-nobody-may-see'
  const asked: { readonly request: IncomingMessage; readonly body: string }[] = []
  let lifeSeconds = 3600
  let given = 0
  let accepted = ''
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const body = Buffer.concat(pieces).toString()
    asked.push({ request, body })
    const { url = '', headers } = request
    const token = () =>
      JSON.stringify({ access_token: `token-${++given}-${SECRET}`, expires_in: lifeSeconds })
    if (url.startsWith('/the-tenant/oauth2/v2.0/token')) return response.end(token())
    if (url.startsWith('/service')) {
      if (headers['x-identity-header'] !== 'let me in') return response.writeHead(403).end()
      const at = Math.floor(Date.now() / 1000) + lifeSeconds
      return response.end(
        JSON.stringify({ access_token: `token-${++given}-${SECRET}`, expires_on: String(at) }),
      )
    }
    if (url.startsWith('/metadata/identity/oauth2/token')) {
      if (headers.metadata !== 'true') return response.writeHead(400).end()
      return response.end(token())
    }
    if (accepted !== '' && headers.authorization !== `Bearer ${accepted}`)
      return response.writeHead(401, { 'x-ms-error-code': 'InvalidAuthenticationInfo' }).end()
    response.writeHead(200, { etag: '"0x1"', 'x-ms-request-id': 'one', 'content-length': '3' }).end()
  })
  let base = ''
  let folder = ''
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    folder = mkdtempSync(join(tmpdir(), 'plumage-azure-token-'))
    writeFileSync(join(folder, 'token'), `${SECRET}\n`)
  })
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true })
  })
  beforeEach(() => {
    asked.length = 0
    given = 0
    lifeSeconds = 3600
    accepted = ''
  })
  const bare = () => ({
    AZURE_STORAGE_ACCOUNT: 'account',
    AZURE_STORAGE_SERVICE_ENDPOINT: base,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: base,
    NO_PROXY: '127.0.0.1',
  })
  const directory = () => ({
    ...bare(),
    AZURE_AUTHORITY_HOST: base,
    AZURE_TENANT_ID: 'the-tenant',
    AZURE_CLIENT_ID: 'the-client',
  })
  const look = async (env: Readonly<Record<string, string>>) => {
    await using storage = await openStorage('az://container', { env, patienceMs: 2000 })
    return await storage.look('one')
  }

  test.each([
    [
      'of what a cluster says of itself',
      () => ({ ...directory(), AZURE_FEDERATED_TOKEN_FILE: join(folder, 'token') }),
      /client_assertion=a-secret/,
    ],
    ['of a secret', () => ({ ...directory(), AZURE_CLIENT_SECRET: SECRET }), /client_secret=a-secret/],
    [
      'of an app service',
      () => ({ ...bare(), IDENTITY_ENDPOINT: `${base}/service`, IDENTITY_HEADER: 'let me in' }),
      /^$/,
    ],
    ['of the machine', bare, /^$/],
  ])('%s opens storage', async (_, env, body) => {
    expect(await look(env())).toMatchObject({ size: 3, version: '0x1' })
    expect(asked).toHaveLength(2)
    expect(asked[0]?.body).toMatch(body)
    expect(asked[0]?.request.url + (asked[0]?.body ?? '')).toMatch(/storage\.azure\.com/)
    expect(asked[1]?.request.headers.authorization).toBe(`Bearer token-1-${SECRET}`)
  })

  test('that is about to end, or is refused, is asked for again', async () => {
    lifeSeconds = 60
    await using storage = await openStorage('az://container', { env: bare(), patienceMs: 2000 })
    await storage.look('one')
    await storage.look('one')
    expect(given).toBe(2)
    lifeSeconds = 3600
    await storage.look('one')
    accepted = `token-4-${SECRET}`
    expect(await storage.look('one')).toMatchObject({ size: 3 })
    expect(given).toBe(4)
  })

  test('is sent to no address that others can listen at, and stands in no error', async () => {
    const env = { ...directory(), AZURE_CLIENT_SECRET: SECRET, AZURE_AUTHORITY_HOST: 'http://example.com' }
    await expect(look(env)).rejects.toThrow(/AZURE_AUTHORITY_HOST is neither an https: address nor/)
    expect(asked).toHaveLength(0)
    accepted = 'another'
    const error = await look({ ...directory(), AZURE_CLIENT_SECRET: SECRET }).catch(
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({ code: 'refused' })
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET)
  })
})
