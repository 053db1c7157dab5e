import { expect, test } from 'vitest'
import { seededRandom } from '../../../numerics/seeded-random.js'
import { clusterPatches, labelPatches } from '../../../picture/patch-clusters.js'
import { fitPatchColors, patchColorValues } from '../../../picture/patch-colors.js'
import { keepPhotos } from './kept-photos.js'
import type { EncodedPhoto } from './make-picture.js'

const COUNT = 12
const GRID = { rows: 8, columns: 6 }
const WIDTH = 10

/** Makes the same photos each time that it is asked, and counts how often that is. */
function made() {
  const asked = { times: 0, remarks: [] as string[] }
  const photos = async function* (): AsyncGenerator<EncodedPhoto, void, undefined> {
    asked.times++
    for (let index = 0; index < COUNT; index++) {
      const random = seededRandom(index)
      const kinds = Array.from({ length: GRID.rows * GRID.columns }, (_, cell) => (cell + index) % 3)
      const patches = Float32Array.from(
        kinds.flatMap((kind) => Array.from({ length: WIDTH }, (_, i) => (i % 3 === kind ? 3 : 0) + random())),
      )
      const photo = { height: 20, width: 20, data: new Uint8Array(1200) }
      const features = { patches, grid: GRID } as unknown as EncodedPhoto['features']
      yield { path: `${index}.jpg`, photo, features }
    }
  }
  return { asked, work: { photos, remark: (text: string) => void asked.remarks.push(text) } }
}

async function seen(photos: AsyncIterable<EncodedPhoto>) {
  const found: EncodedPhoto[] = []
  for await (const photo of photos) found.push(photo)
  return found
}

test('photos that fit are computed once; those that do not are computed twice, and what is drawn of them is the same', async () => {
  const [few, many] = [made(), made()]
  const kept = await keepPhotos(few.work)
  const again = await keepPhotos(many.work, { patchNumbers: 2 ** 20, photoBytes: 1 })
  const pictures = await Promise.all(
    [kept, again].map(async ({ sample, photos }) => {
      const [colors, clusters] = await Promise.all([
        fitPatchColors(sample.maps),
        clusterPatches(sample.maps, 3),
      ])
      return await Promise.all(
        (await seen(photos())).map(async ({ path, features }) => [
          path,
          patchColorValues(features, colors),
          await labelPatches(features, clusters),
        ]),
      )
    }),
  )
  expect(pictures[1]).toEqual(pictures[0])
  expect([few.asked.times, many.asked.times]).toEqual([1, 2])
  expect(many.asked.remarks).toEqual([])
})

test('groups that all photos were seen for are those of the nearest centres', async () => {
  const { sample } = await keepPhotos(made().work)
  const clusters = await clusterPatches(sample.maps, 3)
  for (const [index, map] of sample.maps.entries())
    expect(await labelPatches(map, clusters)).toEqual(clusters.labels[index])
  const [map] = sample.maps
  const narrow = { patches: new Float32Array(4), grid: { rows: 2, columns: 1 } }
  expect(map?.grid).toEqual(GRID)
  await expect(labelPatches(narrow, clusters)).rejects.toThrow('patches of 10 numbers, not of 2')
})

test('what is fitted to a sample is nearly what is fitted to all, and it is told', async () => {
  const { asked, work } = made()
  const whole = await keepPhotos(made().work)
  const { sample, photos } = await keepPhotos(work, { patchNumbers: 200 * WIDTH, photoBytes: 1 })
  expect(sample.step).toBe(2)
  expect(asked.remarks).toEqual([
    expect.stringContaining('every second row and column of the patches of 12 photos'),
  ])
  const [all, some] = await Promise.all(
    [whole, { sample }].map(({ sample }) => clusterPatches(sample.maps, 3)),
  )
  if (all === undefined || some === undefined) throw new Error('there are groups')
  for (const { features } of await seen(photos())) {
    const [exact, near] = await Promise.all([all, some].map((groups) => labelPatches(features, groups)))
    // Groups have other numbers where other patches were seen: what belongs together is the same.
    const pairs = new Set([...(exact ?? [])].map((label, patch) => `${label} ${near?.[patch]}`))
    expect(pairs.size).toBe(3)
  }
})
