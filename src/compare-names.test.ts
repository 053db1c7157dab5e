import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareNames } from './compare-names.js'

test('orders as the UTF-8 bytes do, emoji and private-use characters included', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(
      text,
      text,
      (a, b) => Math.sign(compareNames(a, b)) === Buffer.compare(Buffer.from(a), Buffer.from(b)),
    ),
    { numRuns: 2000 },
  )
  expect(['\u{1F426}', '\uF900', 'z'].sort(compareNames)).toEqual(['z', '\uF900', '\u{1F426}'])
})
