import { expect, test } from 'vitest'
import { madeRows } from '../../test/support/made-rows.js'
import { exemplars } from './exemplars.js'
import { proposeCount } from './propose-count.js'
import { proposeNames } from './propose-names.js'

test('the most specific name that stands out is proposed, and none that all rows have', () => {
  const folders = (year: string, place: string) => ['photos', `photos/${year}`, `photos/${year}/${place}`]
  const names = [
    ...Array.from({ length: 10 }, () => folders('2023', 'Rome')),
    ...Array.from({ length: 5 }, () => folders('2023', 'Oslo')),
    ...Array.from({ length: 15 }, () => folders('2024', 'Rome')),
  ]
  const labels = Int32Array.from(names, (_, i) => (i < 10 ? 0 : i < 15 ? 1 : 2))
  const found = proposeNames(labels, 3, names)
  expect(found.map((name) => name?.name)).toEqual([
    'photos/2023/Rome',
    'photos/2023/Oslo',
    'photos/2024/Rome',
  ])
  expect(found[0]).toEqual({ name: 'photos/2023/Rome', share: 1, lift: 3 })
})

test('a name that half of a group lacks, that chance explains, or that only rows of no group have, is none', () => {
  const names = [['a'], ['a'], ['b'], ['c'], ['d'], ['e'], ['f'], ['f'], ['f']]
  expect(proposeNames(Int32Array.of(0, 0, 0, 0, 0, 1, -1, -1, -1), 2, names)).toEqual([null, null])
})

test('the first exemplar is the medoid, the others follow by nearness, and rows of no group are none', () => {
  const rows = Float32Array.of(1, 0, 1, 1, 0.9, 0.3, 0, 1, -1, 0)
  const found = exemplars([rows.subarray(0, 4), rows.subarray(4)], 2, Int32Array.of(0, 0, 0, -1, 1), 2, 2)
  expect(found.map((own) => [...own])).toEqual([[2, 0], [4]])
})

test('as many groups are proposed as were made, and one for a handful of rows', async () => {
  const { rows } = madeRows(400, 16, 6, 5)
  const found = await proposeCount([rows], 16)
  expect(Math.abs(found.count - 6)).toBeLessThanOrEqual(1)
  expect(found.tried.map(({ count }) => count)).toEqual(
    found.tried.map(({ count }) => count).toSorted((a, b) => a - b),
  )
  expect(found.silhouette).toBe(Math.max(...found.tried.map((tried) => tried.silhouette)))
  expect((await proposeCount([rows.subarray(0, 7 * 16)], 16)).count).toBe(1)
})
