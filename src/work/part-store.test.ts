import { mkdtempSync, readdirSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NodeFiles } from '../platform/node/files/node-files.js'
import { PartStore } from './part-store.js'

let folder: string
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'plumage-parts-')), 'parts')
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true }))

const identity = { model: 'm', recipe: 'r', identity: 'abc' }
const entry = (path: string, mtimeMs = 1) => ({ path, size: 10, mtimeMs, height: 2, width: 3 })
const files = new NodeFiles('/')
const open = () => PartStore.open(files, folder, identity, [2])

async function add(store: PartStore, ...paths: string[]) {
  for (const path of paths) await store.add(entry(path), Float32Array.of(path.length, store.size))
}

async function rows(store: PartStore, ...paths: string[]) {
  const found: [string, number[]][] = []
  for await (const { path, values } of store.rows(paths)) found.push([path, Array.from(values)])
  return found
}

test('rows that were flushed are there after opening again, in whatever order they are asked for', async () => {
  {
    await using store = await open()
    await add(store, 'a', 'bb')
    await store.flush()
    await add(store, 'ccc')
    await store.flush()
  }
  await using store = await open()
  expect(store.size).toBe(3)
  expect(await rows(store, 'ccc', 'a', 'bb')).toEqual([
    ['ccc', [3, 2]],
    ['a', [1, 0]],
    ['bb', [2, 0]],
  ])
})

test('an input whose size or time changed counts as not done; the later of two rows is the one read', async () => {
  await using store = await open()
  await store.add(entry('a', 1), Float32Array.of(1, 1))
  await store.flush()
  expect(store.has(entry('a', 1))).toBe(true)
  expect(store.has(entry('a', 2))).toBe(false)
  expect(store.has({ ...entry('a', 1), size: 11 })).toBe(false)
  await store.add(entry('a', 2), Float32Array.of(9, 9))
  await store.flush()
  expect(await rows(store, 'a')).toEqual([['a', [9, 9]]])
})

test('a part is written by itself after 256 rows', async () => {
  await using store = await open()
  await add(store, ...Array.from({ length: 257 }, (_, i) => `${i}`))
  expect(store.size).toBe(256)
})

test('a part that the disk has cut short is dropped, and only its inputs are done again', async () => {
  {
    await using store = await open()
    await add(store, 'a')
    await store.flush()
    await add(store, 'b')
    await store.flush()
  }
  truncateSync(join(folder, '00000001.part'), 30)
  await using store = await open()
  expect([store.has(entry('a')), store.has(entry('b'))]).toEqual([false, true])
})

test('what is no part at all does no harm', async () => {
  {
    await using store = await open()
    await add(store, 'a')
    await store.flush()
  }
  for (const [name, text] of [
    ['00000007.part', '\xff\xff\xff\xff\xff\xff\xff\xff{}'],
    ['00000008.part', ''],
    ['00000009.part.tmp', 'x'],
    ['note', ''],
  ] as const) {
    writeFileSync(join(folder, name), Buffer.from(text, 'latin1'))
  }
  await using store = await open()
  expect(store.size).toBe(1)
  await add(store, 'b')
  await store.flush()
  expect(await rows(store, 'a', 'b')).toHaveLength(2)
})

test("parts without a manifest may be anyone's and are not used", async () => {
  {
    await using store = await open()
    await add(store, 'a')
    await store.flush()
  }
  unlinkSync(join(folder, 'manifest.json'))
  await using store = await open()
  expect(store.size).toBe(0)
})

test('another identity or another row shape is refused, naming both', async () => {
  await (await open())[Symbol.asyncDispose]()
  await expect(
    PartStore.open(files, folder, { model: 'm', recipe: 'r', identity: 'xyz' }, [2]),
  ).rejects.toThrow(/identity abc.*identity xyz/)
  await expect(PartStore.open(files, folder, identity, [3])).rejects.toThrow(/shape 2; this run has shape 3/)
})

test('reading rows in an order across hundreds of parts keeps few files open', async () => {
  await using store = await open()
  const paths = Array.from({ length: 80 }, (_, i) => `image ${i}`)
  for (const path of paths) {
    await add(store, path)
    await store.flush()
  }
  const before = readdirSync('/proc/self/fd').length
  const shuffled = paths.map((_, i) => `image ${(i * 37) % paths.length}`)
  expect((await rows(store, ...shuffled)).map(([path]) => path)).toEqual(shuffled)
  expect(readdirSync('/proc/self/fd').length - before).toBeLessThanOrEqual(32)
})
