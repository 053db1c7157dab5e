/** Tries several processes, killed processes, full disks and large files: real ones. Children run the built `dist`. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { DownloadProgress } from '../../src/hub/download-progress.js'
import { downloadFile } from '../../src/platform/node/hub/download-file.js'
import { failingDiskOrNull } from '../support/failing-disk.js'
import { serve, sha256Of, someBytes, startServer, temporaryFolder } from '../support/weights-server.js'

const file = someBytes(400_000)
const built = new URL('../../dist/platform/node/hub/download-file.js', import.meta.url)

const NOBODY = 65534

const SCRIPT = `
import { downloadFile } from ${JSON.stringify(built.href)}
const [, , url, destination, sha256] = process.argv
const kinds = new Set()
const options = { sha256, lockStaleMs: 2000, onProgress: ({ kind }) => kinds.add(kind) }
const outcome = await downloadFile(url, destination, options).then(
  ({ downloaded }) => ({ downloaded, kinds: [...kinds] }),
  ({ name, code, message }) => ({ name, code, message }),
)
console.log(JSON.stringify(outcome))
`

/** @param as is what goes before Node's own command line, to run it as somebody else */
async function child(
  folder: string,
  url: string,
  destination: string,
  as: readonly string[] = [],
): Promise<ChildProcess> {
  if (!existsSync(built)) throw new Error('dist/ is missing: run npm run build before these tests')
  const script = join(folder, 'child.mjs')
  await writeFile(script, SCRIPT)
  const [command, ...args] = [...as, process.execPath, script, url, destination, file.sha256] as const
  return spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

interface ChildOutcome {
  readonly downloaded: boolean
  readonly kinds: readonly string[]
}

async function lastLine(process: ChildProcess): Promise<ChildOutcome> {
  let text = ''
  process.stdout?.on('data', (data) => {
    text += data
  })
  await new Promise((resolve) => process.once('close', resolve))
  return JSON.parse(text)
}

async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 10))
}

test('two processes that want the same file: one request, one waits for the other, both have it', async () => {
  let letGo = () => {}
  await using server = await startServer((request, response) => {
    letGo = () => serve(request, response, file.bytes)
  })
  await using folder = await temporaryFolder()
  const destination = join(folder.path, 'w.pt')
  const url = `${server.origin}/w.pt`
  const both = [await child(folder.path, url, destination), await child(folder.path, url, destination)].map(
    lastLine,
  )
  await until(() => server.requests.length > 0)
  // This is longer than a lock lives unless renewed: the holder must be renewing it.
  await new Promise((resolve) => setTimeout(resolve, 3000))
  letGo()
  const results = await Promise.all(both)
  expect(server.requests).toHaveLength(1)
  expect(results.map(({ downloaded }) => downloaded).sort()).toEqual([false, true])
  expect(results.find(({ downloaded }) => !downloaded)?.kinds).toEqual(['waiting', 'verify'])
  expect((await readFile(destination)).equals(file.bytes)).toBe(true)
  expect((await readdir(folder.path)).sort()).toEqual(['child.mjs', 'w.pt'])
})

test('two calls in one process share a download as well', async () => {
  await using server = await startServer((request, response) =>
    setTimeout(() => serve(request, response, file.bytes), 100),
  )
  await using folder = await temporaryFolder()
  const get = () =>
    downloadFile(`${server.origin}/w.pt`, join(folder.path, 'w.pt'), { sha256: file.sha256, env: {} })
  const results = await Promise.all([get(), get()])
  expect(results.map(({ downloaded }) => downloaded).sort()).toEqual([false, true])
  expect(server.requests).toHaveLength(1)
})

test('a process killed midway leaves a lock that is taken over and bytes that are gone on from', async () => {
  await using server = await startServer((request, response, visit) =>
    serve(request, response, file.bytes, visit === 0 ? { stallAfter: 150_000 } : {}),
  )
  await using folder = await temporaryFolder()
  const destination = join(folder.path, 'w.pt')
  const url = `${server.origin}/w.pt`
  const first = await child(folder.path, url, destination)
  await until(() =>
    stat(`${destination}.partial`).then(
      ({ size }) => size === 150_000,
      () => false,
    ),
  )
  first.kill('SIGKILL')
  await new Promise((resolve) => first.once('close', resolve))
  expect(existsSync(`${destination}.lock`), 'the dead process still holds the lock').toBe(true)

  const second = await lastLine(await child(folder.path, url, destination))
  expect(second.downloaded).toBe(true)
  // It waits unless the lock has outlived its time before a busy machine has started this process.
  const after = second.kinds.filter((kind) => kind !== 'waiting')
  expect(after).toEqual(['verify', 'resume', 'bytes', 'done'])
  expect(server.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=150000-'])
  expect((await readFile(destination)).equals(file.bytes)).toBe(true)
  expect(existsSync(`${destination}.lock`)).toBe(false)
})

test('a lock that another holds for too long is an error that names it, and an abort ends the wait at once', async () => {
  await using server = await startServer((request, response) => serve(request, response, file.bytes))
  await using folder = await temporaryFolder()
  const destination = join(folder.path, 'w.pt')
  await mkdir(`${destination}.lock`)
  const url = `${server.origin}/w.pt`
  const waiting = downloadFile(url, destination, { env: {}, lockWaitMs: 300 })
  await expect(waiting).rejects.toMatchObject({ code: 'locked', message: /w\.pt\.lock/ })
  // It would wait for hours.
  const aborted = downloadFile(url, destination, { env: {}, signal: AbortSignal.timeout(50) })
  await expect(aborted).rejects.toMatchObject({ name: 'TimeoutError' })
  expect(server.requests).toHaveLength(0)
})

test('a full disk is disk-full: before the first byte when the length is known, midway when not, and the rest comes later', async ({
  skip,
}) => {
  await using folder = await temporaryFolder()
  const disk = join(folder.path, 'disk')
  await mkdir(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    return skip('no small disk can be mounted here: that needs Linux and root')
  }
  try {
    const large = someBytes(2_000_000)
    const destination = join(disk, 'w.pt')
    await using honest = await startServer((request, response) => serve(request, response, large.bytes))
    const known = downloadFile(`${honest.origin}/w.pt`, destination, { env: {} })
    await expect(known).rejects.toMatchObject({
      code: 'disk-full',
      message: /1\.9 MiB more, .* 1\.0 MiB free.*PLUMAGE_CACHE/,
    })
    expect(await readdir(disk)).toEqual([])

    await using silent = await startServer((request, response) =>
      serve(request, response, large.bytes, { length: request.headers.range !== undefined }),
    )
    const sha256 = large.sha256
    const unknown = downloadFile(`${silent.origin}/w.pt`, destination, { env: {}, sha256 })
    await expect(unknown).rejects.toMatchObject({ code: 'disk-full', message: /ENOSPC/ })
    expect(existsSync(destination)).toBe(false)

    execFileSync('mount', ['-o', 'remount,size=4m', disk])
    await downloadFile(`${silent.origin}/w.pt`, destination, { env: {}, sha256 })
    expect(sha256Of(await readFile(destination))).toBe(large.sha256)
    expect(silent.requests[1]?.headers.range).toMatch(/^bytes=[1-9]/)
  } finally {
    execFileSync('umount', [disk])
  }
})

/** Serves so much of the file and then nothing, until it is let go on; a later request is answered in full. */
function heldServer(stallAfter: number) {
  let letGo = () => {}
  const server = startServer((request, response, visit) => {
    if (visit > 0) return serve(request, response, file.bytes)
    response.writeHead(200, { etag: '"one"', 'content-length': file.bytes.length })
    response.write(file.bytes.subarray(0, stallAfter))
    letGo = () => response.end(file.bytes.subarray(stallAfter))
  })
  return { server, letGo: () => letGo() }
}

const arrived = (path: string, size: number) =>
  until(() =>
    stat(path).then(
      (found) => found.size === size,
      () => false,
    ),
  )

test.for([0, 150_000])(
  'a disk that fails after %i bytes is named, and the file comes once it is mended',
  async (bytes, { skip }) => {
    using disk =
      failingDiskOrNull() ?? skip('no disk can be made to fail here: that needs Linux, root and ext4')
    const held = heldServer(bytes)
    await using server = await held.server
    const destination = join(disk.path, 'cache', 'w.pt')
    const get = () =>
      downloadFile(`${server.origin}/w.pt`, destination, { sha256: file.sha256, env: {}, lockStaleMs: 2000 })
    const first = get()
    await until(() => existsSync(`${destination}.partial.json`))
    await arrived(`${destination}.partial`, bytes)
    disk.fail()
    held.letGo()
    await expect(first).rejects.toMatchObject({
      name: 'HubError',
      code: 'no-access',
      message: expect.stringMatching(/w\.pt\.partial cannot be .*EROFS.*read-only.*PLUMAGE_CACHE/),
    })
    await expect(get()).rejects.toMatchObject({
      code: 'no-access',
      message: expect.stringContaining('EROFS'),
    })
    disk.mend()
    await get()
    expect(sha256Of(await readFile(destination))).toBe(file.sha256)
    expect(await readdir(join(disk.path, 'cache'))).toEqual(['w.pt'])
  },
)

test('a folder that is removed midway is named, and the next call makes it anew', async () => {
  await using folder = await temporaryFolder()
  const held = heldServer(150_000)
  await using server = await held.server
  const cache = join(folder.path, 'cache')
  const destination = join(cache, 'w.pt')
  const get = () => downloadFile(`${server.origin}/w.pt`, destination, { sha256: file.sha256, env: {} })
  const first = get()
  await arrived(`${destination}.partial`, 150_000)
  await rm(cache, { recursive: true })
  held.letGo()
  await expect(first).rejects.toMatchObject({
    name: 'HubError',
    code: 'no-access',
    message: expect.stringMatching(/w\.pt.*ENOENT.*removed under way: run again/),
  })
  await get()
  expect(sha256Of(await readFile(destination))).toBe(file.sha256)
})

test.skipIf(process.getuid?.() !== 0)(
  'the right to write, revoked midway, is named; what had arrived is kept, and only the rest is asked for',
  async () => {
    await using folder = await temporaryFolder()
    const held = heldServer(150_000)
    await using server = await held.server
    const cache = join(folder.path, 'cache')
    const destination = join(cache, 'w.pt')
    await mkdir(cache)
    // Root may write everywhere: it is somebody else who writes here.
    for (const path of [folder.path, cache]) await chown(path, NOBODY, NOBODY)
    const asNobody = ['setpriv', '--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups']
    const get = async () => lastLine(await child(folder.path, `${server.origin}/w.pt`, destination, asNobody))
    const first = get()
    await arrived(`${destination}.partial`, 150_000)
    await chmod(cache, 0o555)
    held.letGo()
    expect(await first).toEqual({
      name: 'HubError',
      code: 'no-access',
      message: expect.stringMatching(/EACCES.*Change its permissions/),
    })
    await chmod(cache, 0o755)
    expect(await get()).toMatchObject({ downloaded: true })
    expect(sha256Of(await readFile(destination))).toBe(file.sha256)
    // All had arrived and had no name yet.
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=400000-'])
  },
)

test('a file of 256 MiB passes through without being held in memory', async () => {
  const piece = Buffer.alloc(1 << 20, 7)
  await using server = await startServer((_, response) => {
    response.writeHead(200, { 'content-length': 256 << 20 })
    let left = 256
    const more = () => {
      while (left > 0) {
        left -= 1
        if (!response.write(piece)) return void response.once('drain', more)
      }
      response.end()
    }
    more()
  })
  await using folder = await temporaryFolder()
  const before = process.memoryUsage().rss
  let most = 0
  const onProgress = ({ kind }: DownloadProgress) => {
    if (kind === 'bytes') most = Math.max(most, process.memoryUsage.rss())
  }
  const { size } = await downloadFile(`${server.origin}/w.pt`, join(folder.path, 'w.pt'), {
    env: {},
    onProgress,
  })
  expect(size).toBe(256 << 20)
  expect((most - before) / 2 ** 20).toBeLessThan(96)
})
