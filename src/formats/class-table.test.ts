import fc from 'fast-check'
import { expect, test } from 'vitest'
import { classCsvLines, classJsonLine, valuesOfCsvRecord, valuesOfJsonLine } from './class-table.js'

const probability = fc.float({ min: 0, max: 1, noNaN: true })
const name = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('a,b', '"', 'two\nlines', '1,2,3,"4"'))

test('whatever paths and names of classes hold, the numbers are read back as they were', () => {
  fc.assert(
    fc.property(
      name,
      fc.array(fc.tuple(name, probability), { minLength: 1, maxLength: 4 }),
      (path, classes) => {
        const labels = classes.map(([label]) => label)
        const values = Float32Array.from(classes.flatMap(([, part], index) => [index, part]))
        expect(valuesOfJsonLine(classJsonLine({ path, values }, labels).trimEnd())).toEqual(values)
        for (const index of classes.keys()) {
          const row = values.subarray(2 * index, 2 * index + 2)
          const record = classCsvLines({ path, values: row }, labels).slice(0, -1)
          expect(Float32Array.from(valuesOfCsvRecord(record) ?? [])).toEqual(row.slice())
        }
      },
    ),
  )
})

test('what is no row of classes is none', () => {
  for (const line of ['', '{}', '[1]', '{"classes":[{"index":1}]}', '{"classes":1}'])
    expect(valuesOfJsonLine(line)).toBeNull()
  for (const record of ['', 'a,1,2,b', 'a,1,x,b,0.5', 'a,1,2,b,c,0.5', '"a,1,2,b,0.5'])
    expect(valuesOfCsvRecord(record)).toBeNull()
})

test('a class without a name has none in JSON, and an empty place in CSV', () => {
  const row = { path: 'a.jpg', values: Float32Array.of(7, 0.5) }
  expect(classJsonLine(row, null)).toBe('{"path":"a.jpg","classes":[{"index":7,"probability":0.5}]}\n')
  expect(classCsvLines(row, null)).toBe('a.jpg,1,7,,0.5\n')
})
