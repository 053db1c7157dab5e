import { expect, test } from 'vitest'
import { joinTold, toldByTakeout, toldByXmp } from './told.js'

const NOTHING = { taken: null, latitude: null, longitude: null, caption: null, rating: null }
const rdf = (attributes: string, elements: string) =>
  `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description ${attributes}>${elements}</rdf:Description></rdf:RDF></x:xmpmeta>`

test('reads XMP as attributes and as elements', () => {
  const caption =
    '<dc:description><rdf:Alt><rdf:li xml:lang="de">Katze</rdf:li><rdf:li xml:lang="x-default">A &lt;cat&gt; &amp; &#128049;</rdf:li></rdf:Alt></dc:description>'
  const told = {
    taken: Date.UTC(2020, 0, 2, 3, 4, 5),
    latitude: 48.5,
    longitude: -(2 + 21 / 60 + 36 / 3600),
    caption: 'A <cat> & \u{1f431}',
    rating: 4,
  }
  const attributes =
    'xmp:Rating="4" exif:GPSLatitude="48,30N" exif:GPSLongitude=\'2,21,36W\' exif:DateTimeOriginal="2020-01-02T03:04:05.5+02:00"'
  expect(toldByXmp(rdf(attributes, caption))).toEqual(told)
  const elements =
    '<xmp:Rating>4</xmp:Rating><exif:GPSLatitude>48,30.0N</exif:GPSLatitude><exif:GPSLongitude>2,21,36W</exif:GPSLongitude><photoshop:DateCreated>2020-01-02T03:04:05</photoshop:DateCreated>'
  expect(toldByXmp(rdf('', elements + caption))).toEqual(told)
})

test('what makes no sense is not told', () => {
  const attributes = 'xmp:Rating="9" exif:GPSLatitude="148,30N" exif:DateTimeOriginal="0000-00-00T00:00:00"'
  expect(toldByXmp(rdf(attributes, '<dc:description> </dc:description>'))).toEqual(NOTHING)
  expect(toldByXmp('no XML')).toEqual(NOTHING)
  expect(toldByTakeout('{"label":"cat"}')).toEqual(NOTHING)
  expect(toldByTakeout('{')).toEqual(NOTHING)
  expect(toldByTakeout('{"photoTakenTime":{"timestamp":""},"geoData":{"latitude":0,"longitude":0}}')).toEqual(
    NOTHING,
  )
})

test("reads Google's notes", () => {
  const notes = {
    title: 'IMG.jpg',
    description: ' On the roof\n',
    photoTakenTime: { timestamp: '1577934245', formatted: 'Jan 2, 2020' },
    geoData: { latitude: 0, longitude: 0, altitude: 0 },
    geoDataExif: { latitude: -33.5, longitude: 151.25 },
  }
  expect(toldByTakeout(JSON.stringify(notes))).toEqual({
    taken: 1_577_934_245_000,
    latitude: -33.5,
    longitude: 151.25,
    caption: 'On the roof',
    rating: null,
  })
})

test('the first source that knows a thing has the word, and half a position is none', () => {
  const half = { ...NOTHING, latitude: 1, caption: 'a' }
  const whole = { ...NOTHING, latitude: 2, longitude: 3, caption: 'b', rating: 0 }
  expect(joinTold([half, whole])).toEqual({ taken: null, latitude: 2, longitude: 3, caption: 'a', rating: 0 })
})
