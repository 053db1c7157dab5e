/** Tries what a hub's answer is read as, and that an answer which cannot be true is not believed. */
import { expect, test } from 'vitest'
import { factsOf, obligationsOf } from './model-facts.js'
import { OPEN_EQUIVALENTS } from './open-equivalents.js'
import { parseListing } from './repository-listing.js'

const COMMIT = 'a'.repeat(40)
const read = (answer: object) => parseListing(JSON.stringify({ sha: COMMIT, siblings: [], ...answer }))

test('a large file is named by its SHA-256 and never by the hash of the lines that stand for it', () => {
  const sha256 = 'b'.repeat(64)
  const blobId = 'c'.repeat(40)
  const listing = read({
    siblings: [
      { rfilename: 'w.bin', size: 9, blobId, lfs: { sha256, size: 9 } },
      { rfilename: 'x.bin', blobId, lfs: {} },
      { rfilename: 'config.json', blobId, size: 2 },
      { rfilename: '../evil', blobId },
    ],
  })
  expect(listing?.files.map(({ name, etag }) => [name, etag])).toEqual([
    ['w.bin', sha256],
    ['x.bin', undefined],
    ['config.json', blobId],
  ])
})

test('files of a folder are given by their names in it, and none leads out of the repository', () => {
  const siblings = ['a.json', 'sub/b.json', 'sub/deep/c.json', 'sub/../d.json', '/e.json', 'sub/'].map(
    (rfilename) => ({ rfilename }),
  )
  const namesIn = (subfolder?: string) =>
    parseListing(JSON.stringify({ sha: COMMIT, siblings }), subfolder)?.files.map(({ name }) => name)
  expect(namesIn()).toEqual(['a.json'])
  expect(namesIn('sub')).toEqual(['b.json'])
  expect(namesIn('sub/deep')).toEqual(['c.json'])
  expect(namesIn('none')).toEqual([])
  expect(read({ siblings })?.folders).toEqual(['sub', 'sub/deep'])
})

test('the licence is the name that an unlisted one has, else the hub’s, else the tag’s', () => {
  expect(read({ cardData: { license: 'other', license_name: 'dinov3-license' } })?.licence).toBe(
    'dinov3-license',
  )
  expect(read({ cardData: { license: 'mit' }, tags: ['license:apache-2.0'] })?.licence).toBe('mit')
  expect(read({ tags: ['x', 'license:apache-2.0'] })?.licence).toBe('apache-2.0')
  expect(read({})?.licence).toBeNull()
  expect(read({ gated: 'manual' })?.gated).toBe(true)
})

test('what is no listing is none', () => {
  expect(parseListing('<html>')).toBeNull()
  expect(parseListing('{"sha":"main","siblings":[]}')).toBeNull()
})

test('each gated one of a pair is known to be gated, and its other is known to be open under the same licence', () => {
  for (const [gated, open] of Object.entries(OPEN_EQUIVALENTS)) {
    expect(factsOf(gated)).toMatchObject({ gated: true, openAs: open })
    expect(factsOf(open)).toMatchObject({ gated: false, licence: factsOf(gated).licence })
  }
  expect(obligationsOf('something-new')).toContain('read the licence')
})
