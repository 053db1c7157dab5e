import { expect, test } from 'vitest'
import { birderOrder, patchMaps } from './token-layout.js'

const two = Float32Array.of(1, 2, 3, 4, 11, 12, 13, 14)

test('registers come before the class token in Birder, image by image; the input stays as it is', () => {
  const layout = { width: 1, registers: 2, classToken: true }
  expect(Array.from(birderOrder(two, 2, layout))).toEqual([2, 3, 1, 4, 12, 13, 11, 14])
  expect(two[0]).toBe(1)
})

test('without a class token nothing moves', () => {
  expect(birderOrder(two, 2, { width: 1, registers: 2, classToken: false })).toEqual(two)
})

test('maps have channels first and no special tokens', () => {
  const tokens = Float32Array.of(0, 0, 1, 10, 2, 20)
  expect(Array.from(patchMaps(tokens, 1, 2, 1))).toEqual([1, 2, 10, 20])
})
