import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readImageFile } from './decode-image.js'

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumage-read-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const failing = (code: string, path: string) =>
  expect.objectContaining({ name: 'ImageError', code, message: expect.stringContaining(path) })

test('a name is taken as it is, with brackets and all', async () => {
  const path = join(folder, 'wren.jpg[page=1]')
  await writeFile(path, Uint8Array.of(1, 2, 3))
  expect(Array.from(await readImageFile(path))).toEqual([1, 2, 3])
})

test('a path through something that is no folder leads nowhere', async () => {
  const path = join(folder, 'wren.jpg[page=1]', 'inside.jpg')
  await expect(readImageFile(path)).rejects.toEqual(failing('not-found', path))
})

test.skipIf(process.platform === 'win32')('a pipe is refused, not waited for', async () => {
  const path = join(folder, 'pipe.jpg')
  execFileSync('mkfifo', [path])
  await expect(readImageFile(path)).rejects.toEqual(failing('not-an-image', path))
})

test('a file of 2 GiB is refused before it is read', async () => {
  const path = join(folder, 'scan.tiff')
  await writeFile(path, '')
  await truncate(path, 2 ** 31)
  await expect(readImageFile(path)).rejects.toEqual(failing('too-large', path))
})
