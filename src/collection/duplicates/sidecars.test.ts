import { expect, test } from 'vitest'
import { sidecarsOf } from './sidecars.js'

const isPhoto = (name: string) => /\.(jpg|png|cr2)$/i.test(name)
const SIBLINGS = [
  'a.jpg',
  'a.jpg.xmp',
  'a.JPG.json',
  'a.jpg.supplemental-meta.json',
  'A.AAE',
  'a.mov',
  'a.xmp',
  'ab.xmp',
  'a.txt',
  'b.jpg',
  'b.png',
  'b.xmp',
  'b.jpg.xmp',
]

test('sidecars go by the name of the photo, whole or without its ending', () => {
  expect(sidecarsOf('a.jpg', SIBLINGS, isPhoto)).toEqual([
    'a.jpg.xmp',
    'a.JPG.json',
    'a.jpg.supplemental-meta.json',
    'A.AAE',
    'a.mov',
    'a.xmp',
  ])
})

test('one that may be of two photos stays with the one that stays', () => {
  expect(sidecarsOf('b.jpg', SIBLINGS, isPhoto)).toEqual(['b.jpg.xmp'])
  expect(sidecarsOf('b.jpg', SIBLINGS, isPhoto, new Set(['b.png']))).toEqual(['b.xmp', 'b.jpg.xmp'])
})
