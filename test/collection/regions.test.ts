/** What regions owe: a photo is found by its best place, every photo that is wanted is found, and a place lies where it was put. */
import { expect, test } from 'vitest'
import { Collection } from '../../src/collection/collection.js'
import { PHOTO_COLUMNS } from '../../src/collection/columns.js'
import { createMemoryStore } from '../../src/collection/memory-store.js'
import { findPlace, placeOfCosines, placeVector } from '../../src/collection/regions/find-place.js'
import {
  codedDirection,
  cosinesOf,
  encodePatches,
  fitPatchBasis,
  PATCH_BASIS_FILE,
  patchBasisFile,
  readPatchBasis,
  readPatches,
} from '../../src/collection/regions/patch-codes.js'
import { type RegionFeatures, regionsOf } from '../../src/collection/regions/photo-regions.js'
import {
  contentsWithRegions,
  forgetRegions,
  PATCHES_COLUMN,
  REGION_COLUMNS,
  RegionWriter,
} from '../../src/collection/regions/region-rows.js'
import { type RegionSearchOptions, searchRegions } from '../../src/collection/regions/search-regions.js'
import { blockOf } from '../../src/collection/row-block.js'
import { CollectionSet } from '../../src/collection/set/collection-set.js'
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

/** @param has says which photos it has; default: all */
async function made(
  has: (at: number) => boolean = () => true,
): Promise<{ readonly collection: Collection; readonly regions: Collection }> {
  const collection = await Collection.open({ store: createMemoryStore(aboutFor(WIDTH)) })
  const regions = await Collection.open({
    store: createMemoryStore(aboutFor(WIDTH, { columns: REGION_COLUMNS })),
  })
  const names = PHOTO_COLUMNS.map(({ name }) => name)
  const numbers = Array.from({ length: COUNT }, (_, at) => at).filter(has)
  const rows = numbers.map((at) => ({
    id: idOf(at),
    root: 'r',
    path: `${at}.jpg`,
    state: 'embedded',
    norm: 1,
    width: at,
    // The last two are the same file in two places.
    content: contentOf(Math.min(at, COUNT - 2)),
  }))
  await collection.add(blockOf(rows, names, toHalf(new Float32Array(rows.length * WIDTH).fill(0.25))))
  const writer = new RegionWriter(regions)
  for (const at of new Set(numbers.map((number) => Math.min(number, COUNT - 2)))) {
    const own = seededRandom(at)
    const noise = Float32Array.from({ length: WIDTH }, (_, i) => (i === at % 5 ? 1 : 0) + own() * 0.5)
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

test('places are searched in several collections as in one that has all', async () => {
  const whole = await made()
  // The same file lies in two of them.
  const parts = await Promise.all([0, 1, 2].map((part) => made((at) => at % 3 === part)))
  const setOf = (of: 'collection' | 'regions', first = 0) =>
    CollectionSet.of({
      members: parts.map((part, at) => ({ name: `part-${first + at}`, collection: part[of] })),
    })
  const [set, regions] = [setOf('collection'), setOf('regions')]
  const found = async (among: typeof set | Collection, own: typeof among, options: RegionSearchOptions) => {
    const all = []
    for await (const { row, similarity, box, share, collection } of searchRegions(
      among,
      own,
      direction(9),
      options,
    )) {
      all.push({ at: row.width, similarity, box })
      if (among === set) expect(collection).toBe(`part-${Number(row.width) % 3}`)
      expect(share).toBeGreaterThan(0)
      if (all.length === 600) break
    }
    // Equals come in the order of their regions' ids, which are drawn.
    return all.toSorted((a, b) => b.similarity - a.similarity || Number(a.at) - Number(b.at))
  }
  for (const options of [{}, { where: 'width > 2950' }, { where: 'width >= 2998' }, { minSimilarity: 0.5 }])
    expect(await found(set, regions, options)).toEqual(await found(whole.collection, whole.regions, options))
  const wrong = searchRegions(set, setOf('regions', 1), direction(9))
  await expect(wrong.next()).rejects.toThrow('The regions are those of part-1, part-2, part-3')
  // Where one keeps no patches, regions order the photos of all.
  const basis = await fitPatchBasis([photoOf(0, 1).patches], WIDTH)
  await parts[0]?.regions.store.writeFile(PATCH_BASIS_FILE, patchBasisFile(basis))
  expect(await found(set, regions, {})).toEqual(await found(whole.collection, whole.regions, {}))
})

test('regions of photos that are not known any more are forgotten', async () => {
  const { collection, regions } = await made()
  await collection.remove(Array.from({ length: COUNT - 3 }, (_, at) => idOf(at)))
  await forgetRegions(collection, regions, undefined)
  expect(await contentsWithRegions(regions, undefined)).toEqual(
    new Set([COUNT - 3, COUNT - 2].map(contentOf)),
  )
})

test('patches that are kept tell the place that all of them tell, and order the nearest photos', async () => {
  const photos = Array.from({ length: 60 }, (_, at) => photoOf(at % 4, at % 7 === 3 ? 9 : 5 + (at % 3)))
  const basis = await fitPatchBasis(
    photos.map(({ patches }) => patches),
    WIDTH,
  )
  // Node gives the bytes of a file as a part of a buffer that is not theirs alone.
  const stored = Buffer.concat([Buffer.alloc(1), patchBasisFile(basis)]).subarray(1)
  expect(readPatchBasis(stored, WIDTH, 'here')).toEqual(basis)
  expect(basis.kept).toBeCloseTo(1, 5)
  const asked = placeVector(photoOf(0, 9, [0, 0, 2, 2]), [0, 1, SIDE, SIDE + 1])
  const exact = photos.map((photo) => findPlace(photo, asked))
  const texts = await Promise.all(photos.map((photo) => encodePatches(photo, basis)))
  const coded = texts.map((text) => readPatches(text, WIDTH, 'here'))
  const places = coded.map((one) => placeOfCosines(one, cosinesOf(one, codedDirection(basis, asked))))
  // A scale of 127 steps a patch is off by half a step in each of 16 components at most.
  for (const [at, { similarity, box }] of places.entries()) {
    expect(Math.abs(similarity - (exact[at]?.similarity ?? Number.NaN))).toBeLessThan(0.01)
    if (at % 7 === 3) expect(box).toEqual(exact[at]?.box)
  }

  const { collection, regions } = await made()
  await regions.addColumns([PATCHES_COLUMN])
  await regions.store.writeFile(PATCH_BASIS_FILE, patchBasisFile(basis))
  const writer = new RegionWriter(regions)
  const centre = direction(9)
  // Their regions are the farthest of those with a centre at 9, and their patches the nearest.
  for (const [at, text] of texts.entries()) {
    const box = { top: 0, left: 0, bottom: 1, right: 1 }
    await writer.add(contentOf(100 * at + 50), at < 30 ? [{ centre, box }] : [], at < 30 ? text : null)
  }
  await writer.flush()
  const found = []
  for await (const photo of searchRegions(collection, regions, asked, { rerank: 30, minSimilarity: 0.9 })) {
    found.push(photo)
    if (found.length === 4) break
  }
  const nearest = exact
    .slice(0, 30)
    .flatMap(({ similarity, box }, at) => (similarity > 0.9 ? [{ similarity, box, at: 100 * at + 50 }] : []))
    .toSorted((a, b) => b.similarity - a.similarity)
  expect(nearest.length).toBeGreaterThanOrEqual(4)
  expect(new Set(found.map(({ row }) => row.width))).toEqual(new Set(nearest.map(({ at }) => at)))
  for (const { row, box, similarity, share } of found) {
    const exactly = nearest.find(({ at }) => at === row.width)
    expect({ box, share }).toEqual({ box: exactly?.box, share: null })
    expect(Math.abs(similarity - (exactly?.similarity ?? Number.NaN))).toBeLessThan(0.01)
  }
  expect(await contentsWithRegions(regions, undefined, { patches: true })).toEqual(
    new Set(Array.from({ length: 30 }, (_, at) => contentOf(100 * at + 50))),
  )
})

test.each([
  ['nothing', ''],
  ['what is no base64', 'plumage!'],
  ['a photo that was cut', 'AgAAAAIAAAA='],
])('patches that are %s are refused, and say what to do', (_, text) => {
  expect(() => readPatches(text, WIDTH, 'here')).toThrow(/here are not whole.*--regions full/)
})

test('a basis that is cut or of another width is refused', async () => {
  const basis = await fitPatchBasis([photoOf(0, 1).patches], WIDTH)
  const bytes = patchBasisFile(basis)
  for (const wrong of [bytes.subarray(0, 10), bytes.subarray(0, bytes.length - 4), new Uint8Array(0)])
    expect(() => readPatchBasis(wrong, WIDTH, 'here')).toThrow(/not whole/)
  expect(() => readPatchBasis(bytes, WIDTH + 1, 'here')).toThrow(/not whole/)
})
