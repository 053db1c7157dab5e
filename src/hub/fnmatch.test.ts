import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fnmatch } from './fnmatch.js'

test.each([
  ['vit_b16', 'vit_*', true],
  ['rope_vit_b16', 'vit_*', false],
  ['vit_b16', 'vit_?16', true],
  ['vit_16', 'vit_?16', false],
  ['vit_b16', 'vit_[a-c]16', true],
  ['vit_s16', 'vit_[a-c]16', false],
  ['vit_s16', 'vit_[!a-c]16', true],
  ['vit-b', 'vit[_-]b', true],
  ['a]b', 'a[]]b', true],
  ['a[b', 'a[b', true],
  ['b', '[z-a]', false],
  ['b', '[!z-a]', true],
  ['a^b', 'a[^]b', true],
  ['axb', 'a.b', false],
  ['a\nb', 'a*b', true],
  ['😀', '?', true],
])('%j matches %j: %s, as in Python', (name, pattern, expected) => {
  expect(fnmatch(name, pattern)).toBe(expected)
})

test('no pattern throws, and a name without wildcards matches itself alone', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (name, pattern) => typeof fnmatch(name, pattern) === 'boolean'),
  )
  const plain = fc.stringMatching(/^[^*?[]{0,20}$/)
  fc.assert(fc.property(plain, plain, (a, b) => fnmatch(a, a) && fnmatch(a, b) === (a === b)))
})
