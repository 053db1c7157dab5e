import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CollectionError } from '../collection-error.js'
import { type CollectionColumn, PHOTO_COLUMNS } from '../columns.js'
import type { Row } from '../row-block.js'
import { columnsOf, isWanted } from './condition.js'
import { isLike } from './like.js'
import { parseWhere } from './parse-where.js'
import { timeOrNull } from './time.js'

const COLUMNS: readonly CollectionColumn[] = [
  ...PHOTO_COLUMNS,
  { name: 'label', type: 'text' },
  { name: 'kept', type: 'boolean' },
  { name: 'tags', type: 'texts' },
]

const ROW: Row = {
  taken: Date.UTC(2024, 4, 1, 12),
  width: 4000,
  height: 3000,
  latitude: -12.5,
  path: "it's/100%.jpg",
  label: null,
  kept: false,
  tags: ['sea', "it's"],
}

const holds = (text: string, row = ROW) => isWanted(parseWhere(text, COLUMNS), row)

test.each([
  "taken > '2024-01-01' and width > 2000",
  'width > height',
  'NOT width < height',
  '2000 < width',
  'width between 4000 and 4000',
  'width not between 1 and 3999.5',
  'height in (1, 3000)',
  'height not in (1, 2)',
  "path like 'it''s/%.jpg'",
  "path like '%100\\%.jpg'",
  "path ilike 'IT_S%'",
  "path not like '%.png'",
  'label is null and not label is not null',
  'kept is not true and kept is false and not kept and kept = false',
  "array_contains(tags, 'it''s')",
  "not array_contains(tags, 'SEA')",
  'latitude = -12.5 and latitude <> 0 and latitude != 1',
  "taken >= '2024-05-01 14:00:00+02:00' and taken <= '2024-05-01T12:00Z'",
  "width > 1 or label = 'x' and width < 1",
  '(((width = 4000)))',
])('%s holds', (text) => {
  expect(holds(text)).toBe(true)
})

test.each([
  'label = path',
  "label <> 'x'",
  "not label = 'x'",
  "label in ('x') or kept",
  "label not in ('x')",
  'label is null and width < 1',
  "taken < '2024'",
  'width = 4000.5',
])('%s does not hold', (text) => {
  expect(holds(text)).toBe(false)
})

test.each([
  ['widht > 3', 'at letter 1 (widht > 3), there is no column "widht". Did you mean width?'],
  [
    'width > 3 and "heigth" = 4',
    'at letter 15 ("heigth" = 4), texts stand within single quotes (\'heigth\'), and names of columns without any (did you mean height?)',
  ],
  ['`width` = 4', 'did you mean width?'],
  ["path = 'open", "at letter 8 ('open), this text has no end"],
  ['width = ', 'at its end, something is missing'],
  ['width', 'expected = < > in, between, like or is behind width, found the end'],
  ["width = '3'", "width is compared with a number, found '3'"],
  ["taken > '2024-02-30'", 'taken is compared with a time such as'],
  ['path = cat', 'there is no column "cat"'],
  ['path = width', 'path (text) and width (integer) cannot be compared'],
  ['path = null', 'nothing equals null: write path is null'],
  ["tags = 'x'", "tags holds lists of texts: ask array_contains(tags, 'text')"],
  ["path like 'a\\b'", 'a backslash in a pattern stands before'],
  ['width > 3; drop table photos', 'a condition holds no comment and no second one'],
  ['width > 3 -- more', 'a condition holds no comment'],
  ['width > 3 adn height > 4', 'expected and, or, or the end, found adn (did you mean and?)'],
  ['width > 0x10', '0x10 is no number'],
  ['width > 2024-01-01', 'is no number; texts and times stand within single quotes'],
  ['', 'at its end, expected the name of a column, found the end'],
  ['width > 3 )', 'found )'],
  ["\u{1f600} = 'x'", 'at letter 1 (\u{1f600}'],
  ["path = '\ud83d'", 'half a letter'],
])('%s is refused: %s', (text, message) => {
  expect(() => parseWhere(text, COLUMNS)).toThrow(CollectionError)
  expect(() => parseWhere(text, COLUMNS)).toThrow(message)
})

test('what no person writes is refused before a parser runs out of its stack', () => {
  expect(() => parseWhere(`${'('.repeat(99)}kept${')'.repeat(99)}`, COLUMNS)).toThrow('nested more than 12')
  expect(() => parseWhere(`${'kept or '.repeat(600)}kept`, COLUMNS)).toThrow('more than 500 parts')
  expect(() => parseWhere(' '.repeat(30_000), COLUMNS)).toThrow('30000 letters')
})

test('whatever is written, it is read, or refused by name', () => {
  const words = fc.constantFrom(
    'width',
    'path',
    'and',
    'or',
    'not',
    '(',
    ')',
    "'x'",
    '3',
    '>',
    '=',
    'in',
    'like',
    'is',
    'null',
    ',',
    'between',
    'kept',
  )
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(words).map((all) => all.join(' ')),
  )
  fc.assert(
    fc.property(texts, (text) => {
      try {
        isWanted(parseWhere(text, COLUMNS), ROW)
      } catch (error) {
        if (!(error instanceof CollectionError && error.code === 'wrong-where')) throw error
      }
    }),
    { numRuns: 2000 },
  )
})

test('patterns agree with regular expressions, and a hostile one takes no time', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', '%', '_', '\u{1f600}')).map((all) => all.join(''))
  fc.assert(
    fc.property(letters, letters, (text, pattern) => {
      const expression = new RegExp(`^${pattern.replaceAll('%', '[^]*').replaceAll('_', '[^]')}$`, 'u')
      expect(isLike(text, pattern, false)).toBe(expression.test(text))
    }),
  )
  const before = performance.now()
  expect(isLike('a'.repeat(5000), `${'%a'.repeat(200)}b`, false)).toBe(false)
  expect(performance.now() - before).toBeLessThan(2000)
})

test('says which columns it looks at', () => {
  expect(columnsOf(parseWhere('not (width > height or kept)', COLUMNS))).toEqual(['width', 'height', 'kept'])
})

test('times are read as ISO 8601 writes them', () => {
  expect(timeOrNull('2024')).toBe(Date.UTC(2024, 0))
  expect(timeOrNull('2024-03-05 06:07:08.9')).toBe(Date.UTC(2024, 2, 5, 6, 7, 8, 900))
  expect(timeOrNull('2024-03-05T06:07-05:30')).toBe(Date.UTC(2024, 2, 5, 11, 37))
  for (const text of [
    '2024-13',
    '2024-02-30',
    '2024-01-01 24:00',
    'yesterday',
    '2024-1-1',
    '2024-01-01 10:00+99:00',
  ])
    expect(timeOrNull(text)).toBeNull()
})
