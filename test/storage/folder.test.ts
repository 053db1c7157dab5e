/** A folder keeps objects as a bucket does, whatever else is in it and whoever dies while writing. */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStorage } from '../../src/platform/node/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'

const bytes = (text: string) => new TextEncoder().encode(text)
let folder = ''
let storage: Storage
beforeEach(async () => {
  folder = await mkdtemp(join(process.env.PLUMAGE_TEST_FOLDER ?? '/tmp', 'folder-'))
  await mkdir(join(folder, 'place'))
  storage = await openStorage(pathToFileURL(join(folder, 'place')))
})
afterEach(() => rm(folder, { recursive: true }))

test('a link that leads out of the folder is neither read nor written through nor listed', async () => {
  await mkdir(join(folder, 'outside'))
  await writeFile(join(folder, 'outside/secret'), 'secret')
  await symlink(join(folder, 'outside'), join(folder, 'place/out'))
  await symlink(join(folder, 'outside/secret'), join(folder, 'place/file'))
  for (const key of ['out/secret', 'file']) {
    await expect(storage.read(key)).rejects.toMatchObject({ code: 'refused' })
    await expect(storage.look(key)).rejects.toMatchObject({ code: 'refused' })
    await expect(storage.remove(key)).rejects.toMatchObject({ code: 'refused' })
  }
  await expect(storage.write('out/new', bytes('x'))).rejects.toMatchObject({ code: 'refused' })
  expect(await readdir(join(folder, 'outside'))).toEqual(['secret'])
  expect(await keys()).toEqual([])
})

test('a link within the folder is read as what it leads to', async () => {
  await storage.write('a/b', bytes('here'))
  await symlink(join(folder, 'place/a/b'), join(folder, 'place/link'))
  expect(Buffer.from((await storage.read('link'))?.bytes ?? []).toString()).toBe('here')
  expect(await keys()).toEqual(['a/b', 'link'])
})

test('what is being written has no name that is listed, and goes where its writer has died', async () => {
  await storage.write('a', bytes('x'))
  const left = join(folder, 'place/.plumage-unfinished/left')
  await writeFile(left, 'half')
  expect(await keys()).toEqual(['a'])
  await expect(storage.write('.plumage-unfinished/x', bytes('x'))).rejects.toMatchObject({
    code: 'wrong-key',
  })
  const old = Date.now() / 1000 - 2 * 24 * 3600
  await utimes(left, old, old)
  await (await openStorage(join(folder, 'place'))).write('b', bytes('x'))
  expect(await readdir(join(folder, 'place/.plumage-unfinished'))).toEqual([])
})

test('a key below a file, and a folder that is named as a key, are told as what they are', async () => {
  await storage.write('a', bytes('x'))
  await expect(storage.write('a/b', bytes('x'))).rejects.toMatchObject({ name: 'StorageError' })
  expect(await storage.look('a/b')).toBeNull()
  await storage.write('c/d', bytes('x'))
  expect(await storage.look('c')).toBeNull()
  expect(await storage.read('c')).toBeNull()
  await expect(storage.write('c', bytes('x'))).rejects.toMatchObject({ name: 'StorageError' })
})

test('a writer that is killed while it holds a version keeps nobody out', async () => {
  const first = await storage.write('state', bytes('1'))
  if (!first.written) throw new Error('It was not written.')
  // It holds the lock of that key as a writer does, and is killed with it.
  const { createHash } = await import('node:crypto')
  const name = createHash('sha256').update('state').digest('hex').slice(0, 32)
  const place = join(folder, 'place/.plumage-unfinished', name)
  const module = pathToFileURL(
    join(import.meta.dirname, '../../dist/platform/node/files/output-lock.js'),
  ).href
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `
    const { lockOutput } = await import(${JSON.stringify(module)})
    const lock = await lockOutput(${JSON.stringify(place)})
    console.log('held')
    setInterval(() => lock, 1000)`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await new Promise((resolve) => child.stdout.once('data', resolve))
  const writing = storage.write('state', bytes('2'), { ifVersion: first.version })
  const early = await Promise.race([
    writing,
    new Promise((resolve) => setTimeout(() => resolve('waits'), 200)),
  ])
  expect(early).toBe('waits')
  child.kill('SIGKILL')
  expect(await writing).toMatchObject({ written: true })
})

async function keys(): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of storage.list()) found.push(key)
  return found
}
