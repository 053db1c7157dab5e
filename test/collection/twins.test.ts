/** A photo is nearest to itself, however its halves were rounded, and however near its twins are. */
import { describe, expect, test } from 'vitest'
import { Collection } from '../../src/collection/collection.js'
import { PHOTO_COLUMNS } from '../../src/collection/columns.js'
import { createMemoryStore } from '../../src/collection/memory-store.js'
import { photosBlock } from '../../src/collection/photos-block.js'
import { searchPhotos } from '../../src/collection/search/search-photos.js'
import { unit } from '../../src/collection/unit.js'
import { exactCosines } from '../../src/numerics/exact-cosines.js'
import { plainScorer } from '../../src/numerics/row-scorer.js'
import { seededRandom } from '../../src/numerics/seeded-random.js'
import { float16ToFloat32, toHalf } from '../../src/tensor/float16.js'
import { aboutFor, idOf } from './made-collection.js'

const WIDTH = 24
const TWINS = 60
const COUNT = 2 * TWINS + 400
const random = seededRandom(3)
const drawn = () => unit(Float32Array.from({ length: WIDTH }, () => random() - 0.5))
const centre = drawn()
/** The first are twins of one photo, some of which differ by less than their halves can say; one is the photo's copy. */
const vectors = Array.from({ length: COUNT }, (_, at) =>
  at >= TWINS ? drawn() : centre.map((value) => value * (1 + (at % 7 === 0 ? 0 : 8e-4 * (random() - 0.5)))),
)
const rounded = (vector: Float32Array) => {
  const stored = new Float32Array(WIDTH)
  float16ToFloat32(toHalf(unit(vector)), stored)
  return stored
}
const stored = vectors.map(rounded)
const bitsOf = (vector: Float32Array | undefined) => [...toHalf(vector ?? new Float32Array())].join()

async function collectionOf(dtype: 'float16' | 'float32') {
  const store = createMemoryStore(aboutFor(WIDTH, { dtype }))
  const collection = await Collection.open({ store })
  const names = PHOTO_COLUMNS.map(({ name }) => name)
  const photos = vectors.map((embedding, at) => ({
    row: { id: idOf(at), root: 'photos', path: `${at}.jpg`, state: 'embedded', width: at },
    embedding,
  }))
  await collection.add(photosBlock(photos, names, { width: WIDTH, dtype }))
  return collection
}

describe.each(['float16', 'float32'] as const)('embeddings kept in %s', (dtype) => {
  test('each photo finds itself first, by what is in its file and by its row, with 1; of photos with the same halves the smaller id comes first', async () => {
    await using collection = await collectionOf(dtype)
    for (let at = 0; at < TWINS; at++) {
      const own = bitsOf(stored[at])
      const first = stored.findIndex((other) => bitsOf(other) === own)
      for (const like of [{ embedding: vectors[at] ?? centre }, { id: idOf(at) }])
        for (const where of [undefined, `width < ${COUNT}`]) {
          const options = { withSelf: true, count: 3, ...(where === undefined ? {} : { where }) }
          const { photos } = await searchPhotos(collection, { like: [like] }, options)
          expect(photos[0]?.row.id).toBe(idOf(first))
          expect(photos[0]?.similarity).toBe(1)
        }
      const [nearest] = await collection.nearest((vectors[at] ?? centre).map((value) => 3 * value))
      expect([nearest?.row.id, nearest?.similarity]).toEqual([idOf(first), 1])
    }
  })

  test('the order is that of cosines in float64, whatever lengths rounding has left', async () => {
    await using collection = await collectionOf(dtype)
    const query = rounded(centre)
    const cosines = exactCosines(query, Float32Array.from(stored.flatMap((row) => [...row])))
    const order = [...cosines.keys()].sort(
      (a, b) => (cosines[b] ?? 0) - (cosines[a] ?? 0) || (idOf(a) < idOf(b) ? -1 : 1),
    )
    // Products of halves alone would have put them in another order.
    const blocks = [
      {
        dtype: 'F16',
        bytes: new Uint8Array(toHalf(Float32Array.from(stored.flatMap((row) => [...row]))).buffer),
      },
    ] as const
    const { rows } = await plainScorer.nearestRows(query, blocks, 10)
    expect([...rows]).not.toEqual(order.slice(0, 10))
    for (const count of [1, 10, TWINS, 300, COUNT]) {
      const { photos } = await searchPhotos(
        collection,
        { like: [{ embedding: centre }] },
        { count, withSelf: true },
      )
      expect(photos.map(({ row }) => row.width)).toEqual(order.slice(0, count))
    }
  })
})

test('the cosine of a row with itself is 1 to the last bit, and of nothing 0', () => {
  for (const row of stored) expect(exactCosines(row, row)).toEqual(Float64Array.of(1))
  expect(exactCosines(centre, new Float32Array(WIDTH))).toEqual(Float64Array.of(0))
})
