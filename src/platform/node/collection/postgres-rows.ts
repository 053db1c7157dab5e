/** Brings rows into PostgreSQL as arrays of their columns, which are bound, and takes them out of what it answers. */
import { CollectionError } from '../../../collection/collection-error.js'
import {
  type CollectionColumn,
  type ColumnType,
  PHOTO_COLUMNS,
  type Value,
} from '../../../collection/columns.js'
import type { Embeddings, RowBlock } from '../../../collection/row-block.js'
import type { About } from '../../../collection/store.js'
import { COLUMN_TYPES, FIRST_MS, LAST_MS, quoted } from './postgres-sql.js'

/** Names the column of embeddings. */
export const EMBEDDING = 'embedding'

/** Says what the extension's types are called here. */
export interface VectorType {
  /** Is `halfvec` or `vector`, with its schema. */
  readonly name: string
  /** Is its number in this database. */
  readonly oid: number
  /** Gives the bytes of a vector. */
  readonly send: string
}

type Dtype = About['dtype']

/** In front of its numbers a vector says how many there are, in four bytes. */
const HEADER = 4

export function columnsOf({ columns }: Pick<About, 'columns'>): readonly CollectionColumn[] {
  return [...PHOTO_COLUMNS, ...columns]
}

/** Are arrays as they are bound, and what a question makes of them. */
export interface BoundRows {
  readonly values: readonly unknown[]
  /** Is a table `t` with a column for each column of a row, and one of embeddings. */
  readonly from: string
  /** Names the columns, in quotes. */
  readonly names: readonly string[]
}

/** Binds rows [from, to) of a block. Throws `CollectionError` `wrong-value` for what PostgreSQL cannot hold. */
export function boundRows(
  block: RowBlock,
  about: About,
  type: VectorType,
  [from, to]: readonly [number, number],
): BoundRows {
  const columns = columnsOf(about)
  const values: unknown[] = columns.map((column) =>
    arrayOf(column, (block.values[column.name] ?? []).slice(from, to)),
  )
  values.push(vectorArray(embeddingsOf(block, about), about.width, type, [from, to]))
  const arrays = columns.map((column, at) => `$${at + 1}::${ARRAYS[column.type]}`)
  const aliases = columns.map((_, at) => `c${at}`)
  const made = columns.map((column, at) => `${MADE[column.type](`c${at}`)} as ${quoted(column.name)}`)
  const from_ = `(select ${made.join(', ')}, ${EMBEDDING} from unnest(${arrays.join(', ')}, $${values.length}::${type.name}[]) as u(${aliases.join(', ')}, ${EMBEDDING})) as t`
  return { values, from: from_, names: [...columns.map(({ name }) => quoted(name)), EMBEDDING] }
}

function embeddingsOf({ embeddings, count }: RowBlock, { width }: About): Embeddings {
  if (embeddings !== undefined && embeddings.length === count * width) return embeddings
  throw new CollectionError('wrong-value', `${count} rows need ${count} embeddings of ${width} numbers.`)
}

/** Arrays of arrays are no lists of lists in PostgreSQL, so that lists of texts come as texts. */
const ARRAYS: Readonly<Record<ColumnType, string>> = {
  text: 'text[]',
  integer: 'bigint[]',
  float: 'double precision[]',
  boolean: 'boolean[]',
  timestamp: 'bigint[]',
  texts: 'text[]',
}

const same = (name: string) => name
const MADE: Readonly<Record<ColumnType, (name: string) => string>> = {
  text: same,
  integer: same,
  float: same,
  boolean: same,
  timestamp: (name) => `timestamptz 'epoch' + ${name} * interval '1 millisecond'`,
  texts: (name) => `${name}::text[]`,
}

function arrayOf(column: CollectionColumn, values: readonly Value[]): unknown {
  // Shorter arrays are filled up with nothing.
  if (values.every((value) => value === null)) return null
  for (const value of values) if (value !== null) checkHeld(column, value)
  if (column.type !== 'texts') return values
  return values.map((value) => (value === null ? null : listText(value as readonly string[])))
}

function listText(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`
}

/** PostgreSQL has no letter NUL, and knows no time before its first day. */
function checkHeld({ name, type }: CollectionColumn, value: Value): void {
  const texts = Array.isArray(value) ? value : [value]
  if (texts.some((text) => typeof text === 'string' && text.includes('\0')))
    throw new CollectionError(
      'wrong-value',
      `PostgreSQL cannot hold the letter NUL, which stands in ${JSON.stringify(value)} of the column ${name}. Leave it out.`,
    )
  if (type === 'timestamp' && (Number(value) < FIRST_MS || Number(value) > LAST_MS))
    throw new CollectionError(
      'wrong-value',
      `PostgreSQL cannot hold the time ${value} (milliseconds since 1970) of the column ${name}.`,
    )
}

/** Writes vectors as PostgreSQL's own binary form of an array has them, whose numbers begin with their highest byte. */
function vectorArray(
  embeddings: Embeddings,
  width: number,
  { oid }: VectorType,
  [from, to]: readonly [number, number],
): Buffer {
  const bytes = embeddings.BYTES_PER_ELEMENT
  const row = 4 + HEADER + width * bytes
  const out = Buffer.alloc(20 + (to - from) * row)
  for (const [at, number] of [1, 1, oid, to - from, 1].entries()) out.writeUInt32BE(number, 4 * at)
  const all = swapped(embeddings.subarray(from * width, to * width))
  let end = 20
  for (let at = 0; at < to - from; at++) {
    const numbers = all.subarray(at * width * bytes, (at + 1) * width * bytes)
    // What has no embedding is zeros here, and nothing there.
    const isThere = numbers.some((byte) => byte !== 0)
    end = out.writeInt32BE(isThere ? HEADER + numbers.length : -1, end)
    if (!isThere) continue
    end = out.writeUInt32BE(width * 0x10000, end)
    end += numbers.copy(out, end)
  }
  return out.subarray(0, end)
}

function swapped(embeddings: Embeddings): Buffer {
  const bytes = Buffer.from(new Uint8Array(embeddings.buffer, embeddings.byteOffset, embeddings.byteLength))
  return embeddings.BYTES_PER_ELEMENT === 2 ? bytes.swap16() : bytes.swap32()
}

/** Gives what is asked for of a column, so that `valueOf` can read it. */
export function askedFor({ name, type }: CollectionColumn): string {
  if (type === 'timestamp') return `(extract(epoch from ${quoted(name)}) * 1000)::bigint`
  return type === 'texts' ? `array_to_json(${quoted(name)})` : quoted(name)
}

const READ: Readonly<Record<ColumnType, (text: string) => Value>> = {
  text: (text) => text,
  integer: Number,
  float: Number,
  boolean: (text) => text === 't',
  timestamp: Number,
  texts: (text) => JSON.parse(text) as readonly string[],
}

/** Is a row of an answer, whose values are texts. */
export type Answer = readonly (string | null)[]

/** Takes rows out of an answer: a value for each column, and the bytes of the embedding behind them where `about` is given. */
export function blockFrom(
  rows: readonly Answer[],
  columns: readonly CollectionColumn[],
  about: Pick<About, 'width' | 'dtype'> | null,
): RowBlock {
  const values = Object.fromEntries(
    columns.map(({ name, type }, at) => {
      const read = READ[type]
      return [name, rows.map((row) => (row[at] == null ? null : read(row[at])))]
    }),
  )
  if (about === null) return { count: rows.length, values }
  const vectors = rows.map((row) => row[columns.length] ?? null)
  return { count: rows.length, values, embeddings: vectorsFrom(vectors, about.width, about.dtype) }
}

/** Reads vectors as PostgreSQL writes bytes: in hexadecimal digits behind `\x`. A missing one is zeros. */
export function vectorsFrom(vectors: readonly (string | null)[], width: number, dtype: Dtype): Embeddings {
  const size = dtype === 'float16' ? 2 : 4
  // It begins where any number may.
  const out = Buffer.from(new ArrayBuffer(vectors.length * width * size))
  for (const [at, hex] of vectors.entries()) {
    if (hex === null) continue
    const written = out.write(hex.slice(2 + 2 * HEADER), at * width * size, 'hex')
    if (written !== width * size)
      throw new CollectionError('damaged', `An embedding has ${written} bytes, expected ${width * size}.`)
  }
  if (size === 2) return new Uint16Array(out.swap16().buffer)
  return new Float32Array(out.swap32().buffer)
}

/** Writes the table of rows. */
export function createTable(table: string, about: About, type: VectorType): string {
  const columns = columnsOf(about).map(
    (column) =>
      `${quoted(column.name)} ${COLUMN_TYPES[column.type]}${column.name === 'id' ? ' primary key' : ''}`,
  )
  return `create table ${table} (${columns.join(', ')}, ${EMBEDDING} ${type.name}(${about.width}))`
}
