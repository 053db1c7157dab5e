/** Checks who is asked for what through redirects and proxies, and who gets to see the token. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, request as httpRequest } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { downloadFile } from '../../src/platform/node/hub/download-file.js'
import { serve, someBytes, startServer, temporaryFolder } from '../support/weights-server.js'

const file = someBytes(50_000)
const QUICK = { retries: 1, retryDelayMs: 5, stallTimeoutMs: 2000, sha256: file.sha256 } as const

test('redirects are followed to another host, with Range kept and the token left behind', async () => {
  await using storage = await startServer((request, response, visit) =>
    serve(request, response, file.bytes, visit === 0 ? { cutAfter: 20_000 } : {}),
  )
  await using hub = await startServer((request, response) => {
    const location = request.url === '/w.pt' ? '/moved/w.pt' : `${storage.origin}/blob?signature=secret`
    response.writeHead(302, { location }).end()
  })
  await using folder = await temporaryFolder()
  const env = { HF_ENDPOINT: `${hub.origin}/`, HF_TOKEN: 'hf_secret' }
  await downloadFile('https://huggingface.co/w.pt', join(folder.path, 'w.pt'), { ...QUICK, env })
  expect(hub.requests.map(({ url }) => url)).toEqual(['/w.pt', '/moved/w.pt', '/w.pt', '/moved/w.pt'])
  for (const { headers } of hub.requests) expect(headers.authorization).toBe('Bearer hf_secret')
  for (const { headers } of storage.requests) expect(headers.authorization).toBeUndefined()
  expect(storage.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=20000-'])
})

test('an address elsewhere never sees the token', async () => {
  await using server = await startServer((request, response) => serve(request, response, file.bytes))
  await using folder = await temporaryFolder()
  await downloadFile(`${server.origin}/w.pt`, join(folder.path, 'w.pt'), {
    ...QUICK,
    env: { HF_TOKEN: 'hf_secret' },
  })
  expect(server.requests[0]?.headers.authorization).toBeUndefined()
})

test('an error behind a redirect names the host that answered and not its signed query', async () => {
  await using storage = await startServer((_, response) => response.writeHead(404).end())
  await using hub = await startServer((_, response) =>
    response.writeHead(302, { location: `${storage.origin}/blob?signature=secret` }).end(),
  )
  await using folder = await temporaryFolder()
  const error = await downloadFile(`${hub.origin}/w.pt`, join(folder.path, 'w.pt'), {
    ...QUICK,
    env: {},
  }).catch((e) => e)
  expect(error).toMatchObject({ code: 'not-found' })
  expect(error.message).toContain(`redirected to ${new URL(storage.origin).host}`)
  expect(error.message).not.toContain('secret')
})

test('a loop of redirects ends as too-many-redirects', async () => {
  await using server = await startServer((_, response) =>
    response.writeHead(302, { location: '/w.pt' }).end(),
  )
  await using folder = await temporaryFolder()
  const attempt = downloadFile(`${server.origin}/w.pt`, join(folder.path, 'w.pt'), { ...QUICK, env: {} })
  await expect(attempt).rejects.toMatchObject({ code: 'too-many-redirects' })
  expect(server.requests).toHaveLength(11)
})

test('a redirect to nowhere is a server error', async () => {
  await using server = await startServer((_, response) => response.writeHead(302).end())
  await using folder = await temporaryFolder()
  const attempt = downloadFile(`${server.origin}/w.pt`, join(folder.path, 'w.pt'), { ...QUICK, env: {} })
  await expect(attempt).rejects.toMatchObject({ code: 'server-error', message: /redirect to nowhere/ })
})

test('an HF_ENDPOINT that is no address is named', async () => {
  const attempt = downloadFile('https://huggingface.co/w.pt', '/nowhere/w.pt', {
    env: { HF_ENDPOINT: 'mirror' },
  })
  await expect(attempt).rejects.toMatchObject({ code: 'no-address', message: /HF_ENDPOINT is "mirror"/ })
})

/** Starts a forward proxy with CONNECT, as companies run them, that notes what it was asked for. */
async function startProxy(login?: string) {
  const asked: string[] = []
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (
      login &&
      request.headers['proxy-authorization'] !== `Basic ${Buffer.from(login).toString('base64')}`
    ) {
      response.writeHead(407).end()
      return
    }
    const onward = httpRequest(request.url ?? '', { headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.end()
  })
  proxy.on('connect', (request, client) => {
    asked.push(`CONNECT ${request.url}`)
    // Whatever host is wanted, this machine is meant: the tests have no other.
    const onward = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(client).pipe(onward)
    })
    onward.on('error', () => client.destroy())
    client.on('error', () => onward.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const stop = async () => {
    proxy.closeAllConnections()
    proxy.close()
  }
  return { host, asked, [Symbol.asyncDispose]: stop }
}

test('HTTP_PROXY is used, with its login, and NO_PROXY goes around it', async () => {
  await using server = await startServer((request, response) => serve(request, response, file.bytes))
  await using proxy = await startProxy('me:pass')
  await using folder = await temporaryFolder()
  const url = `${server.origin}/w.pt`
  const env = { HTTP_PROXY: `http://me:pass@${proxy.host}` }
  await downloadFile(url, join(folder.path, 'a.pt'), { ...QUICK, env })
  expect(proxy.asked).toEqual([`GET ${url}`])
  await downloadFile(url, join(folder.path, 'b.pt'), {
    ...QUICK,
    env: { ...env, NO_PROXY: 'localhost,127.0.0.1' },
  })
  expect(proxy.asked).toHaveLength(1)
  expect(server.requests).toHaveLength(2)

  const without = downloadFile(url, join(folder.path, 'c.pt'), {
    ...QUICK,
    env: { HTTP_PROXY: `http://${proxy.host}` },
  })
  await expect(without).rejects.toMatchObject({ code: 'forbidden', message: /proxy wants a login/ })
})

test('a proxy that is not there, or is no address, is a no-network error', async () => {
  await using folder = await temporaryFolder()
  const gone = await startProxy()
  await gone[Symbol.asyncDispose]()
  for (const HTTP_PROXY of [`http://${gone.host}`, '::not an address::']) {
    const attempt = downloadFile('http://example.invalid/w.pt', join(folder.path, 'w.pt'), {
      ...QUICK,
      env: { HTTP_PROXY },
    })
    await expect(attempt).rejects.toMatchObject({ code: 'no-network', message: /HTTP_PROXY/ })
  }
})

/** The certificate is made on the spot: a key in the repository would be one that somebody trusts one day. */
async function certificate(folder: string): Promise<{ key: Buffer; cert: Buffer } | null> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const args = 'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost'.split(' ')
  try {
    await promisify(execFile)('openssl', [
      ...args,
      '-addext',
      'subjectAltName=DNS:localhost',
      '-keyout',
      key,
      '-out',
      cert,
    ])
  } catch {
    return null
  }
  return { key: await readFile(key), cert: await readFile(cert) }
}

test('https: an unknown certificate is refused and said so; a trusted one works through a CONNECT proxy; no way back to http', async ({
  skip,
}) => {
  await using folder = await temporaryFolder()
  const tls = await certificate(folder.path)
  if (!tls) return skip('no openssl here to make a certificate with')
  const server = createTlsServer(tls, (request, response) => {
    if (request.url === '/w.pt') serve(request, response, file.bytes)
    else response.writeHead(302, { location: 'http://example.invalid/w.pt' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`
  await using proxy = await startProxy()
  try {
    const untrusted = downloadFile(`${origin}/w.pt`, join(folder.path, 'w.pt'), { ...QUICK, env: {} })
    await expect(untrusted).rejects.toMatchObject({ code: 'no-network', message: /NODE_EXTRA_CA_CERTS/ })

    const script = join(folder.path, 'trusting.mjs')
    const hub = new URL('../../dist/platform/node/hub/download-file.js', import.meta.url)
    await writeFile(
      script,
      `import { downloadFile } from ${JSON.stringify(hub.href)}
       const [, , origin, folder] = process.argv
       const done = await downloadFile(origin + '/w.pt', folder + '/t.pt', { sha256: '${file.sha256}' })
       const error = await downloadFile(origin + '/moved', folder + '/u.pt').catch((error) => error)
       console.log(JSON.stringify({ size: done.size, code: error.code, message: error.message }))`,
    )
    const env = {
      NODE_EXTRA_CA_CERTS: join(folder.path, 'cert.pem'),
      HTTPS_PROXY: `http://${proxy.host}`,
      PATH: process.env.PATH,
    }
    const { stdout } = await promisify(execFile)(process.execPath, [script, origin, folder.path], { env })
    expect(JSON.parse(stdout)).toMatchObject({
      size: 50_000,
      code: 'insecure-redirect',
      message: expect.stringContaining('http://example.invalid'),
    })
    expect(proxy.asked[0]).toBe(`CONNECT ${new URL(origin).host}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
