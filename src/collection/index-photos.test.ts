import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { aboutFor } from '../../test/collection/made-collection.js'
import { NodeFiles } from '../platform/node/files/node-files.js'
import { Collection } from './collection.js'
import { type Examine, type IndexOptions, indexPhotos } from './index-photos.js'
import { createMemoryStore } from './memory-store.js'
import { type Row, rowsOf } from './row-block.js'

let folder: string
let collection: Collection
/** Counts how often each path was embedded. */
let embedded: string[]
/** Counts how often each photo's metadata were read again. */
let told: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-index-'))
  collection = await Collection.open({ store: createMemoryStore(aboutFor(4)) })
  embedded = []
  told = []
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** Embeds a file by its first letters; one that begins with `bad` cannot be read. */
const examine: Examine = async function* (photos, { isKnown, signal }) {
  for await (const photo of photos) {
    signal?.throwIfAborted()
    const bytes = await readFile(photo.full)
    const content = createHash('sha256').update(bytes).digest('hex')
    if (isKnown(photo, content)) yield { photo, content }
    else if (bytes.toString().startsWith('bad'))
      yield { photo, error: new Error('it is bad'), values: { content } }
    else {
      embedded.push(photo.path)
      const embedding = Float32Array.from(bytes.subarray(0, 4))
      yield { photo, examined: { embedding, values: { content, height: 1, width: 2 } } }
    }
  }
}

function put(path: string, text: string, seconds = 1000): void {
  const full = join(folder, path)
  mkdirSync(join(full, '..'), { recursive: true })
  writeFileSync(full, text)
  utimesSync(full, seconds, seconds)
}

function index(options: Partial<IndexOptions> = {}) {
  return indexPhotos(collection, {
    files: new NodeFiles(folder),
    scopes: [{ root: 'photos', within: '', folder }],
    decodes: () => true,
    examine,
    tell: async ({ full, sidecars }) => {
      told.push(full.slice(folder.length + 1))
      return { caption: sidecars.length === 0 ? null : String(sidecars) }
    },
    ...options,
  })
}

async function rows(...columns: string[]): Promise<readonly Row[]> {
  const found: Row[] = []
  for await (const block of collection.scan({ columns })) found.push(...rowsOf(block))
  return found.sort((a, b) => (String(a.path) < String(b.path) ? -1 : 1))
}

const NONE = {
  unchanged: 0,
  added: 0,
  changed: 0,
  moved: 0,
  retold: 0,
  linked: 0,
  failed: 0,
  stillFailed: 0,
  gone: 0,
  unseen: 0,
  leftOut: {},
}

test('embeds what is new, and nothing twice', async () => {
  put('a.jpg', 'aaaa')
  put('sub/b.jpg', 'bbbb')
  expect(await index()).toEqual({ ...NONE, added: 2 })
  put('c.jpg', 'cccc')
  expect(await index()).toEqual({ ...NONE, added: 1, unchanged: 2 })
  expect(embedded).toEqual(['a.jpg', 'sub/b.jpg', 'c.jpg'])
  expect((await rows('path', 'root', 'state')).map(({ path }) => path)).toEqual([
    'a.jpg',
    'c.jpg',
    'sub/b.jpg',
  ])
})

test('a photo that cannot be decoded here is counted and has no row, and one that has a row keeps it', async () => {
  const heic = `\0\0\0\x18ftypheic\0\0\0\0heicmif1`
  const without: Partial<IndexOptions> = { decodes: ({ decoder }) => decoder === 'own', examine: refusing }
  put('a.heic', heic)
  expect(await index(without)).toEqual({ ...NONE, leftOut: { HEIC: 1 } })
  expect(await rows('path')).toEqual([])
  expect(await index()).toEqual({ ...NONE, added: 1 })
  // The next machine has no decoder: what was read is where it was, under its new name too.
  expect(await index(without)).toEqual({ ...NONE, unchanged: 1 })
  renameSync(join(folder, 'a.heic'), join(folder, 'b.heic'))
  expect(await index(without)).toEqual({ ...NONE, moved: 1 })
  expect(await rows('path', 'state')).toEqual([{ path: 'b.heic', state: 'embedded' }])
})

test('films are taken, or counted where nobody asks for them', async () => {
  put('a.mp4', 'film')
  put('IMG_1.jpg', 'photo')
  put('IMG_1.mov', 'the moving part of a photo')
  const films = { take: false, isNamed: (name: string) => /\.(mp4|mov)$/.test(name) }
  expect(await index({ films })).toEqual({ ...NONE, added: 1, leftOut: { film: 1 } })
  expect(await rows('path')).toEqual([{ path: 'IMG_1.jpg' }])
})

test('embeds a file again that has changed, and keeps its row and what people said of it', async () => {
  put('a.jpg', 'aaaa')
  await index()
  await collection.addColumns([{ name: 'label', type: 'text' }])
  const [before] = await rows('id', 'path')
  await collection.change([{ id: String(before?.id), values: { label: 'cat' } }])
  put('a.jpg', 'xyzw', 2000)
  expect(await index()).toEqual({ ...NONE, changed: 1 })
  expect(await rows('id', 'path', 'label')).toEqual([{ id: before?.id, path: 'a.jpg', label: 'cat' }])
  expect((await collection.nearest(Float32Array.from(Buffer.from('xyzw'))))[0]?.similarity).toBeCloseTo(1, 3)
})

test('knows a file again that was renamed, without reading it', async () => {
  put('a.jpg', 'aaaa')
  put('b.jpg', 'bbbb')
  await index()
  const before = await rows('id', 'path')
  renameSync(join(folder, 'a.jpg'), join(folder, 'A.JPG'))
  expect(await index({ examine: refusing })).toEqual({ ...NONE, moved: 1, unchanged: 1 })
  expect(await rows('id', 'path')).toEqual([{ ...before[0], path: 'A.JPG' }, before[1]])
})

test('knows content again that lies elsewhere, without embedding it', async () => {
  put('a.jpg', 'aaaa')
  await index()
  const [before] = await rows('id', 'path')
  copyFileSync(join(folder, 'a.jpg'), join(folder, 'z.jpg'))
  rmSync(join(folder, 'a.jpg'))
  expect(await index()).toEqual({ ...NONE, moved: 1 })
  expect(await rows('id', 'path')).toEqual([{ ...before, path: 'z.jpg' }])
  expect(embedded).toEqual(['a.jpg'])
})

test('takes a copy as a photo of its own, and a link as another name', async () => {
  put('a.jpg', 'aaaa')
  copyFileSync(join(folder, 'a.jpg'), join(folder, 'copy.jpg'))
  linkSync(join(folder, 'a.jpg'), join(folder, 'hard.jpg'))
  symlinkSync(join(folder, 'a.jpg'), join(folder, 'soft.jpg'))
  expect(await index()).toEqual({ ...NONE, added: 2, linked: 2 })
  // A name that sorts before the one with the row does not take it over.
  linkSync(join(folder, 'a.jpg'), join(folder, '0.jpg'))
  expect(await index()).toEqual({ ...NONE, unchanged: 2, linked: 3 })
  expect((await rows('path')).map(({ path }) => path)).toEqual(['a.jpg', 'copy.jpg'])
})

test('marks what is gone, takes it back when it comes again, and forgets it when told', async () => {
  put('a.jpg', 'aaaa')
  put('b.jpg', 'bbbb')
  await index()
  const before = await rows('id', 'path')
  rmSync(join(folder, 'a.jpg'))
  expect(await index()).toEqual({ ...NONE, gone: 1, unchanged: 1 })
  expect(await rows('path', 'state')).toEqual([
    { path: 'a.jpg', state: 'gone' },
    { path: 'b.jpg', state: 'embedded' },
  ])
  expect((await collection.nearest(new Float32Array([1, 1, 1, 1]))).map(({ row }) => row.path)).toEqual([
    'b.jpg',
  ])
  put('new/a.jpg', 'aaaa', 5000)
  expect(await index()).toEqual({ ...NONE, moved: 1, unchanged: 1 })
  expect((await rows('id', 'path')).find(({ id }) => id === before[0]?.id)?.path).toBe('new/a.jpg')
  rmSync(join(folder, 'new/a.jpg'))
  expect(await index({ prune: true })).toEqual({ ...NONE, gone: 1, unchanged: 1 })
  expect(await rows('path')).toEqual([{ path: 'b.jpg' }])
})

test('a photo that cannot be read is a row with its reason, and is tried again when asked or changed', async () => {
  put('a.jpg', 'bad!')
  const failures: unknown[] = []
  expect(await index({ listener: { failed: (failure) => failures.push(failure) } })).toEqual({
    ...NONE,
    failed: 1,
  })
  expect(failures).toEqual([{ path: 'a.jpg', reason: 'it is bad' }])
  expect(await rows('path', 'state', 'reason')).toEqual([
    { path: 'a.jpg', state: 'failed', reason: 'it is bad' },
  ])
  expect(await index()).toEqual({ ...NONE, unchanged: 1, stillFailed: 1 })
  expect(await index({ retryFailed: true })).toEqual({ ...NONE, failed: 1 })
  put('a.jpg', 'good', 2000)
  expect(await index()).toEqual({ ...NONE, changed: 1 })
  expect(await rows('path', 'state', 'reason')).toEqual([{ path: 'a.jpg', state: 'embedded', reason: null }])
})

test('what was computed before an interruption is kept, and nothing is doubled', async () => {
  for (let at = 0; at < 20; at++) put(`${at}.jpg`, `${at}abc`)
  const stop = new AbortController()
  let count = 0
  const listener = { done: () => ++count === 7 && stop.abort(new Error('enough')) }
  await expect(index({ signal: stop.signal, listener })).rejects.toThrow('enough')
  expect(await collection.store.count()).toBe(7)
  expect(await index()).toEqual({ ...NONE, unchanged: 7, added: 13 })
  expect(embedded).toHaveLength(20)
})

test('a photo and what belongs to it are one row, and what comes or goes beside it is read without embedding', async () => {
  put('a.jpg', 'aaaa')
  put('a.cr2', 'raw!')
  put('b/a.jpg', 'bbbb')
  expect(await index()).toEqual({ ...NONE, added: 2 })
  expect(await rows('path', 'sidecars')).toEqual([
    { path: 'a.jpg', sidecars: ['a.cr2'] },
    { path: 'b/a.jpg', sidecars: [] },
  ])
  put('b/a.xmp', 'one')
  expect(await index()).toEqual({ ...NONE, unchanged: 1, retold: 1 })
  put('b/a.xmp', 'two', 2000)
  put('a.mov', 'film')
  expect(await index()).toEqual({ ...NONE, retold: 2 })
  expect(await rows('path', 'sidecars', 'caption')).toEqual([
    { path: 'a.jpg', sidecars: ['a.cr2', 'a.mov'], caption: null },
    { path: 'b/a.jpg', sidecars: ['b/a.xmp'], caption: 'b/a.xmp' },
  ])
  rmSync(join(folder, 'b/a.xmp'))
  expect(await index()).toEqual({ ...NONE, unchanged: 1, retold: 1 })
  expect((await rows('path', 'caption')).map(({ caption }) => caption)).toEqual([null, null])
  expect(told).toEqual(['b/a.jpg', 'b/a.jpg', 'b/a.jpg'])
  expect(embedded).toEqual(['a.jpg', 'b/a.jpg'])
})

test("a row stays where a photo's twin takes its place, and comes back with it", async () => {
  put('a.cr2', 'raw!')
  await index()
  const [before] = await rows('id', 'path')
  put('a.jpg', 'aaaa')
  expect(await index()).toEqual({ ...NONE, changed: 1 })
  expect(await rows('id', 'path')).toEqual([{ ...before, path: 'a.jpg' }])
  rmSync(join(folder, 'a.jpg'))
  expect(await index()).toEqual({ ...NONE, changed: 1 })
  expect(await rows('id', 'path')).toEqual([before])
})

test('a file that was only written anew, as a copy is, is not embedded again', async () => {
  put('a.jpg', 'aaaa')
  await index()
  put('a.jpg', 'aaaa', 3000)
  expect(await index()).toEqual({ ...NONE, unchanged: 1 })
  expect(await index({ examine: refusing })).toEqual({ ...NONE, unchanged: 1 })
  expect(embedded).toEqual(['a.jpg'])
})

test('a photo that could not be read is none that can after it was gone', async () => {
  put('a.jpg', 'bad!')
  put('b.jpg', 'bbbb')
  await index()
  const bytes = await readFile(join(folder, 'a.jpg'))
  rmSync(join(folder, 'a.jpg'))
  await index()
  put('c.jpg', bytes.toString(), 9000)
  await index()
  expect(await rows('path', 'state')).toEqual([
    { path: 'b.jpg', state: 'embedded' },
    { path: 'c.jpg', state: 'failed' },
  ])
})

test('an empty folder where photos were is no sign that they are gone', async () => {
  put('a.jpg', 'aaaa')
  await index()
  rmSync(join(folder, 'a.jpg'))
  await expect(index()).rejects.toMatchObject({
    code: 'root-missing',
    message: expect.stringContaining('collection root photos'),
  })
  expect(await rows('path', 'state')).toEqual([{ path: 'a.jpg', state: 'embedded' }])
  expect(await index({ prune: true })).toEqual({ ...NONE, gone: 1 })
})

test('a part of a root says nothing of the rest', async () => {
  put('a/1.jpg', 'aaaa')
  put('b/2.jpg', 'bbbb')
  await index()
  rmSync(join(folder, 'a/1.jpg'))
  rmSync(join(folder, 'b/2.jpg'))
  const scopes = [{ root: 'photos', within: 'b', folder: join(folder, 'b') }]
  expect(await index({ scopes })).toEqual({ ...NONE, gone: 1 })
  expect(await rows('path', 'state')).toEqual([
    { path: 'a/1.jpg', state: 'embedded' },
    { path: 'b/2.jpg', state: 'gone' },
  ])
})

test.skipIf(process.getuid?.() === 0)(
  'a folder that cannot be looked through says nothing of what it holds',
  async () => {
    put('a/1.jpg', 'aaaa')
    await index()
    chmodSync(join(folder, 'a'), 0)
    try {
      expect(await index()).toEqual({ ...NONE, unseen: 1 })
    } finally {
      chmodSync(join(folder, 'a'), 0o755)
    }
    expect(await rows('path', 'state')).toEqual([{ path: 'a/1.jpg', state: 'embedded' }])
  },
)

// biome-ignore lint/correctness/useYield: It stands for a disk that must not be read.
const refusing: Examine = async function* (photos) {
  for await (const { path } of photos) throw new Error(`${path} should not be read`)
}

test('of two copies of what is gone one has its row, and the other is a photo of its own', async () => {
  put('a.jpg', 'aaaa')
  await index()
  const [before] = await rows('id', 'path')
  rmSync(join(folder, 'a.jpg'))
  put('x.jpg', 'aaaa', 2000)
  put('y.jpg', 'aaaa', 2000)
  const eager: Examine = async function* (photos, options) {
    yield* await collect(examine(photos, options))
  }
  expect(await index({ examine: eager })).toEqual({ ...NONE, moved: 1, added: 1 })
  expect((await rows('id', 'path')).map(({ id }) => id === before?.id)).toEqual([true, false])
})

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}
