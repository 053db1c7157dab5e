import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { aboutFor, idOf } from '../../../../test/collection/made-collection.js'
import { PHOTO_COLUMNS } from '../../../collection/columns.js'
import { blockOf, type Row, rowsOf } from '../../../collection/row-block.js'
import { LanceStore } from './lance-store.js'
import { heldVersions, LEASES, Lease } from './leases.js'

let folder: string
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'plumage-leases-')), 'photos.plumage')
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true }))

const NAMES = PHOTO_COLUMNS.map(({ name }) => name)
const block = (from: number, count: number) => {
  const rows = Array.from(
    { length: count },
    (_, at): Row => ({ id: idOf(from + at), path: `${from + at}.jpg`, norm: 1 }),
  )
  return blockOf(rows, NAMES, new Uint16Array(4 * count))
}
const idsIn = async (store: LanceStore) => {
  const ids: string[] = []
  for await (const found of store.scan({ columns: ['id'] }))
    ids.push(...rowsOf(found).map(({ id }) => String(id)))
  return ids.sort()
}
const tables = () => readdirSync(folder).filter((name) => name.endsWith('.lance'))

test.each([false, true])(
  'what a reader has open stays while it is compacted (a copy: %s), and goes with the reader',
  async (rewrite) => {
    await using writer = await LanceStore.create(folder, aboutFor(4))
    await writer.add(block(0, 3))
    const reader = await LanceStore.open(folder)
    await writer.add(block(3, 3))
    await writer.remove([idOf(0)])
    expect(await writer.compact({ rewrite })).toEqual({ readers: 1 })
    expect(await idsIn(reader)).toEqual([0, 1, 2].map(idOf))
    const late = await LanceStore.open(folder)
    expect(await idsIn(late)).toEqual([1, 2, 3, 4, 5].map(idOf))
    await reader[Symbol.asyncDispose]()
    await late[Symbol.asyncDispose]()
    expect(await writer.compact()).toEqual({ readers: 0 })
    expect(tables()).toHaveLength(1)
    expect((await writer.facts()).versions).toBe(1)
    expect(await idsIn(writer)).toEqual([1, 2, 3, 4, 5].map(idOf))
  },
)

test("what a killed reader has left is nobody's, and what says nothing counts", async () => {
  await using _store = await LanceStore.create(folder, aboutFor(4))
  const lease = await Lease.takeOrNull(folder)
  expect(await heldVersions(folder)).toEqual([{ table: null, version: null }])
  await lease?.hold({ table: 'photos', version: 3 })
  expect(await heldVersions(folder)).toEqual([{ table: 'photos', version: 3 }])
  await lease?.[Symbol.asyncDispose]()
  expect(await heldVersions(folder)).toEqual([])
  const dead = {
    pid: 2 ** 22 + 1,
    host: (await import('node:os')).hostname(),
    place: null,
    started: null,
    token: 'x',
  }
  writeFileSync(join(folder, LEASES, 'dead.json'), JSON.stringify(dead))
  writeFileSync(join(folder, LEASES, 'new.json'), '')
  expect(await heldVersions(folder)).toEqual([{ table: null, version: null }])
  expect(readdirSync(join(folder, LEASES))).toEqual(['new.json'])
})
