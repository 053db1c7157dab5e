import { expect, test } from 'vitest'
import { nearestNames } from './nearest-names.js'

test('letters inserted, deleted and replaced count one each', () => {
  // From kitten it takes 0, 1, 2 and 3 edits, then 4 and 6.
  const known = ['sitting', '', 'kitten', 'sittin', 'kittensfour', 'kit', 'sitten']
  expect(nearestNames('kitten', known, 7)).toEqual([
    'kitten',
    'sitten',
    'sittin',
    'sitting',
    'kit',
    'kittensfour',
    '',
  ])
})

test('the nearest come first, and of equally near ones the first named', () => {
  expect(nearestNames('vit_s61', ['vit_l14', 'vit_s16', 'resnet'], 2)).toEqual(['vit_s16', 'vit_l14'])
  expect(nearestNames('', ['ab', 'c', 'd'], 3)).toEqual(['c', 'd', 'ab'])
})
