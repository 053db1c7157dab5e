/** Tries a collection on two writers at once, and on a disk that is full. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkCollection } from '../../src/collection/check-collection.js'
import { Collection } from '../../src/collection/collection.js'
import { PHOTO_COLUMNS } from '../../src/collection/columns.js'
import { blockOf, type Row, rowsOf } from '../../src/collection/row-block.js'
import { LanceStore } from '../../src/platform/node/collection/lance-store.js'
import { openCollection } from '../../src/platform/node/collection/open-collection.js'
import { NodeFiles } from '../../src/platform/node/files/node-files.js'
import { toHalf } from '../../src/tensor/float16.js'
import { smallDiskOrNull } from '../support/small-disk.js'
import { aboutFor, idOf } from './made-collection.js'

const WIDTH = 512
const NAMES = PHOTO_COLUMNS.map(({ name }) => name)

function block(from: number, count: number) {
  const rows = Array.from(
    { length: count },
    (_, at): Row => ({
      id: idOf(from + at),
      root: 'photos',
      path: `${from + at}.jpg`,
      state: 'embedded',
      norm: 1,
    }),
  )
  const embeddings = new Float32Array(count * WIDTH)
  for (let at = 0; at < count; at++) embeddings[at * WIDTH + (at % WIDTH)] = 1
  return blockOf(rows, NAMES, toHalf(embeddings))
}

test('of two that want to write one is told who holds it, and readers are never kept out', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'plumage-two-')), 'photos.plumage')
  try {
    await using writer = await LanceStore.create(folder, aboutFor(WIDTH))
    await writer.add(block(0, 3))
    await expect(openCollection(folder, { write: true })).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`process ${process.pid}`),
    })
    await using reader = await openCollection(folder)
    expect(await reader.store.count()).toBe(3)
  } finally {
    rmSync(join(folder, '..'), { recursive: true })
  }
})

/** Fills the disk while rows, labels and copies are written, and looks whether what was said to be written is there. */
test('a full disk loses nothing: what was written stays, and work goes on when there is room', async (context) => {
  using disk = smallDiskOrNull('3m')
  if (disk === null) return context.skip('no disk can be mounted here')
  const folder = join(disk.path, 'photos.plumage')
  const about = aboutFor(WIDTH, { roots: { photos: '/' } })
  let written = 0
  const labels = new Map<string, string>()
  {
    await using collection = await Collection.open({ store: await LanceStore.create(folder, about) })
    await collection.addColumns([{ name: 'label', type: 'text' }])
    const fill = async () => {
      for (;;) {
        await collection.add(block(written, 100))
        written += 100
        const id = idOf(written - 1)
        await collection.change([{ id, values: { label: `l${written}` } }])
        labels.set(id, `l${written}`)
      }
    }
    await expect(fill()).rejects.toMatchObject({ code: 'disk-full' })
    expect(written).toBeGreaterThan(200)
    await expect(collection.compact({ rewrite: true })).rejects.toMatchObject({ code: 'disk-full' })
  }
  disk.remount('size=40m')
  await using collection = await openCollection(folder, { write: true })
  const rows: Row[] = []
  for await (const found of collection.scan({ columns: ['id', 'label'] })) rows.push(...rowsOf(found))
  const there = new Map(rows.map(({ id, label }) => [String(id), label]))
  // The rows of the moment when it was full may be there, all or none of them.
  expect([written, written + 100]).toContain(rows.length)
  for (let at = 0; at < written; at++) expect(there.has(idOf(at))).toBe(true)
  for (const [id, label] of labels) expect(there.get(id)).toBe(label)
  await collection.compact({ rewrite: true })
  const files = new NodeFiles('/')
  for await (const { kind, problem } of checkCollection(collection, { files }))
    if (kind !== 'file') throw new Error(problem)
  expect(await collection.store.count()).toBe(rows.length)
}, 60_000)
