import { expect, test } from 'vitest'
import { Collection } from '../../src/collection/collection.js'
import { findFlaws } from '../../src/collection/find-flaws.js'
import { findOutliers } from '../../src/collection/find-outliers.js'
import { createMemoryStore } from '../../src/collection/memory-store.js'
import { blockOf, type Row } from '../../src/collection/row-block.js'
import { seededRandom } from '../../src/numerics/seeded-random.js'
import { toHalf } from '../../src/tensor/float16.js'
import { aboutFor, idOf } from './made-collection.js'

const WIDTH = 16

async function made(rows: readonly Row[], vectorOf: (at: number) => Float32Array): Promise<Collection> {
  const collection = await Collection.open({ store: createMemoryStore(aboutFor(WIDTH)) })
  const columns = collection.columns.map(({ name }) => name)
  const vectors = new Float32Array(rows.length * WIDTH)
  for (let at = 0; at < rows.length; at++) {
    const vector = vectorOf(at)
    const length = Math.hypot(...vector)
    vectors.set(
      vector.map((value) => value / length),
      at * WIDTH,
    )
  }
  await collection.add(blockOf(rows, columns, toHalf(vectors)))
  return collection
}

const photo = (at: number, more: Row = {}): Row => ({
  id: idOf(at),
  root: 'photos',
  path: `${at}.jpg`,
  file: `1:${at}`,
  state: 'embedded',
  content: `content ${at}`,
  pixels: `pixels ${at}`,
  bytes: 10,
  modified: 1,
  height: 400,
  width: 300,
  ...more,
})

test('the photos that are like no others are outliers, with the mean distance to their nearest', async () => {
  const random = seededRandom(3)
  const rows = Array.from({ length: 40 }, (_, at) => photo(at))
  await using collection = await made(rows, (at) =>
    Float32Array.from({ length: WIDTH }, (_, i) =>
      at === 7 ? (i === 3 ? -5 : 0) : 1 + 0.3 * (random() - 0.5),
    ),
  )
  const found = await findOutliers(collection, { neighbours: 5, count: 3 })
  expect(found.map(({ path, isOutlier }) => [path, isOutlier])).toEqual([
    ['7.jpg', true],
    [expect.any(String), false],
    [expect.any(String), false],
  ])
  // Its cosine with each of the others is about -1 / 4.
  expect(found[0]?.distance).toBeCloseTo(1.25, 1)
  await expect(findOutliers(collection, { neighbours: 0 })).rejects.toThrow('neighbours counts photos')
})

test('copies of the same pixels are no neighbours of each other', async () => {
  const rows = Array.from({ length: 6 }, (_, at) => photo(at, at < 2 ? { pixels: 'same' } : {}))
  await using collection = await made(rows, (at) =>
    Float32Array.from({ length: WIDTH }, (_, i) => (at < 2 ? Number(i === 0) : 1 + 0.01 * at * i)),
  )
  const [first, ...others] = await findOutliers(collection, { neighbours: 1 })
  expect(first?.path).toBe('0.jpg')
  expect(others.map(({ path }) => path)).not.toContain('1.jpg')
})

test('flaws are told by what was measured, the worst first, and by limits that may be moved', async () => {
  const well = { sharpness: 900, brightness_5: 0.1, brightness_99: 0.9, entropy: 7 }
  const rows = [
    photo(0, well),
    photo(1, { ...well, sharpness: 90 }),
    photo(2, { ...well, sharpness: 20, brightness_99: 0.2 }),
    photo(3, { ...well, height: 100, width: 1000 }),
    photo(4, { ...well, brightness_5: 0.97 }),
    photo(5, { state: 'failed', sharpness: 1 }),
    photo(6),
  ]
  await using collection = await made(rows, () => Float32Array.from({ length: WIDTH }, () => 1))
  const found = await findFlaws(collection)
  expect(found.map(({ flaw, path }) => [flaw, path])).toEqual([
    ['blurred', '2.jpg'],
    ['blurred', '1.jpg'],
    ['dark', '2.jpg'],
    ['bright', '4.jpg'],
    ['tiny', '3.jpg'],
    ['odd-aspect', '3.jpg'],
  ])
  const strict = await findFlaws(collection, { flaws: ['blurred'], limits: { blurred: 50 } })
  expect(strict).toEqual([
    { id: idOf(2), root: 'photos', path: '2.jpg', flaw: 'blurred', value: 20, limit: 50 },
  ])
  await expect(findFlaws(collection, { flaws: ['blured' as 'blurred'] })).rejects.toThrow(
    'Did you mean blurred?',
  )
})
