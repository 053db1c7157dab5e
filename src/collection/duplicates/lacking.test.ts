import { expect, test } from 'vitest'
import { lackingFacts, type PhotoFacts, tellLacking, xmpWith } from './lacking.js'

const none: PhotoFacts = {
  taken: null,
  position: null,
  rating: null,
  caption: null,
  keywords: [],
  folder: 'A',
}

test('says what copies tell and the kept photo does not', () => {
  const copies = [
    { ...none, taken: 86_400_000, keywords: ['sea', 'old'], folder: 'Holiday' },
    { ...none, taken: 5, rating: 4, position: { latitude: -1.5, longitude: 2 }, folder: 'Holiday' },
  ]
  const facts = lackingFacts({ ...none, keywords: ['old'] }, copies)
  expect(facts).toEqual({
    taken: 86_400_000,
    rating: 4,
    position: { latitude: -1.5, longitude: 2 },
    keywords: ['sea'],
    folder: 'Holiday',
  })
  expect(tellLacking(facts)).toBe('date, position, rating, keywords "sea", folder "Holiday"')
  expect(lackingFacts({ ...none, taken: 1, rating: 1 }, [{ ...none, taken: 2, rating: 5 }])).toEqual({})
})

test('writes XMP that keeps what a sidecar had, and in which no text ends its place', () => {
  const text =
    xmpWith(
      { taken: 0, position: { latitude: -1.5, longitude: 2.25 }, caption: '</rdf:li><x a="&">\u0000' },
      null,
    ) ?? ''
  expect(text).toContain('<exif:DateTimeOriginal>1970-01-01T00:00:00</exif:DateTimeOriginal>')
  expect(text).toContain('<exif:GPSLatitude>1,30.000000S</exif:GPSLatitude>')
  expect(text).toContain('<exif:GPSLongitude>2,15.000000E</exif:GPSLongitude>')
  expect(text).toContain('&lt;/rdf:li&gt;&lt;x a=&quot;&amp;&quot;&gt; <')
  const more = xmpWith({ rating: 5 }, text) ?? ''
  expect(more).toContain('1,30.000000S')
  expect(more.indexOf('<xmp:Rating>5</xmp:Rating>')).toBeGreaterThan(text.indexOf('</rdf:Description>'))
  expect(more.match(/<\/rdf:RDF>/g)).toHaveLength(1)
  expect(xmpWith({ rating: 5 }, 'no XMP')).toBe(null)
})
