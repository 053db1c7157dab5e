import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { csvRecords } from './csv-records.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-csv-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function all(path: string) {
  const found: unknown[] = []
  for await (const record of csvRecords(path)) found.push(record)
  return found
}

async function read(text: string) {
  const path = join(folder, 'a.csv')
  writeFileSync(path, text)
  return await all(path)
}

test('reads names, quotes, line breaks within quotes, and a byte order mark', async () => {
  expect(await read('\ufeffpath,label\r\n"a,""b"".jpg","two\nlines"\r\n\r\nc.jpg,\n')).toEqual([
    { line: 2, fields: { path: 'a,"b".jpg', label: 'two\nlines' } },
    { line: 5, fields: { path: 'c.jpg', label: '' } },
  ])
})

test('a record that is none says so, and the others go on', async () => {
  const found = await read('path,label\na,b,c\nd,e\n')
  expect(found).toEqual([
    { line: 2, reason: 'it has 3 fields, expected 2' },
    { line: 3, fields: { path: 'd', label: 'e' } },
  ])
})

test('names that come twice are refused', async () => {
  await expect(read('path,path\na,b\n')).rejects.toThrow('names the column "path" twice')
})

test('a file that is not there throws', async () => {
  await expect(all(join(folder, 'none.csv'))).rejects.toThrow('ENOENT')
})

test('semicolons and tabs separate fields as well, and a quote that does not end is told with its line', async () => {
  expect(await read('path;label\na.jpg;b,c\n')).toEqual([
    { line: 2, fields: { path: 'a.jpg', label: 'b,c' } },
  ])
  await expect(read('path,label\na.jpg,b\n"c.jpg,d\n')).rejects.toThrow('Line 3 has a quoted field')
})
