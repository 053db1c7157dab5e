import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { aboutFor, idOf } from '../../test/collection/made-collection.js'
import { NodeFiles } from '../platform/node/files/node-files.js'
import { Collection } from './collection.js'
import { createMemoryStore } from './memory-store.js'
import { moveRoot } from './roots.js'
import { blockOf } from './row-block.js'

let folder: string
let collection: Collection
const files = new NodeFiles('/')

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-roots-'))
  const about = aboutFor(2, { roots: { photos: '/gone', others: join(folder, 'others') } })
  collection = await Collection.open({ store: createMemoryStore(about) })
  const rows = ['a.jpg', 'b.jpg', 'clip.mp4#t=1.000'].map((path, at) => ({
    id: idOf(at),
    root: 'photos',
    path,
    bytes: 3,
    modified: 5000,
    state: 'embedded',
  }))
  await collection.add(blockOf(rows, Object.keys(rows[0] ?? {}), new Uint16Array(6)))
})
afterEach(() => rmSync(folder, { recursive: true }))

function put(name: string, text: string, seconds: number): void {
  writeFileSync(join(folder, name), text)
  utimesSync(join(folder, name), seconds, seconds)
}

test('a root moves to where its photos are, and it is said how many of them', async () => {
  put('a.jpg', 'abc', 5)
  put('b.jpg', 'abcd', 5)
  put('clip.mp4', 'abc', 6)
  expect(await moveRoot(collection, 'photos', folder, { files })).toEqual({
    looked: 3,
    same: 1,
    copied: 1,
    different: 1,
    absent: 0,
  })
  expect(collection.about.roots.photos).toBe(folder)
})

test('it stays where none of its photos is there, unless it is forced', async () => {
  await expect(moveRoot(collection, 'photos', folder, { files })).rejects.toMatchObject({
    code: 'root-missing',
  })
  expect(collection.about.roots.photos).toBe('/gone')
  expect(await moveRoot(collection, 'photos', folder, { files, force: true })).toMatchObject({ absent: 3 })
  expect(collection.about.roots.photos).toBe(folder)
})

test('unknown names, missing folders and those of another root are refused by name', async () => {
  await expect(moveRoot(collection, 'photo', folder, { files })).rejects.toThrow('Did you mean photos?')
  await expect(moveRoot(collection, 'photos', join(folder, 'none'), { files })).rejects.toThrow(
    'There is no folder',
  )
  await expect(moveRoot(collection, 'photos', join(folder, 'others'), { files })).rejects.toThrow(
    'of the root others',
  )
})
