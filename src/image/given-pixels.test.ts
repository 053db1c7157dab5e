import { expect, test } from 'vitest'
import { decodedFromPixels, giveAway } from './given-pixels.js'

test('pixels are copied, since whoever has them may write over them, unless they are given away', () => {
  const image = { height: 1, width: 2, data: Uint8Array.of(1, 2, 3, 4, 5, 6) }
  const kept = decodedFromPixels(image)
  const taken = decodedFromPixels(giveAway({ ...image }))
  image.data[0] = 9
  expect([...kept.data]).toEqual([1, 2, 3, 4, 5, 6])
  expect(taken.data.buffer).toBe(image.data.buffer)
})
