/** Every place that keeps objects does what `Storage` says: memory, a folder, buckets on two S3 servers, a container of Azure's, and a bucket of Google's. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareNames } from '../../src/compare-names.js'
import { openStorage } from '../../src/platform/node/storage/open-storage.js'
import { MemoryStorage } from '../../src/storage/memory-storage.js'
import type { Storage, StoredObject } from '../../src/storage/storage.js'
import { tryConditionalWrites } from '../../src/storage/try-conditional-writes.js'
import { AzuriteServer, azuriteIsThere } from '../support/azurite-server.js'
import { GcsServer, gcsIsThere } from '../support/google-server.js'
import { MotoServer, motoIsThere } from '../support/moto-server.js'
import { type S3Server, startS3Server, versitygw } from '../support/s3-server.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (found: { readonly bytes: Uint8Array } | null) =>
  found && new TextDecoder().decode(found.bytes)

interface Place {
  readonly name: string
  readonly isThere: boolean
  open(): Promise<Storage>
  close(): Promise<void>
}

let folder = ''
let server: S3Server | undefined
let moto: MotoServer | undefined
let azurite: AzuriteServer | undefined
let gcs: GcsServer | undefined
const PLACES: readonly Place[] = [
  { name: 'memory', isThere: true, open: async () => new MemoryStorage(), close: async () => {} },
  {
    name: 'folder',
    isThere: true,
    async open() {
      folder = await mkdtemp(join(process.env.PLUMAGE_TEST_FOLDER ?? '/tmp', 'storage-'))
      return await openStorage(folder)
    },
    close: () => rm(folder, { recursive: true }),
  },
  {
    name: 'versitygw',
    isThere: versitygw !== undefined,
    async open() {
      server = await startS3Server()
      await server.makeBucket('bucket')
      return await openStorage('s3://bucket/some/prefix', { env: server.env, partBytes: 5 * 2 ** 20 })
    },
    close: async () => void (await server?.[Symbol.asyncDispose]()),
  },
  {
    name: 'moto',
    isThere: motoIsThere,
    async open() {
      moto = await MotoServer.start()
      await moto.makeBucket('bucket')
      return await openStorage('s3://bucket/some/prefix', { env: moto.env, partBytes: 5 * 2 ** 20 })
    },
    close: async () => void (await moto?.[Symbol.asyncDispose]()),
  },
  {
    name: 'azurite',
    isThere: azuriteIsThere,
    async open() {
      azurite = await AzuriteServer.start()
      await azurite.makeContainer('container')
      return await openStorage('az://container/some/prefix', { env: azurite.env, partBytes: 5 * 2 ** 20 })
    },
    close: async () => void (await azurite?.[Symbol.asyncDispose]()),
  },
  {
    name: 'fake-gcs-server',
    isThere: gcsIsThere,
    async open() {
      gcs = await GcsServer.start()
      await gcs.makeBucket('bucket')
      return await openStorage('gs://bucket/some/prefix', { env: gcs.env, partBytes: 5 * 2 ** 20 })
    },
    close: async () => void (await gcs?.[Symbol.asyncDispose]()),
  },
]

for (const place of PLACES) {
  describe.skipIf(!place.isThere)(place.name, () => {
    let storage: Storage
    beforeAll(async () => {
      storage = await place.open()
    })
    afterAll(async () => {
      await storage[Symbol.asyncDispose]()
      await place.close()
    })

    test('what was written is read, looked at and listed, and is gone once it was removed', async () => {
      const written = await storage.write('a/one', bytes('hello'))
      if (!written.written) throw new Error('It was not written.')
      expect(await storage.read('a/one')).toEqual({ bytes: bytes('hello'), version: written.version })
      const found = await storage.look('a/one')
      expect(found).toMatchObject({ key: 'a/one', size: 5, version: written.version })
      expect(Math.abs((found?.modifiedMs ?? 0) - Date.now())).toBeLessThan(10_000)
      expect(await all(storage, { prefix: 'a/' })).toEqual([found])
      await storage.remove('a/one')
      expect(await storage.read('a/one')).toBeNull()
      expect(await storage.look('a/one')).toBeNull()
      expect(await all(storage, { prefix: 'a/' })).toEqual([])
      await storage.remove('a/one')
    })

    test('ranges are read, and fewer bytes come only where the object ends', async () => {
      await storage.write('ranges', bytes('0123456789'))
      expect(textOf(await storage.read('ranges', { offset: 3, length: 4 }))).toBe('3456')
      expect(textOf(await storage.read('ranges', { offset: 8 }))).toBe('89')
      expect(textOf(await storage.read('ranges', { offset: 8, length: 100 }))).toBe('89')
      expect(textOf(await storage.read('ranges', { offset: 10 }))).toBe('')
      expect(textOf(await storage.read('ranges', { offset: 99, length: 2 }))).toBe('')
      expect(textOf(await storage.read('ranges', { length: 0 }))).toBe('')
      expect(await storage.read('absent', { offset: 3, length: 4 })).toBeNull()
      expect(await storage.read('absent', { length: 0 })).toBeNull()
    })

    test('an object may be empty', async () => {
      const written = await storage.write('empty', new Uint8Array(0))
      expect(written).toMatchObject({ written: true })
      expect(await storage.look('empty')).toMatchObject({ size: 0 })
      expect(textOf(await storage.read('empty'))).toBe('')
    })

    test('a version that is not there any more is not read', async () => {
      const first = await storage.write('version', bytes('one'))
      const second = await storage.write('version', bytes('two'))
      if (!first.written || !second.written) throw new Error('It was not written.')
      expect(first.version).not.toBe(second.version)
      expect(textOf(await storage.read('version', { version: second.version }))).toBe('two')
      await expect(storage.read('version', { version: first.version })).rejects.toMatchObject({
        code: 'changed',
      })
    })

    test('ifAbsent writes where nothing is, and changes nothing elsewhere', async () => {
      expect(await storage.write('absent-1', bytes('mine'), { ifAbsent: true })).toMatchObject({
        written: true,
      })
      expect(await storage.write('absent-1', bytes('yours'), { ifAbsent: true })).toEqual({ written: false })
      expect(textOf(await storage.read('absent-1'))).toBe('mine')
    })

    test('ifVersion writes where that version is, and changes nothing elsewhere', async () => {
      const first = await storage.write('state', bytes('1'))
      if (!first.written) throw new Error('It was not written.')
      const second = await storage.write('state', bytes('2'), { ifVersion: first.version })
      expect(second).toMatchObject({ written: true })
      expect(await storage.write('state', bytes('3'), { ifVersion: first.version })).toEqual({
        written: false,
      })
      expect(textOf(await storage.read('state'))).toBe('2')
      expect(await storage.write('nothing', bytes('3'), { ifVersion: first.version })).toEqual({
        written: false,
      })
      expect(await storage.look('nothing')).toBeNull()
    })

    // moto, whose server has threads, looks at a version and writes in two steps: of two writers that come at once both may be told that they have won.
    test.skipIf(place.name === 'moto')('a number that ten raise, each by trying again, is ten', async () => {
      await storage.write('count', bytes('0'))
      const raise = async () => {
        for (;;) {
          const found = await storage.read('count')
          const next = bytes(String(Number(textOf(found)) + 1))
          if ((await storage.write('count', next, { ifVersion: found?.version ?? '' })).written) return
        }
      }
      await Promise.all(Array.from({ length: 10 }, raise))
      expect(textOf(await storage.read('count'))).toBe('10')
    })

    test('conditional writes hold when they are tried, and nothing is left of the trial', async () => {
      await tryConditionalWrites(storage)
      expect(await all(storage, { prefix: 'conditional-writes/' })).toEqual([])
    })

    test('keys are listed in the order of their bytes, from any on', async () => {
      const keys = [
        'l/a',
        'l/a-b',
        'l/a.b',
        'l/b/a',
        'l/b/c/d',
        'l/b+c d&<>"\'e',
        'l/ba',
        'l/é',
        'l/日本',
        'l/😀',
      ]
      for (const key of keys) await storage.write(key, bytes(key))
      const sorted = keys.toSorted(compareNames)
      expect((await all(storage, { prefix: 'l/' })).map(({ key }) => key)).toEqual(sorted)
      expect((await all(storage, { prefix: 'l/b' })).map(({ key }) => key)).toEqual(
        sorted.filter((key) => key.startsWith('l/b')),
      )
      for (const [i, after] of sorted.entries())
        expect((await all(storage, { prefix: 'l/', after })).map(({ key }) => key)).toEqual(
          sorted.slice(i + 1),
        )
      for (const key of keys) expect(textOf(await storage.read(key))).toBe(key)
    })

    test('chunks of any length become one object, and a condition holds for it as for any other', async () => {
      const parts = [randomBytes(7_000_000), randomBytes(10), randomBytes(5_300_000)]
      const whole = new Uint8Array(Buffer.concat(parts))
      const chunks = async function* () {
        yield* parts
        yield 'é'
      }
      expect(await storage.write('long', chunks, { ifAbsent: true })).toMatchObject({ written: true })
      expect(await storage.write('long', chunks, { ifAbsent: true })).toEqual({ written: false })
      const found = await storage.read('long')
      expect(Buffer.compare(found?.bytes ?? new Uint8Array(0), Buffer.concat([whole, bytes('é')]))).toBe(0)
      const replaced = await storage.write('long', () => [randomBytes(11_000_000)], {
        ifVersion: found?.version ?? '',
      })
      expect(replaced).toMatchObject({ written: true })
      expect(await storage.look('long')).toMatchObject({ size: 11_000_000 })
    })

    test('nothing appears where chunks fail or a signal ends the writing', async () => {
      const failing = async function* () {
        yield randomBytes(6_000_000)
        yield randomBytes(6_000_000)
        throw new Error('no more')
      }
      await expect(storage.write('failed', failing)).rejects.toThrow('no more')
      expect(await storage.look('failed')).toBeNull()
      const signal = AbortSignal.abort(new Error('enough'))
      await expect(storage.write('failed', bytes('x'), { signal })).rejects.toThrow('enough')
      await expect(storage.read('failed', { signal })).rejects.toThrow('enough')
      expect(await storage.look('failed')).toBeNull()
    })

    test.for(['', '/a', 'a/', 'a//b', '../a', 'a/../b', 'a\\b', 'a\nb', 'x'.repeat(901)])(
      'no object is called %j',
      async (key) => {
        await expect(storage.write(key, bytes('x'))).rejects.toMatchObject({ code: 'wrong-key' })
        await expect(storage.read(key)).rejects.toMatchObject({ code: 'wrong-key' })
      },
    )
  })
}

async function all(storage: Storage, options: Parameters<Storage['list']>[0]): Promise<StoredObject[]> {
  const found: StoredObject[] = []
  for await (const object of storage.list(options)) found.push(object)
  return found
}
