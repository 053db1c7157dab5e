/** Photos that were indexed under an earlier rule of pixel digests get those of now by the next index, each once, whenever its disk is there; nothing is embedded for it. */
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Collection } from '../../src/collection/collection.js'
import type { MeasuredAnew } from '../../src/collection/index-photos.js'
import { rowsOf } from '../../src/collection/row-block.js'
import type { PhotoEncoder } from '../../src/platform/node/collection/examine-photos.js'
import { indexFolders } from '../../src/platform/node/collection/index-folders.js'
import { createCollection, openCollection } from '../../src/platform/node/collection/open-collection.js'
import { packageRoot } from '../support/repository.js'
import { aboutFor, identityOfMade } from './made-collection.js'

let folder: string
let embedded = 0
/** Takes each photo, and says how many it has seen. */
const encoder: PhotoEncoder = {
  identity: identityOfMade(),
  async *encodeAll(sources) {
    let index = 0
    for await (const get of sources) {
      await get()
      embedded++
      yield { index: index++, features: { embedding: Float32Array.of(1, index) } } as never
    }
  },
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-anew-'))
  for (const disk of ['one', 'two']) mkdirSync(join(folder, disk))
  const png = (alpha: number) =>
    sharp({ create: { width: 9, height: 7, channels: 4, background: { r: 9, g: 90, b: 200, alpha } } }).png()
  await png(0.5).toFile(join(folder, 'one/clear.png'))
  await png(1).toFile(join(folder, 'one/opaque.png'))
  await png(0.25).toFile(join(folder, 'two/clear.png'))
  copyFileSync(join(packageRoot, 'examples/photos/hat-1.jpg'), join(folder, 'one/hat.jpg'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function index(collection: Collection, ...disks: readonly string[]): Promise<readonly MeasuredAnew[]> {
  const told: MeasuredAnew[] = []
  const listener = { measured: (measured: MeasuredAnew) => void told.push(measured) }
  await indexFolders(
    collection,
    disks.map((disk) => join(folder, disk)),
    encoder,
    { listener },
  )
  return told
}

async function digests(collection: Collection): Promise<ReadonlyMap<string, { id: string; pixels: string }>> {
  const found = new Map<string, { id: string; pixels: string }>()
  for await (const block of collection.scan({ columns: ['id', 'root', 'path', 'pixels'] }))
    for (const { id, root, path, pixels } of rowsOf(block))
      found.set(`${root}/${path}`, { id: String(id), pixels: String(pixels) })
  return found
}

test('digests of an earlier rule are made anew, where their disk is connected', async () => {
  const place = join(folder, 'photos.plumage')
  {
    const { model } = aboutFor(2)
    await using made = await createCollection(place, { identity: encoder.identity, model, width: 2 })
    expect(await index(made, 'one', 'two')).toEqual([])
  }
  await using collection = await openCollection(place, { write: true })
  const whole = await digests(collection)
  expect([embedded, whole.size]).toEqual([4, 4])
  // So an earlier version left them: without a word of the rule, and with the digest of the pixels alone.
  const { digests: _, ...about } = collection.about
  const age = async () => {
    await collection.store.setAbout(about)
    const old = ['one/clear.png', 'two/clear.png'].map((path) => ({
      id: whole.get(path)?.id ?? '',
      values: { pixels: 'ab'.repeat(32) },
    }))
    await collection.change(old)
  }
  await age()
  renameSync(join(folder, 'two'), join(folder, 'away'))
  expect(await index(collection, 'one')).toEqual([{ photos: 1, left: 1 }])
  expect((await digests(collection)).get('one/clear.png')).toEqual(whole.get('one/clear.png'))
  // What is done is not looked at again: only what was left is.
  const [clear = ''] = [whole.get('one/clear.png')?.id]
  await collection.change([{ id: clear, values: { pixels: 'cd'.repeat(32) } }])
  expect(await index(collection, 'one')).toEqual([{ photos: 0, left: 1 }])
  renameSync(join(folder, 'away'), join(folder, 'two'))
  expect(await index(collection, 'two')).toEqual([{ photos: 1, left: 0 }])
  expect((await digests(collection)).get('two/clear.png')).toEqual(whole.get('two/clear.png'))
  expect(await index(collection, 'one', 'two')).toEqual([])
  // From the beginning all of them are.
  await age()
  expect(await index(collection, 'one', 'two')).toEqual([{ photos: 2, left: 0 }])
  expect(await digests(collection)).toEqual(whole)
  expect(embedded).toBe(4)
})
