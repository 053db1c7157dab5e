/**
 * Pulls a long file through random cuts, through the death of the process that pulls it, and in two processes at once. It has 30 MB here;
 * `PLUMAGE_CUTS_MB=1200` makes it as long as real weights.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hashFile } from '../../src/platform/node/hub/hash-file.js'
import { pullModel } from '../../src/platform/node/hub/pull-model.js'
import { LongFile } from '../support/long-file.js'
import { startServer, temporaryFolder } from '../support/weights-server.js'

const MEGABYTES = Number(process.env.PLUMAGE_CUTS_MB ?? 30)
const PATIENCE_MS = 60_000 + MEGABYTES * 200
const CUTS = 10
const COMMIT = '0123456789abcdef0123456789abcdef01234567'
const built = new URL('../../dist/platform/node/hub/pull-model.js', import.meta.url)
const file = new LongFile(MEGABYTES * 1_000_000 + 12_345)

/** Each signature is good for one question. `cutAt` says where each answer of the store ends. */
async function house(cutAt: readonly number[]) {
  let sent = 0
  let answers = 0
  const used = new Set<string>()
  const store = await startServer((request, response) => {
    const { url = '' } = request
    if (used.has(url)) return void response.writeHead(403).end()
    used.add(url)
    const cut = cutAt[answers++]
    void file.serve(request, response, cut).then((bytes) => {
      sent += bytes
    })
  })
  const hub = await startServer((request, response, visit) => {
    const { length: size, sha256 } = file
    if (request.url?.startsWith('/api/')) {
      const siblings = [{ rfilename: 'model.safetensors', size, lfs: { sha256, size } }]
      return void response.end(JSON.stringify({ sha: COMMIT, siblings }))
    }
    response
      .writeHead(302, { location: `${store.origin}/blob?signature=${visit}`, 'x-linked-etag': `"${sha256}"` })
      .end()
  })
  const folder = await temporaryFolder()
  const env = { HF_ENDPOINT: hub.origin, HF_HOME: folder.path, PLUMAGE_CACHE: join(folder.path, 'own') }
  const blobs = join(folder.path, 'hub', 'models--somebody--long', 'blobs')
  const close = async () => {
    for (const server of [hub, store]) await server[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  }
  return { store, env, blobs, sent: () => sent, [Symbol.asyncDispose]: close }
}

function child(env: Readonly<Record<string, string>>): ChildProcess {
  const program = `import { pullModel } from ${JSON.stringify(built.href)}
const { files } = await pullModel('somebody/long')
console.log(JSON.stringify(files))`
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function outputOf(process: ChildProcess): Promise<string> {
  let text = ''
  process.stdout?.on('data', (data) => {
    text += data
  })
  await new Promise((resolve) => process.once('close', resolve))
  return text
}

test('ten cuts at random offsets, after each of which the signed address has expired, end in the right bytes, of which hardly any came twice', {
  timeout: PATIENCE_MS,
}, async () => {
  const cuts = Array.from({ length: CUTS }, () => Math.floor(Math.random() * file.length)).sort(
    (a, b) => a - b,
  )
  await using home = await house(cuts)
  // Cuts may lie so near to each other that they look like no progress.
  const pulled = await pullModel('somebody/long', { env: home.env, retries: CUTS, retryDelayMs: 1 })
  expect(await hashFile(pulled.files[0]?.path ?? '')).toBe(file.sha256)
  expect(home.store.requests.length).toBeGreaterThan(CUTS)
  expect(home.sent() - file.length).toBeLessThan(file.length / 100)
})

test('a process that is killed leaves what has come to the next one', { timeout: PATIENCE_MS }, async () => {
  const half = Math.floor(file.length / 2)
  await using home = await house([half])
  const first = child(home.env)
  const partial = join(home.blobs, `${file.sha256}.plumage.incomplete`)
  // What is on its way when a process is killed is lost: here all of it has come.
  while ((statSync(partial, { throwIfNoEntry: false })?.size ?? 0) < half)
    await new Promise((resolve) => setTimeout(resolve, 2))
  first.kill('SIGKILL')
  await new Promise((resolve) => first.once('close', resolve))
  expect(readdirSync(home.blobs)).toContain(`${file.sha256}.plumage.incomplete`)
  const { files } = await pullModel('somebody/long', { env: home.env, lockStaleMs: 2000 })
  expect(await hashFile(files[0]?.path ?? '')).toBe(file.sha256)
  expect(home.sent() - file.length).toBeLessThan(file.length / 100)
})

test('two processes share one download', { timeout: PATIENCE_MS }, async () => {
  await using home = await house([])
  const outputs = await Promise.all([child(home.env), child(home.env)].map(outputOf))
  const brought = outputs.map((text) => JSON.parse(text)[0].downloaded)
  expect(brought.sort()).toEqual([false, true])
  expect(home.sent()).toBe(file.length)
})
