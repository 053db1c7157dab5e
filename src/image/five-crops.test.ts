import { expect, test } from 'vitest'
import { meanOverCrops } from './five-crops.js'

test('what is computed of the five views is averaged place by place', async () => {
  const views: Float32Array[] = []
  const mean = await meanOverCrops(
    new Float32Array(2 * 25).fill(3),
    { height: 5, width: 5 },
    async (crop) => {
      views.push(crop)
      return Float32Array.of(views.length, 10 * views.length)
    },
  )
  expect([...mean]).toEqual([3, 30])
  expect(views).toHaveLength(5)
  for (const view of views) expect([...view]).toEqual(Array(50).fill(3))
})
