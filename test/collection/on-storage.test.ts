/** A collection on object storage is the same collection, whatever reads it, and whatever dies: on a real S3 server. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Collection } from '../../src/collection/collection.js'
import { searchPhotos } from '../../src/collection/search/search-photos.js'
import { checkPhotos, removeCollection } from '../../src/platform/node/collection/care-for.js'
import { mirrorCollection } from '../../src/platform/node/collection/mirror-collection.js'
import { createCollection, openCollection } from '../../src/platform/node/collection/open-collection.js'
import { openStorage } from '../../src/platform/node/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { madeRows } from '../support/made-rows.js'
import { type S3Server, startS3Server, versitygw } from '../support/s3-server.js'
import { identityOfMade, idOf } from './made-collection.js'

const WIDTH = 16
const CHILD = join(import.meta.dirname, '../support/collection-child.mjs')
let folder: string
let server: S3Server
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-on-storage-'))
  if (versitygw === undefined) return
  server = await startS3Server()
  await server.makeBucket('bucket')
  for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value)
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const settings = { identity: identityOfMade(), model: { source: 'made', options: {} }, width: WIDTH }
const { rows: made } = madeRows(500, WIDTH, 5)

async function fill(collection: Collection, from: number, count: number) {
  await collection.addPhotos(
    Array.from({ length: count }, (_, at) => ({
      row: { id: idOf(from + at), root: 'photos', path: `${from + at}.jpg` },
      embedding: made.slice((from + at) * WIDTH, (from + at + 1) * WIDTH),
    })),
  )
  await collection.prepare()
}

async function label(collection: Collection, at: number, text: string) {
  await collection.addColumns([{ name: 'label', type: 'text' }])
  await collection.change([{ id: idOf(at), values: { label: text } }])
}

async function answersOf(collection: Collection) {
  const { photos } = await searchPhotos(collection, { like: [{ id: idOf(3) }] }, { count: 20 })
  return photos.map(({ similarity, share, row }) => ({ similarity, share, row }))
}

const CUT = new Error('cut off')

/** Is a storage that can be read so many times only. */
function cutOff(storage: Storage, reads: number): Storage {
  let left = reads
  return {
    label: storage.label,
    isWritable: storage.isWritable,
    look: storage.look.bind(storage),
    read: async (key, options) => {
      if (left-- === 0) throw CUT
      return await storage.read(key, options)
    },
    write: storage.write.bind(storage),
    list: storage.list.bind(storage),
    remove: storage.remove.bind(storage),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  }
}

const labelOf = async (collection: Collection, at: number) => (await collection.rows([idOf(at)]))[0]?.label

describe.skipIf(versitygw === undefined)('on S3', () => {
  test('the same exact search gives the same answer from a folder, from S3 and from a mirror, and goes on with each version', async () => {
    const places = [join(folder, 'here.plumage'), 's3://bucket/there.plumage'] as const
    const change = async (how: (collection: Collection) => Promise<void>) => {
      for (const place of places) {
        await using collection = await openCollection(place, { write: true })
        await how(collection)
      }
    }
    for (const place of places) {
      await using collection = await createCollection(place, settings)
      await fill(collection, 0, 300)
    }
    await change((collection) => label(collection, 7, 'cat'))
    const [here, there] = places
    await using onDisk = await openCollection(here)
    await using onS3 = await openCollection(there)
    const mirror = join(folder, 'mirror')
    await using mirrored = await openCollection(there, { mirror })
    const all = [onDisk, onS3, mirrored]
    const compare = async () => {
      const [expected, ...others] = await Promise.all(all.map(answersOf))
      expect(expected).toHaveLength(20)
      for (const found of others) expect(found).toEqual(expected)
    }
    await compare()
    for (const collection of all) expect(await labelOf(collection, 7)).toBe('cat')

    for (const how of [
      (collection: Collection) => label(collection, 7, 'dog'),
      (collection: Collection) => collection.fold(),
      (collection: Collection) => fill(collection, 300, 60),
      async (collection: Collection) => void (await collection.compact()),
      async (collection: Collection) => void (await collection.compact({ rewrite: true })),
      async (collection: Collection) => collection.remove([idOf(5)]).then(() => collection.prepare()),
    ]) {
      await change(how)
      for (const collection of all) expect(await collection.refresh()).toBe(true)
      for (const collection of all) expect(await collection.refresh()).toBe(false)
      for (const collection of all) expect(await labelOf(collection, 7)).toBe('dog')
      await compare()
    }
    // What a mirror has it does not read again, and it cannot be written to.
    await using storage = await openStorage(there)
    expect((await mirrorCollection(storage, mirror)).bytes).toBeLessThan(10_000)
    await expect(openCollection(mirror, { write: true })).rejects.toThrow(/is a mirror of s3:/)
    await expect(openCollection(here, { mirror })).rejects.toThrow(RangeError)
  }, 60_000)

  test('a mirror takes nothing that is not as it was written, stays as it was, and goes on where it stopped', async () => {
    const there = 's3://bucket/damaged.plumage'
    await using writer = await createCollection(there, settings)
    await fill(writer, 0, 100)
    await using storage = await openStorage(there)
    const mirror = join(folder, 'of-damaged')
    await mirrorCollection(storage, mirror)
    await fill(writer, 100, 50)
    const keys: string[] = []
    for await (const { key } of storage.list({ prefix: 'photos.lance/data/' })) keys.push(key)
    const [fresh = ''] = keys.filter(
      (key) => !readdirSync(join(mirror, 'photos.lance/data')).includes(key.split('/').at(-1) ?? ''),
    )
    const whole = (await storage.read(fresh))?.bytes ?? new Uint8Array()
    const other = Uint8Array.from(whole, (byte, at) => (at === 100 ? byte ^ 1 : byte))
    await storage.write(fresh, other)
    await expect(mirrorCollection(storage, mirror)).rejects.toMatchObject({ code: 'damaged' })
    await using before = await openCollection(mirror)
    expect(await before.store.count()).toBe(100)
    await storage.write(fresh, whole)
    // Half of a file was there when an earlier attempt was killed.
    const list = JSON.parse(new TextDecoder().decode((await storage.read('files.json'))?.bytes)) as {
      files: { key: string; sha256: string }[]
    }
    const sha256 = list.files.find(({ key }) => key === fresh)?.sha256 ?? ''
    mkdirSync(join(mirror, 'partial'), { recursive: true })
    writeFileSync(join(mirror, 'partial', sha256), whole)
    truncateSync(join(mirror, 'partial', sha256), Math.floor(whole.length / 2))
    await mirrorCollection(storage, mirror)
    expect(readFileSync(join(mirror, ...fresh.split('/')))).toEqual(Buffer.from(whole))
    await using after = await openCollection(mirror)
    expect(await after.store.count()).toBe(150)
    await expect(mirrorCollection(storage, folder)).rejects.toMatchObject({ code: 'exists' })
  }, 60_000)

  test('a first copy that is cut off anywhere is gone on with, and is none of another collection', async () => {
    const there = 's3://bucket/begun.plumage'
    await using writer = await createCollection(there, settings)
    await fill(writer, 0, 60)
    await writer.store.writeFile('map.json', Buffer.from('{}'))
    await using storage = await openStorage(there)
    await using other = await openStorage('s3://bucket/other.plumage')
    const mirror = join(folder, 'begun')
    let cuts = 0
    for (let isWhole = false; !isWhole; ) {
      const cut = cutOff(storage, ++cuts)
      isWhole = await mirrorCollection(cut, mirror).then(
        () => true,
        (error: unknown) => {
          expect(error).toBe(CUT)
          return false
        },
      )
      const names = readdirSync(mirror)
      if (names.length > 0)
        await expect(mirrorCollection(other, mirror)).rejects.toMatchObject({ code: 'exists' })
      if (!isWhole && names.length > 0) writeFileSync(join(mirror, 'collection.json.tmp'), '{')
    }
    expect(cuts).toBeGreaterThan(5)
    await using mirrored = await openCollection(mirror)
    expect(await answersOf(mirrored)).toEqual(await answersOf(writer))
    expect(readdirSync(mirror)).toContain('map.json')
    expect(readdirSync(mirror)).not.toContain('partial')
  }, 60_000)

  test('one writes, and any number read, until it is removed', async () => {
    const there = 's3://bucket/shared.plumage'
    await using writer = await createCollection(there, settings)
    await fill(writer, 0, 50)
    await expect(openCollection(there, { write: true })).rejects.toMatchObject({ code: 'locked' })
    await expect(createCollection('s3://bucket/shared.plumage', settings)).rejects.toMatchObject({
      code: 'locked',
    })
    const readers = await Promise.all([1, 2, 3].map(() => openCollection(there)))
    expect((await readers[0]?.store.facts())?.readers).toBe(3)
    for (const reader of readers) expect(await reader.store.count()).toBe(50)
    {
      await using small = await openCollection(there, { cacheBytes: 100 })
      await expect(small.vectors()).rejects.toMatchObject({ code: 'too-large' })
    }
    for (const reader of readers) await reader[Symbol.asyncDispose]()
    await writer[Symbol.asyncDispose]()
    await expect(createCollection(there, settings)).rejects.toMatchObject({ code: 'exists' })
    expect(await removeCollection(there)).toEqual([])
    await expect(openCollection(there)).rejects.toMatchObject({ code: 'not-found' })
  }, 60_000)

  test('writers that are killed leave a collection that is read, and that the next one goes on with', async () => {
    const there = 's3://bucket/killed.plumage'
    const photos = join(folder, 'photos')
    mkdirSync(photos)
    const add = (from: number) => {
      for (let at = from; at < from + 20; at++) writeFileSync(join(photos, `${at}.jpg`), `photo ${at}`)
    }
    const run = async (op: string, killAfter?: number) => {
      const child = spawn(process.execPath, [CHILD, op, there, photos], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let said = ''
      child.stderr.on('data', (text) => (said += String(text)))
      const closed = once(child, 'close')
      if (killAfter !== undefined) void sleep(killAfter).then(() => child.kill('SIGKILL'))
      const [code] = (await closed) as [number | null]
      if (code !== 0 && killAfter === undefined) throw new Error(`${op} ended with ${code}: ${said}`)
    }
    add(0)
    const begun = performance.now()
    await run('index')
    const span = performance.now() - begun
    for (const [at, op] of ['index', 'label', 'rewrite', 'compact'].entries()) {
      add(20 * (at + 1))
      await run(op, span * (0.4 + 0.1 * at))
      await using reader = await openCollection(there)
      const problems: unknown[] = []
      for await (const { kind } of checkPhotos(reader)) problems.push(kind)
      expect(problems).toEqual([])
    }
    await run('index')
    await run('compact')
    await using reader = await openCollection(there)
    expect(await reader.store.count()).toBe(100)
    const ids = await reader.vectors()
    expect(new Set(ids.ids).size).toBe(100)
  }, 120_000)
})
