/** Credentials are found where AWS's tools find them, asked for again when they end, and shown to nobody. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openStorage } from '../../src/platform/node/storage/open-storage.js'

const SECRET = 'a-secret-that-nobody-may-see'
const TOKEN = 'a-token-that-nobody-may-see'

/** Answers as S3, as the endpoint of a container, of an instance and of the exchange of identities, by the path. */
let answerS3: (request: IncomingMessage, response: ServerResponse) => void
let given = 0
let lifeMs = 3600_000
const asked: IncomingMessage[] = []
const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    asked.push(request)
    const { url = '', method, headers } = request
    const ends = new Date(Date.now() + lifeMs).toISOString()
    const made = () => ({
      AccessKeyId: `id-${++given}`,
      SecretAccessKey: SECRET,
      Token: `${TOKEN}-${given}`,
      Expiration: ends,
    })
    if (url.startsWith('/container')) {
      if (headers.authorization !== 'let me in') return response.writeHead(403).end()
      return response.end(JSON.stringify(made()))
    }
    if (url === '/latest/api/token' && method === 'PUT') return response.end('session')
    if (url.startsWith('/latest/') && headers['x-aws-ec2-metadata-token'] !== 'session')
      return response.writeHead(401).end()
    if (url === '/latest/meta-data/iam/security-credentials/') return response.end('the-role')
    if (url === '/latest/meta-data/iam/security-credentials/the-role')
      return response.end(JSON.stringify({ Code: 'Success', ...made() }))
    if (url === '/' && method === 'POST') {
      const { AccessKeyId, SecretAccessKey, Token, Expiration } = made()
      return response.end(
        `<R><Credentials><AccessKeyId>${AccessKeyId}</AccessKeyId><SecretAccessKey>${SecretAccessKey}</SecretAccessKey>` +
          `<SessionToken>${Token}</SessionToken><Expiration>${Expiration}</Expiration></Credentials></R>`,
      )
    }
    answerS3(request, response)
  })
})
let base = ''
let folder = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  folder = await mkdtemp(join(process.env.PLUMAGE_TEST_FOLDER ?? '/tmp', 'credentials-'))
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true })
})
beforeEach(() => {
  asked.length = 0
  given = 0
  lifeMs = 3600_000
  answerS3 = (_, response) => response.writeHead(200, { etag: '"one"' }).end()
})

const bare = () => ({
  HOME: folder,
  AWS_ENDPOINT_URL_S3: base,
  AWS_EC2_METADATA_SERVICE_ENDPOINT: base,
  NO_PROXY: '127.0.0.1',
})
const open = (env: Record<string, string> = {}) =>
  openStorage('s3://bucket/p', { env: { ...bare(), ...env }, patienceMs: 2000 })
/** Gives the public half that the last request to S3 was signed with. */
async function idUsed(env: Record<string, string>): Promise<string | undefined> {
  await using storage = await open(env)
  await storage.write('a', Buffer.from('x'))
  return /Credential=([^/]+)\//.exec(asked.at(-1)?.headers.authorization ?? '')?.[1]
}

test('the environment comes first, then the profile that it names', async () => {
  const credentials = join(folder, 'credentials')
  const config = join(folder, 'config')
  await writeFile(
    credentials,
    `[default]\naws_access_key_id = of-default\naws_secret_access_key=${SECRET}\n[other]\naws_access_key_id=of-other\naws_secret_access_key=${SECRET}\n`,
  )
  await writeFile(config, '[profile other]\nregion = eu-south-2\n# a comment\n[default]\nregion=eu-north-1\n')
  const files = { AWS_SHARED_CREDENTIALS_FILE: credentials, AWS_CONFIG_FILE: config }
  expect(await idUsed({ ...files, AWS_ACCESS_KEY_ID: 'of-env', AWS_SECRET_ACCESS_KEY: SECRET })).toBe(
    'of-env',
  )
  expect(await idUsed(files)).toBe('of-default')
  expect(asked.at(-1)?.headers.authorization).toContain('/eu-north-1/s3/')
  expect(await idUsed({ ...files, AWS_PROFILE: 'other' })).toBe('of-other')
  expect(asked.at(-1)?.headers.authorization).toContain('/eu-south-2/s3/')
  await expect(idUsed({ ...files, AWS_PROFILE: 'none' })).rejects.toMatchObject({ code: 'refused' })
})

test.for(['credential_process', 'sso_session', 'source_profile'])(
  '%s is refused by name, with what to do',
  async (setting) => {
    const config = join(folder, `config-${setting}`)
    await writeFile(config, `[default]\n${setting} = x\n`)
    await expect(idUsed({ AWS_CONFIG_FILE: config })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(new RegExp(`by ${setting}, .*export-credentials`)),
    })
  },
)

test('a container, an instance and a web identity give credentials, whose token goes along', async () => {
  const container = {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${base}/container`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: 'let me in',
  }
  expect(await idUsed(container)).toBe('id-1')
  expect(asked.at(-1)?.headers['x-amz-security-token']).toBe(`${TOKEN}-1`)
  expect(await idUsed({})).toBe('id-2')
  const token = join(folder, 'token')
  await writeFile(token, 'who I am')
  const identity = {
    AWS_WEB_IDENTITY_TOKEN_FILE: token,
    AWS_ROLE_ARN: 'arn:role',
    AWS_ENDPOINT_URL_STS: base,
  }
  expect(await idUsed(identity)).toBe('id-3')
  await expect(idUsed({ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://example.org/x' })).rejects.toMatchObject({
    code: 'refused',
  })
})

test('without any, it is said where was looked', async () => {
  await expect(idUsed({ AWS_EC2_METADATA_DISABLED: 'true' })).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('AWS_ACCESS_KEY_ID'),
  })
  expect(await idUsed({ AWS_EC2_METADATA_DISABLED: 'true', AWS_SKIP_SIGNATURE: 'true' })).toBeUndefined()
})

test('credentials that end within five minutes are asked for again, others are kept', async () => {
  await using storage = await open()
  await storage.write('a', Buffer.from('x'))
  await storage.write('a', Buffer.from('x'))
  expect(given).toBe(1)
  lifeMs = 60_000
  await using short = await open()
  await short.write('a', Buffer.from('x'))
  await short.write('a', Buffer.from('x'))
  expect(given).toBe(3)
})

test('a token that a server calls expired is replaced, for many requests by one', async () => {
  answerS3 = ({ headers }, response) => {
    if (headers['x-amz-security-token'] === `${TOKEN}-2`)
      return response.writeHead(200, { etag: '"one"' }).end()
    response
      .writeHead(400)
      .end('<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>')
  }
  await using storage = await open()
  await Promise.all(Array.from({ length: 10 }, (_, i) => storage.write(`a${i}`, Buffer.from('x'))))
  expect(given).toBe(2)
})

test('a clock that is an hour off is set by what the server says', async () => {
  const hour = 3600_000
  answerS3 = ({ headers }, response) => {
    const [, year, month, day, h, m, s] =
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? []
    const signed = Date.parse(`${year}-${month}-${day}T${h}:${m}:${s}Z`)
    response.setHeader('date', new Date(Date.now() + hour).toUTCString())
    if (Math.abs(signed - (Date.now() + hour)) < 15 * 60_000)
      return response.writeHead(200, { etag: '"one"' }).end()
    response.writeHead(403).end('<Error><Code>RequestTimeTooSkewed</Code></Error>')
  }
  await using storage = await open({ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: SECRET })
  expect(await storage.write('a', Buffer.from('x'))).toMatchObject({ written: true })
  expect(await storage.write('a', Buffer.from('x'))).toMatchObject({ written: true })
  expect(asked).toHaveLength(3)
})

test('a bucket of another region is followed there', async () => {
  answerS3 = ({ headers }, response) => {
    if (headers.authorization?.includes('/eu-west-3/'))
      return response.writeHead(200, { etag: '"one"' }).end()
    response
      .writeHead(301, { 'x-amz-bucket-region': 'eu-west-3' })
      .end('<Error><Code>PermanentRedirect</Code></Error>')
  }
  await using storage = await open({ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: SECRET })
  expect(await storage.write('a', Buffer.from('x'))).toMatchObject({ written: true })
})

test('nothing secret is in an error, a label or what is printed of a place, whatever a server repeats', async () => {
  const env = { AWS_ACCESS_KEY_ID: 'the-id', AWS_SECRET_ACCESS_KEY: SECRET, AWS_SESSION_TOKEN: TOKEN }
  answerS3 = ({ headers }, response) =>
    response
      .writeHead(403)
      .end(
        `<Error><Code>AccessDenied</Code><Message>${SECRET} the-id ${headers['x-amz-security-token']}</Message></Error>`,
      )
  await using storage = await open(env)
  const error = await storage.write('a', Buffer.from('x')).catch((cause) => cause)
  const shown = [
    storage.label,
    inspect(storage, { depth: 10, showHidden: true }),
    inspect(error, { depth: 10 }),
  ].join()
  expect(error).toMatchObject({ code: 'refused' })
  for (const secret of [SECRET, TOKEN, 'the-id']) expect(shown).not.toContain(secret)
})

test('a bucket is named in the path at an endpoint, before the host where that is asked for, and proxies are used', async () => {
  const env = { ...bare(), AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: SECRET }
  await using inPath = await openStorage('s3://bucket/p', { env })
  await inPath.write('a b', Buffer.from('x'))
  expect(asked.at(-1)?.url).toBe('/bucket/p/a%20b')
  const endpoint = 'http://s3.example:9000'
  const proxied = { ...env, HTTP_PROXY: base }
  await using before = await openStorage('s3://bucket/p', { env: proxied, endpoint, pathStyle: false })
  await before.write('a b', Buffer.from('x'))
  expect(asked.at(-1)?.url).toBe('http://bucket.s3.example:9000/p/a%20b')
})
