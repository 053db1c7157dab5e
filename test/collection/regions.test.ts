/** What regions owe: a photo is found by its best place, every photo that is wanted is found, and a place lies where it was put. */
import { expect, test } from 'vitest'
import { Collection } from '../../src/collection/collection.js'
import { PHOTO_COLUMNS } from '../../src/collection/columns.js'
import { createMemoryStore } from '../../src/collection/memory-store.js'
import { findPlace, placeVector } from '../../src/collection/regions/find-place.js'
import { type RegionFeatures, regionsOf } from '../../src/collection/regions/photo-regions.js'
import {
  contentsWithRegions,
  forgetRegions,
  REGION_COLUMNS,
  RegionWriter,
} from '../../src/collection/regions/region-rows.js'
import { type RegionSearchOptions, searchRegions } from '../../src/collection/regions/search-regions.js'
import { blockOf } from '../../src/collection/row-block.js'
import { seededRandom } from '../../src/numerics/seeded-random.js'
import { toHalf } from '../../src/tensor/float16.js'
import { aboutFor, idOf } from './made-collection.js'

const WIDTH = 16
const SIDE = 8
const random = seededRandom(3)
const direction = (kind: number) => Float32Array.from({ length: WIDTH }, (_, at) => (at === kind ? 1 : 0))

/** Makes a photo of one kind with an object of another in a box of patches. */
function photoOf(
  kind: number,
  object: number,
  [top, left, bottom, right]: readonly number[] = [2, 3, 5, 6],
): RegionFeatures {
  const patches = new Float32Array(SIDE * SIDE * WIDTH)
  for (let row = 0; row < SIDE; row++)
    for (let column = 0; column < SIDE; column++) {
      const isObject =
        row >= (top ?? 0) && row < (bottom ?? 0) && column >= (left ?? 0) && column < (right ?? 0)
      const values = direction(isObject ? object : kind).map((value) => 5 * value + random() / 3)
      patches.set(values, (row * SIDE + column) * WIDTH)
    }
  return {
    patches,
    grid: { rows: SIDE, columns: SIDE },
    imageSize: [80, 160],
    patchBox: (row, column) => ({
      top: row * 10,
      left: column * 20,
      bottom: row * 10 + 10,
      right: column * 20 + 20,
    }),
  }
}

test('a region lies around what hangs together, in pixels of the photo', async () => {
  const found = await regionsOf(photoOf(0, 1), { count: 2 })
  expect(found).toHaveLength(2)
  expect(found[1]?.box).toEqual({ top: 20, left: 60, bottom: 50, right: 120 })
  expect(await regionsOf(photoOf(2, 2), { count: 8 })).not.toHaveLength(0)
})

test('a place is found where it is in another photo', () => {
  const asked = placeVector(photoOf(0, 1, [0, 0, 2, 2]), [0, 1, SIDE, SIDE + 1])
  const { similarity, box } = findPlace(photoOf(4, 1, [3, 1, 6, 4]), asked)
  expect(similarity).toBeGreaterThan(0.95)
  expect(box).toEqual({ top: 30, left: 20, bottom: 60, right: 80 })
  expect(findPlace(photoOf(4, 5), asked).similarity).toBeLessThan(0.6)
})

const COUNT = 3000
const contentOf = (at: number) => at.toString(16).padStart(64, '0')

async function made(): Promise<{ readonly collection: Collection; readonly regions: Collection }> {
  const collection = await Collection.open({ store: createMemoryStore(aboutFor(WIDTH)) })
  const regions = await Collection.open({
    store: createMemoryStore(aboutFor(WIDTH, { columns: REGION_COLUMNS })),
  })
  const names = PHOTO_COLUMNS.map(({ name }) => name)
  const rows = Array.from({ length: COUNT }, (_, at) => ({
    id: idOf(at),
    root: 'r',
    path: `${at}.jpg`,
    state: 'embedded',
    norm: 1,
    width: at,
    // The last two are the same file in two places.
    content: contentOf(Math.min(at, COUNT - 2)),
  }))
  await collection.add(blockOf(rows, names, toHalf(new Float32Array(COUNT * WIDTH).fill(0.25))))
  const writer = new RegionWriter(regions)
  for (let at = 0; at < COUNT - 1; at++) {
    const noise = Float32Array.from({ length: WIDTH }, (_, i) => (i === at % 5 ? 1 : 0) + random() * 0.5)
    const length = Math.hypot(...noise)
    const box = { left: at, top: 0, right: at + 1, bottom: 1 }
    const object = { centre: direction(9), box }
    await writer.add(contentOf(at), [
      { centre: noise.map((value) => value / length), box: { ...box, top: 5 } },
      ...(at % 100 === 50 ? [object] : []),
    ])
  }
  await writer.flush()
  return { collection, regions }
}

test('photos are found by their best region, each once, and all that are wanted', async () => {
  const { collection, regions } = await made()
  const found = async (options: RegionSearchOptions, most: number) => {
    const all: { readonly at: unknown; readonly similarity: number; readonly box: unknown }[] = []
    for await (const { row, similarity, box } of searchRegions(collection, regions, direction(9), options)) {
      all.push({ at: row.width, similarity, box })
      if (all.length === most) break
    }
    return all
  }
  const best = await found({}, 30)
  expect(best.map(({ at }) => Number(at) % 100)).toEqual(new Array(30).fill(50))
  expect(best[0]?.box).toMatchObject({ top: 0, bottom: 1 })
  const all = await found({}, COUNT + 1)
  expect(new Set(all.map(({ at }) => at)).size).toBe(COUNT)
  expect(all.map(({ similarity }) => similarity)).toEqual(
    all.map(({ similarity }) => similarity).toSorted((a, b) => b - a),
  )
  // One photo in thousands, with the farthest region of all.
  const [last] = all.slice(-1)
  expect(await found({ where: `width = ${last?.at}` }, 5)).toEqual([last])
  expect((await found({ where: 'width >= 2998' }, 5)).map(({ at }) => at)).toEqual([2998, 2999])
  expect(await found({ where: 'width < 0' }, 5)).toEqual([])
  expect(await found({ where: 'width > 10', minSimilarity: 0.9 }, COUNT)).toHaveLength(30)
  expect((await found({ without: contentOf(50) }, 30)).map(({ at }) => at)).not.toContain(50)
})

test('regions of photos that are not known any more are forgotten', async () => {
  const { collection, regions } = await made()
  await collection.remove(Array.from({ length: COUNT - 3 }, (_, at) => idOf(at)))
  await forgetRegions(collection, regions, undefined)
  expect(await contentsWithRegions(regions, undefined)).toEqual(
    new Set([COUNT - 3, COUNT - 2].map(contentOf)),
  )
})
