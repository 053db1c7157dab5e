/** Google's storage is a place like any other, on an emulator: photos, models, outputs and jobs; what opens it is found where Google's tools look. */
import { execFile } from 'node:child_process'
import { createVerify, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { inspect, promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findGoogleAccess } from '../../src/platform/node/storage/google/google-credentials.js'
import { openStorage } from '../../src/platform/node/storage/open-storage.js'
import { GcsServer, gcsIsThere } from '../support/google-server.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'

const CLI = join(packageRoot, 'dist/bundle/node/cli.js')
const PHOTOS = join(packageRoot, 'examples/photos')
const bytes = (text: string) => new TextEncoder().encode(text)

describe.skipIf(!gcsIsThere)('on an emulator', () => {
  let gcs: GcsServer
  let folder = ''
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'plumage-google-'))
    gcs = await GcsServer.start()
    await gcs.makeBucket('photos')
  })
  afterAll(async () => {
    await gcs?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })
  const run = async (...args: string[]) => {
    const env = { ...process.env, ...gcs.env, PLUMAGE_CACHE: join(folder, 'cache') }
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...args], { cwd: folder, env })
    return stdout
  }

  test('a job of photos there, by a model there, is done, proven and exported there', async () => {
    await using storage = await openStorage('gs://photos', { env: gcs.env })
    for (let at = 0; at < 6; at++)
      await storage.write(`in/${at}.jpg`, readFileSync(join(PHOTOS, `hat-${1 + (at % 2)}.jpg`)))
    await storage.write(`models/${basename(MINI)}`, readFileSync(MINI))
    const model = `gs://photos/models/${basename(MINI)}`
    await run(
      'job',
      'create',
      'gs://photos/in',
      '--to',
      'gs://photos/job',
      '-m',
      model,
      '--rows-per-part',
      '2',
    )
    await run('worker', 'gs://photos/job')
    expect(await run('job', 'prove', 'gs://photos/job', '--deep')).toMatch(/6/)
    await run('job', 'export', 'gs://photos/job', '-o', 'gs://photos/all.parquet')
    expect((await storage.look('all.parquet'))?.size).toBeGreaterThan(1000)
    const finish = run('job', 'finish', 'gs://photos/job', '-o', 'gs://photos/made')
    await expect(finish).rejects.toThrow(/is no place for the collections of a job/)
    await run('job', 'finish', 'gs://photos/job', '-o', 'made')
    const found = await run('search', join(PHOTOS, 'hat-1.jpg'), '--in', 'made', '--json', '-m', MINI)
    expect(found).toMatch(/photos\/in\/0\.jpg/)
  }, 60_000)

  test('another bucket, and a collection, are refused by name', async () => {
    await using elsewhere = await openStorage('gs://nowhere', { env: gcs.env })
    await expect(elsewhere.write('one', bytes('1'))).rejects.toMatchObject({ code: 'refused' })
    await expect(openStorage('gs://No', { env: gcs.env })).rejects.toMatchObject({ code: 'wrong-key' })
    await expect(openStorage('gs://photos', { env: gcs.env, region: 'x' })).rejects.toThrow(RangeError)
    await expect(openStorage('gss://photos', { env: gcs.env })).rejects.toThrow(/Did you mean gs:/)
    await expect(run('index', PHOTOS, '--to', 'gs://photos/c.plumage', '-m', MINI)).rejects.toThrow(
      /is no place for a collection: expected a folder/,
    )
  }, 60_000)
})

describe('a token', () => {
  const SECRET = 'a-secret-that-nobody-may-see'
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const asked: { readonly request: IncomingMessage; readonly form: URLSearchParams }[] = []
  let given = 0
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    asked.push({ request, form: new URLSearchParams(Buffer.concat(pieces).toString()) })
    const isFlavored = request.headers['metadata-flavor'] === 'Google'
    if (request.url !== '/token' && !isFlavored) return response.writeHead(403).end()
    return response.end(JSON.stringify({ access_token: `token-${++given}-${SECRET}`, expires_in: 3600 }))
  })
  let host = ''
  let folder = ''
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    folder = mkdtempSync(join(tmpdir(), 'plumage-google-token-'))
  })
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true })
  })
  beforeEach(() => {
    asked.length = 0
    given = 0
  })
  const bare = () => ({ HOME: folder, GCE_METADATA_HOST: host, NO_PROXY: '127.0.0.1' })
  const withFile = (told: unknown) => {
    const path = join(folder, 'credentials.json')
    writeFileSync(path, typeof told === 'string' ? told : JSON.stringify(told))
    return { ...bare(), GOOGLE_APPLICATION_CREDENTIALS: path }
  }
  const account = () => ({
    type: 'service_account',
    client_email: 'me@example.com',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    token_uri: `http://${host}/token`,
  })
  const tokenOf = async (env: Readonly<Record<string, string>>) =>
    (await findGoogleAccess(env).credentials())?.token

  test('of a service account is given for what its key has signed', async () => {
    expect(await tokenOf(withFile(account()))).toBe(`token-1-${SECRET}`)
    const [head = '', claims = '', signature = ''] = (asked[0]?.form.get('assertion') ?? '').split('.')
    expect(
      createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(publicKey, signature, 'base64url'),
    ).toBe(true)
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: 'me@example.com',
      aud: `http://${host}/token`,
      scope: expect.stringContaining('devstorage.read_write'),
    })
  })

  test('of a person is given for what gcloud keeps, and of the machine where nothing is kept', async () => {
    expect(await tokenOf(bare())).toBe(`token-1-${SECRET}`)
    mkdirSync(join(folder, '.config/gcloud'), { recursive: true })
    const kept = { type: 'authorized_user', client_id: 'a', client_secret: 'b', refresh_token: SECRET }
    const path = join(folder, '.config/gcloud/application_default_credentials.json')
    writeFileSync(path, JSON.stringify({ ...kept, token_uri: `http://${host}/token` }))
    expect(await tokenOf(bare())).toBe(`token-2-${SECRET}`)
    expect(asked[1]?.form.get('refresh_token')).toBe(SECRET)
    rmSync(path)
  })

  test('is asked of nobody for what is public or emulated', async () => {
    expect(await tokenOf({ ...bare(), GOOGLE_SKIP_SIGNATURE: 'true' })).toBeUndefined()
    expect(await tokenOf({ ...bare(), STORAGE_EMULATOR_HOST: 'localhost:1' })).toBeUndefined()
    expect(asked).toHaveLength(0)
    expect(() => findGoogleAccess({ STORAGE_EMULATOR_HOST: 'http://[' })).toThrow(/STORAGE_EMULATOR_HOST/)
  })

  test.each([
    ['another type', () => ({ ...account(), type: 'external_account' }), /is of the type "external_account"/],
    [
      'no key that can be read',
      () => ({ ...account(), private_key: SECRET }),
      /private key .* cannot be read/,
    ],
    [
      'an address that others can listen at',
      () => ({ ...account(), token_uri: 'http://example.com/t' }),
      /https:/,
    ],
    ['no JSON', () => `{${SECRET}`, /is no file of credentials/],
  ])('a file of %s is refused, and nothing of it is told', async (_, told, message) => {
    const error = await tokenOf(withFile(told())).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'refused', message: expect.stringMatching(message) })
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET)
    expect(asked).toHaveLength(0)
  })

  test('goes with each question, and stands in no error', async () => {
    const calls: IncomingMessage[] = []
    const storageServer = createServer((request, response) => {
      calls.push(request)
      request.resume()
      response.writeHead(403, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: { message: `no: ${request.headers.authorization}` } }))
    })
    await new Promise<void>((resolve) => storageServer.listen(0, '127.0.0.1', resolve))
    const { GoogleServer } = await import('../../src/platform/node/storage/google/google-server.js')
    const { KeptCredentials } = await import('../../src/platform/node/storage/objects/kept-credentials.js')
    const { storageAgent } = await import('../../src/platform/node/storage/ask-once.js')
    await using google = new GoogleServer({
      bucket: 'photos',
      endpoint: new URL(`http://127.0.0.1:${(storageServer.address() as AddressInfo).port}`),
      credentials: new KeptCredentials(findGoogleAccess(bare()).credentials),
      agent: storageAgent(bare()),
      patienceMs: 2000,
      stallMs: 2000,
    })
    const answer = await google.ask({ method: 'GET', key: 'one' })
    expect(calls.at(-1)?.headers.authorization).toBe(`Bearer token-${given}-${SECRET}`)
    const refusal = google.refusal(answer, 'it')
    expect(refusal.message).toMatch(/answers 403 .*"no: Bearer …"/)
    expect(inspect(refusal, { depth: 9 })).not.toContain(SECRET)
    storageServer.close()
  })
})

test('a server that keeps a part of what came is sent the rest, and one that leads elsewhere is not followed', async () => {
  let kept = Buffer.alloc(0)
  let origin = ''
  let elsewhere = ''
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const body = Buffer.concat(pieces)
    if (request.method === 'POST')
      return response.writeHead(200, { location: `${elsewhere || origin}/session?upload_id=1` }).end('{}')
    if (request.method === 'DELETE') return response.writeHead(499).end()
    const [, from = '0', total = '*'] =
      /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(request.headers['content-range'] ?? '') ?? []
    // Of each body that is longer a third of a megabyte is kept.
    kept = Buffer.concat([kept.subarray(0, Number(from)), body.subarray(0, 350_000)])
    if (String(kept.length) !== total)
      return response.writeHead(308, { range: `bytes=0-${kept.length - 1}` }).end()
    return response.writeHead(200).end(JSON.stringify({ generation: '7' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const env = { STORAGE_EMULATOR_HOST: origin, NO_PROXY: '127.0.0.1' }
  await using storage = await openStorage('gs://bucket', { env, partBytes: 2 ** 20, patienceMs: 2000 })
  const content = Buffer.from(Uint8Array.from({ length: 2_500_000 }, (_, at) => at % 251))
  expect(await storage.write('long', content)).toEqual({ written: true, version: '7' })
  expect(kept.equals(content)).toBe(true)
  elsewhere = 'http://example.com'
  await expect(storage.write('long', content)).rejects.toThrow(
    /sends an upload to example\.com, another server/,
  )
  server.closeAllConnections()
  server.close()
})
