import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assetsOf } from './assets.js'

const sidecarsOf = (...names: string[]) =>
  Object.fromEntries(assetsOf(names).map(({ photo, sidecars }) => [photo, sidecars]))

test('a raw twin goes with the photo that the camera made of it', () => {
  expect(sidecarsOf('a.ARW', 'a.JPG', 'b.arw', 'c.cr2', 'c.dng', 'd.heic', 'd.nef')).toEqual({
    'a.JPG': ['a.ARW'],
    'b.arw': [],
    'c.cr2': ['c.dng'],
    'd.heic': ['d.nef'],
  })
})

test('photos of one stem are two where none is raw, and notes go with the first kind', () => {
  expect(sidecarsOf('a.jpg', 'a.png', 'a.xmp', 'a.png.xmp')).toEqual({
    'a.jpg': ['a.xmp'],
    'a.png': ['a.png.xmp'],
  })
})

test("notes and moving parts of telephones' photos go with them", () => {
  expect(
    sidecarsOf(
      'IMG_1.HEIC',
      'IMG_1.JPG',
      'IMG_1.MOV',
      'IMG_1.AAE',
      'IMG_O1.AAE',
      'IMG_E1.HEIC',
      'IMG_1.MOV.json',
      'x.mov',
    ),
  ).toEqual({
    'IMG_1.HEIC': ['IMG_1.AAE', 'IMG_1.MOV', 'IMG_1.MOV.json', 'IMG_O1.AAE'],
    'IMG_1.JPG': [],
    'IMG_E1.HEIC': [],
  })
})

test('a raw twin has notes by either name', () => {
  expect(sidecarsOf('a.CR2', 'a.jpg', 'a.CR2.xmp', 'a.xmp')).toEqual({
    'a.jpg': ['a.CR2', 'a.CR2.xmp', 'a.xmp'],
  })
})

test.each([
  ['IMG.jpg', 'IMG.jpg.json'],
  ['IMG.jpg', 'IMG.json'],
  ['IMG.jpg', 'IMG.jpg.supplemental-metadata.json'],
  ['IMG.jpg', 'IMG.jpg.supplemental-me.json'],
  ['IMG.jpg', 'IMG.jpg.s.json'],
  ['IMG.jpg', 'IMG.jpg..json'],
  ['IMG(2).jpg', 'IMG.jpg(2).json'],
  ['IMG(2).jpg', 'IMG.jpg.supplemental-metadata(2).json'],
  ['IMG(2).jpg', 'IMG(2).jpg.json'],
  [
    'a-name-that-is-much-longer-than-google-will-keep.jpg',
    'a-name-that-is-much-longer-than-google-will-ke.json',
  ],
  ['a-name-that-is-just-short-enough-for-it.jpeg', 'a-name-that-is-just-short-enough-for-it.jpeg.s.json'],
])("%s has Google's notes in %s", (photo, notes) => {
  expect(sidecarsOf(photo, notes, 'metadata.json', 'other.jpg')).toMatchObject({
    [photo]: [notes],
    'other.jpg': [],
  })
})

test("notes that fit several long names are nobody's", () => {
  const stem = 'a-name-that-is-much-longer-than-google-will-keep'
  expect(sidecarsOf(`${stem}-1.jpg`, `${stem}-2.jpg`, `${stem.slice(0, 46)}.json`)).toEqual({
    [`${stem}-1.jpg`]: [],
    [`${stem}-2.jpg`]: [],
  })
})

const name = fc
  .tuple(
    fc.constantFrom('a', 'b', 'IMG_1', 'IMG_O1', 'a(1)', 'x'.repeat(50), 'é\u{1f600}'),
    fc.constantFrom(
      '.jpg',
      '.JPG',
      '.heic',
      '.cr2',
      '.dng',
      '.xmp',
      '.aae',
      '.json',
      '.mov',
      '.txt',
      '',
      '.jpg.json',
      '.jpg(1).json',
      '.cr2.xmp',
      '.jpg.sup.json',
    ),
  )
  .map((parts) => parts.join(''))
const isPhoto = (one: string) => /\.(jpg|heic|cr2|dng)$/i.test(one)

test('each photo is in exactly one asset, every other file in one at most, and the order of names does not matter', () => {
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 25 }), (names) => {
      const assets = assetsOf(names)
      const all = assets.flatMap(({ photo, sidecars }) => [photo, ...sidecars])
      expect(new Set(all).size).toBe(all.length)
      expect(all.every((one) => names.includes(one))).toBe(true)
      expect(names.filter(isPhoto).every((one) => all.includes(one))).toBe(true)
      expect(assets.every(({ photo }) => isPhoto(photo))).toBe(true)
      expect(assetsOf([...names].reverse())).toEqual(assets)
    }),
  )
})

test('what lies beside photos never changes which names are photos', () => {
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 25 }), (names) => {
      const photos = (some: readonly string[]) => assetsOf(some).map(({ photo }) => photo)
      expect(photos(names)).toEqual(photos(names.filter(isPhoto)))
    }),
  )
})
