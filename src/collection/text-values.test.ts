import fc from 'fast-check'
import { expect, test } from 'vitest'
import { columnName, freeName, typeOfTexts, valueOfText } from './text-values.js'

test('names are lower-case snake_case, whatever the title', () => {
  expect(
    ['Ünï Cödé', 'Größe', 'Taken At', 'isKept', '2nd', '', '__x__', '\u{1f600}'].map(columnName),
  ).toEqual(['uni_code', 'grosse', 'taken_at', 'is_kept', 'column_2nd', 'column', 'x', 'column'])
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (title) => /^[a-z][a-z0-9_]*$/.test(columnName(title))),
  )
})

test('a name that is taken gets a number', () => {
  expect(freeName('a', new Set())).toBe('a')
  expect(freeName('a', new Set(['a', 'a_2']))).toBe('a_3')
})

test.each([
  ['boolean', ['true', 'FALSE', '']],
  ['integer', ['7', '-1', ' 0 ']],
  ['float', ['7', '1e-5', '5.', '.5', '-0.25']],
  ['timestamp', ['2024-02-03', '2024-02-03 04:05', '2024-02-03T04:05:06.123456+0100']],
  ['texts', ['["a","b"]', '[]']],
  ['text', ['7', '0123']],
  ['text', ['.', '1']],
  ['text', ['9007199254740993x', '2024-13-03']],
  [null, ['', '']],
] as const)('%s is the narrowest type of %j', (type, texts) => expect(typeOfTexts(texts)).toBe(type))

test('a time stands as UTC unless it has a zone', () => {
  const at = (text: string) => valueOfText(text, 'timestamp')
  expect(at('2024-02-03T04:05:06')).toBe(Date.UTC(2024, 1, 3, 4, 5, 6))
  expect(at('2024-02-03 04:05:06+0130')).toBe(Date.UTC(2024, 1, 3, 2, 35, 6))
  expect(at('2024-02-03T04:05:06.5+01:30')).toBe(Date.UTC(2024, 1, 3, 2, 35, 6, 500))
  expect(at('3 February')).toBeNull()
})
