import { expect, test } from 'vitest'
import { editDistance, nearestNames } from './nearest-names.js'

test('counts inserted, deleted and replaced letters', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3)
  expect(editDistance('', 'abc')).toBe(3)
  expect(editDistance('same', 'same')).toBe(0)
})

test('the nearest come first', () => {
  expect(nearestNames('vit_s61', ['vit_l14', 'vit_s16', 'resnet'], 2)).toEqual(['vit_s16', 'vit_l14'])
})
