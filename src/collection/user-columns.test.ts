import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { aboutFor, idOf } from '../../test/collection/made-collection.js'
import { readCsv } from '../formats/read-csv.js'
import { Collection } from './collection.js'
import { createMemoryStore } from './memory-store.js'
import { blockOf, rowsOf } from './row-block.js'
import { addUserColumns } from './user-columns.js'

let collection: Collection
beforeEach(async () => {
  const about = aboutFor(2, { roots: { a: '/x', b: '/y' } })
  collection = await Collection.open({ store: createMemoryStore(about) })
  const rows = [
    ['a', 'one.jpg'],
    ['a', 'sub/two, "2".jpg'],
    ['b', 'one.jpg'],
  ].map(([root = '', path = ''], at) => ({ id: idOf(at), root, path, content: `c${at}`, state: 'embedded' }))
  await collection.add(blockOf(rows, Object.keys(rows[0] ?? {}), new Uint16Array(6)))
})

async function values(...columns: string[]) {
  const found: unknown[] = []
  for await (const block of collection.scan({ columns }))
    for (const row of rowsOf(block)) found.push(columns.map((name) => row[name]))
  return found
}

test('values tell the types of columns, and titles become names', async () => {
  const told = await addUserColumns(
    collection,
    [
      '\ufeffpath,Label,Stars!,scoreOfAll,kept,Seen At,tags,phone,empty,width',
      'a/one.jpg,cat,5,0.5,true,2024-02-03,"[""x"",""y""]",0123,,7',
      '"sub/two, ""2"".jpg",dog;,-1,1e3,FALSE,2024-02-03 04:05:06+01:00,[],7,,',
      '/y/one.jpg,,,,,,,,,',
    ].join('\r\n'),
  )
  expect(told.columns.map(({ name, type, title }) => `${title}: ${name} ${type}`)).toEqual([
    'Label: label text',
    'Stars!: stars integer',
    'scoreOfAll: score_of_all float',
    'kept: kept boolean',
    'Seen At: seen_at timestamp',
    'tags: tags texts',
    'phone: phone text',
    'empty: empty text',
    'width: width_2 integer',
  ])
  expect(told).toMatchObject({ photos: 3, unmatched: [] })
  const time = Date.UTC(2024, 1, 3)
  expect(
    await values('label', 'stars', 'score_of_all', 'kept', 'seen_at', 'tags', 'phone', 'width_2'),
  ).toEqual([
    ['cat', 5, 0.5, true, time, ['x', 'y'], '0123', 7],
    ['dog;', -1, 1000, false, time + 3 * 3_600_000 + 5 * 60_000 + 6000, [], '7', null],
    [null, null, null, null, null, null, null, null],
  ])
  expect(collection.about.columns[0]).toMatchObject({ name: 'label', title: 'Label' })
})

test('lines that fit no photo, or several, are told', async () => {
  const { photos, unmatched } = await addUserColumns(
    collection,
    'file;label\none.jpg;x\nnone.jpg;y\nb/one.jpg;z\n',
  )
  expect({ photos, unmatched }).toEqual({ photos: 1, unmatched: ['one.jpg', 'none.jpg'] })
  expect((await addUserColumns(collection, 'sha256\tlabel\nC1\tw\n')).photos).toBe(1)
  expect(await values('label')).toEqual([[null], ['w'], ['z']])
})

test('a table that cannot be used is refused in words that say why', async () => {
  const refused = async (text: string) =>
    await addUserColumns(collection, text).then(String, (error: Error) => error.message)
  expect(await refused('name,label\na,b\n')).toContain('Its columns are "name", "label"')
  expect(await refused('path,label\n"a,b\n')).toContain('Line 2')
  expect(await refused('path,label\na,b,c\n')).toContain('record 2 has 3 fields')
  await addUserColumns(collection, 'path,stars\na/one.jpg,5\n')
  expect(await refused('path,stars\na/one.jpg,five\n')).toContain(
    'the column stars holds integer already, and "stars" has "five"',
  )
})

test('reads what was written, whatever stands in the fields', () => {
  const record = fc.array(
    fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\n', '\r', '\t', ' ', '\u{1f600}') }),
    { minLength: 2, maxLength: 4 },
  )
  fc.assert(
    fc.property(fc.array(record, { minLength: 1 }), fc.constantFrom('\n', '\r\n'), (records, end) => {
      const quoted = (field: string) => (field === '' ? '' : `"${field.replaceAll('"', '""')}"`)
      const text = ['x,y', ...records.map((fields) => fields.map(quoted).join(','))].join(end)
      expect(readCsv(text).slice(1)).toEqual(records)
    }),
  )
})
