/** A text of comma-separated values gives the same records in whichever pieces it comes, each with the line on which it begins. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CsvReader } from './read-csv.js'

const FIELD = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', '\u{1f600}'), maxLength: 5 })

test('pieces make no difference', () => {
  const records = fc.array(fc.tuple(FIELD, FIELD, fc.boolean()), { minLength: 1, maxLength: 8 })
  const ends = fc.constantFrom('\n', '\r\n')
  fc.assert(
    fc.property(
      records,
      ends,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (rows, end, sizes) => {
        const written = (field: string, isQuoted: boolean) =>
          isQuoted || /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
        const lines = rows.map(([a, b, isQuoted]) =>
          [a, b].map((field) => written(field, isQuoted)).join(','),
        )
        const text = ['x,y', ...lines].join(end)
        const reader = new CsvReader()
        // The line of names tells what separates fields, and comes whole.
        const found = [...reader.push(text.slice(0, 3 + end.length))]
        for (let at = 3 + end.length, piece = 0; at < text.length; piece++) {
          const size = sizes[piece % sizes.length] ?? 1
          found.push(...reader.push(text.slice(at, at + size)))
          at += size
        }
        found.push(...reader.end())
        let line = 1
        const expected = ['x,y', ...lines].map((record, at) => {
          const begins = line
          line += 1 + (record.match(/\r\n|\r|\n/g)?.length ?? 0)
          const [a = 'x', b = 'y'] = rows[at - 1] ?? []
          return { line: begins, fields: [a, b] }
        })
        expect(found).toEqual(expected)
      },
    ),
    { numRuns: 300 },
  )
})

test('a field that does not end is told with the line on which it begins', () => {
  const reader = new CsvReader()
  reader.push('x,y\n"a\nb",c\n')
  reader.push('d,"e\n')
  expect(() => reader.end()).toThrow('Line 4 ')
})
