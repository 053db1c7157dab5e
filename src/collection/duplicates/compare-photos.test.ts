/** Compares photos on lanes that only count, of pixels that nobody reads. */
import { expect, test } from 'vitest'
import { aboutFor, idOf } from '../../../test/collection/made-collection.js'
import { toHalf } from '../../tensor/float16.js'
import { Collection } from '../collection.js'
import { createMemoryStore } from '../memory-store.js'
import { blockOf } from '../row-block.js'
import type { ReadPicture } from './compare-photos.js'
import { findDuplicatesWith } from './find-duplicates.js'

const image = { height: 1, width: 1, data: new Uint8Array(3) }

/** Has photos that are all alike, of which one cannot be read. */
async function made(count: number): Promise<Collection> {
  const about = aboutFor(2, { roots: { r: '/photos' } })
  const collection = await Collection.open({ store: createMemoryStore(about) })
  const rows = Array.from({ length: count }, (_, at) => ({
    ...{ id: idOf(at), root: 'r', path: `${at}.jpg`, file: `f${at}`, state: 'embedded', bytes: 1 },
    ...{ content: `c${at}`, pixels: `p${at}`, height: 1, width: 1 },
  }))
  const numbers = Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? 1 : 0))
  await collection.add(blockOf(rows, Object.keys(rows[0] ?? {}), toHalf(numbers)))
  return collection
}

/** Notes what each lane is given and asked. */
function lanesOf(count: number) {
  const asked: string[][] = Array.from({ length: count }, () => [])
  let isDisposed = false
  const reads: string[] = []
  const read: ReadPicture = {
    small: async ({ copy: { path } }) => {
      reads.push(path)
      if (path === '3.jpg') throw new Error('it is damaged')
      return { pixels: { image, height: 1, width: 1 }, beyond: null }
    },
    middles: async () => [],
    lanes: () => ({
      lanes: asked.map((own) => {
        const there = new Set<string>()
        return {
          add: (key: string) => void there.add(key),
          drop: (key: string) => void there.delete(key),
          prove: async (first: string, second: string) => {
            if (!there.has(first) || !there.has(second)) throw new Error('a picture is not there')
            own.push(`${first} ${second}`)
            return null
          },
        }
      }),
      [Symbol.asyncDispose]: async () => {
        isDisposed = true
      },
    }),
  }
  return { read, asked, reads, isDisposed: () => isDisposed }
}

test('several lanes prove each pair once, and what cannot be read is told once', async () => {
  await using collection = await made(60)
  const one = lanesOf(1)
  const several = lanesOf(4)
  const alone = await findDuplicatesWith(collection, one.read)
  const found = await findDuplicatesWith(collection, several.read)
  expect(found).toEqual(alone)
  expect(found.unread.map(({ copy, reason }) => [copy.path, reason])).toEqual([['3.jpg', 'it is damaged']])
  expect(several.asked.every((own) => own.length > 0)).toBe(true)
  expect(several.asked.flat().sort()).toEqual(one.asked.flat().sort())
  expect(new Set(one.reads).size).toBe(one.reads.length)
  expect([one.isDisposed(), several.isDisposed()]).toEqual([true, true])
})

test('a signal ends all lanes, and they are disposed of', async () => {
  await using collection = await made(60)
  const lanes = lanesOf(4)
  const control = new AbortController()
  const onProgress = ({ tried }: { readonly tried: number }) => {
    if (tried === 5) control.abort(new Error('enough'))
  }
  await expect(
    findDuplicatesWith(collection, lanes.read, { signal: control.signal, onProgress }),
  ).rejects.toThrow('enough')
  expect(lanes.isDisposed()).toBe(true)
  expect(lanes.asked.flat().length).toBeLessThan(20)
})
