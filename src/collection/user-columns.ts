/**
 * Takes what people know of their photos from a table as text: one column tells which photo a line is about, by its path or its content, and every other
 * becomes a column of the collection, whose type its values tell.
 */
import { readCsv } from '../formats/read-csv.js'
import type { Collection } from './collection.js'
import { CollectionError } from './collection-error.js'
import { type CollectionColumn, PHOTO_COLUMNS } from './columns.js'
import { type Row, rowsOf } from './row-block.js'
import { columnName, freeName, typeOfTexts, valueOfText } from './text-values.js'

/** Says what has become of a table. */
export interface UserColumns {
  /** Are the columns that its values went to; each has the title that it has in the table. */
  readonly columns: readonly (CollectionColumn & { readonly title: string })[]
  /** Counts the photos that have got values. */
  readonly photos: number
  /** Name the lines that fit no photo, or several, as they stand in the table. */
  readonly unmatched: readonly string[]
}

/** Titles of the column that says which photo a line is about. */
const KEYS = {
  path: ['path', 'file', 'filename', 'file_name', 'image', 'photo'],
  content: ['content', 'sha256'],
} as const

/** So many changes are written down together. */
const AT_ONCE = 4096

/**
 * Gives a collection's photos the values of a table (CSV), whose first line has the titles. A value that is empty says nothing.
 *
 * @throws `CollectionError` `wrong-value` for a table without a column `path` or `content`, one that is no table, and values that do not fit a column that is
 *   there already; `read-only`; the signal's reason
 */
export async function addUserColumns(
  collection: Collection,
  text: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<UserColumns> {
  const table = parse(text)
  const columns = columnsFor(table, collection)
  await collection.addColumns(columns)
  const find = await finderOf(collection, table.by, signal)
  const photos = new Set<string>()
  const unmatched: string[] = []
  let changes: { readonly id: string; readonly values: Row }[] = []
  for (const { key, fields } of table.records) {
    const ids = find(key)
    // What has the same content is the same photo, and a path is that of one alone.
    if (ids.length === 0 || (table.by === 'path' && ids.length > 1)) unmatched.push(key)
    else {
      const all = columns.map(({ name, type }, at) => [name, valueOfText(fields[at] ?? '', type)] as const)
      const values = Object.fromEntries(all.filter(([, value]) => value !== null))
      for (const id of ids) {
        changes.push({ id, values })
        photos.add(id)
      }
    }
    if (changes.length < AT_ONCE) continue
    signal?.throwIfAborted()
    await collection.change(changes)
    changes = []
  }
  await collection.change(changes)
  await collection.fold(signal === undefined ? {} : { signal })
  return { columns, photos: photos.size, unmatched }
}

/** Throws `CollectionError` `wrong-value` as `addUserColumns` does for what is no such table, so that nothing else is done before. */
export function assertUserTable(text: string): void {
  parse(text)
}

interface Table {
  readonly by: 'path' | 'content'
  readonly titles: readonly string[]
  readonly records: readonly { readonly key: string; readonly fields: readonly string[] }[]
}

function parse(text: string): Table {
  const [titles = [], ...records] = recordsOf(text)
  const named = titles.map((title) => title.trim())
  for (const by of ['path', 'content'] as const) {
    const at = named.findIndex((title) => (KEYS[by] as readonly string[]).includes(title.toLowerCase()))
    if (at < 0) continue
    for (const [line, record] of records.entries())
      if (record.length > titles.length)
        throw wrong(`record ${line + 2} has ${record.length} fields, and there are ${titles.length} titles.`)
    const without = <T>(list: readonly T[]) => list.filter((_, index) => index !== at)
    return {
      by,
      titles: without(named),
      records: records.map((record) => ({ key: record[at] ?? '', fields: without(record) })),
    }
  }
  throw wrong(
    `it has no column path or content, which would say which photo a line is about. Its columns are ${named.map((title) => JSON.stringify(title)).join(', ') || 'none'}.`,
  )
}

function recordsOf(text: string): readonly (readonly string[])[] {
  try {
    return readCsv(text)
  } catch (error) {
    throw error instanceof RangeError ? wrong(error.message) : error
  }
}

function wrong(why: string): CollectionError {
  return new CollectionError('wrong-value', `The table of columns cannot be used: ${why}`)
}

function columnsFor({ titles, records }: Table, collection: Collection): UserColumns['columns'] {
  const taken = new Set<string>(PHOTO_COLUMNS.map(({ name }) => name))
  return titles.map((title, at) => {
    const name = freeName(columnName(title), taken)
    taken.add(name)
    const values = records.map(({ fields }) => fields[at] ?? '')
    const there = collection.about.columns.find((column) => column.name === name)
    if (there === undefined) return { name, title, type: typeOfTexts(values) ?? 'text' }
    const misfit = values.find((value) => value !== '' && valueOfText(value, there.type) === null)
    if (misfit === undefined) return { name, title, type: there.type }
    throw wrong(
      `the column ${name} holds ${there.type} already, and ${JSON.stringify(title)} has ${JSON.stringify(misfit)}.`,
    )
  })
}

/** A path is known with its root, without it, and as the whole of it. */
async function finderOf(
  collection: Collection,
  by: Table['by'],
  signal: AbortSignal | undefined,
): Promise<(key: string) => readonly string[]> {
  const { roots } = collection.about
  const ids = new Map<string, string[]>()
  const note = (key: string, id: string) => {
    const found = ids.get(key)
    if (found === undefined) ids.set(key, [id])
    else found.push(id)
  }
  for await (const block of collection.scan({ columns: ['id', 'root', 'path', 'content', 'state'], signal }))
    for (const { id, root, path, content, state } of rowsOf(block)) {
      if (state === 'gone') continue
      if (by === 'content') {
        note(String(content), String(id))
        continue
      }
      const keys = [`${path}`, `${root}/${path}`, `${roots[String(root)]}/${path}`]
      for (const key of new Set(keys)) note(key, String(id))
    }
  const plain = (key: string) => key.trim().replaceAll('\\', '/').replace(/^\.\//, '')
  return (key) => ids.get(key) ?? ids.get(plain(by === 'content' ? key.toLowerCase() : key)) ?? []
}
