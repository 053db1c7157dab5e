/**
 * Writes names and conditions in PostgreSQL's SQL. Names stand in quotes and values are bound, so that no text becomes a part of a question. PostgreSQL's logic is
 * ours: what is not known makes a comparison neither true nor false.
 */
import type { CollectionColumn, ColumnType } from '../../../collection/columns.js'
import type { Comparand, Comparator, Condition } from '../../../collection/where/condition.js'
import { lettersLike, patternParts } from '../../../collection/where/like.js'

/** Numbers values that are bound, and keeps them. */
export class Bound {
  readonly values: unknown[] = []

  /** Gives what stands for the value, of a type of PostgreSQL. */
  as(type: string, value: unknown): string {
    this.values.push(value)
    return `$${this.values.length}::${type}`
  }
}

/** PostgreSQL cuts longer names off without a word, and then takes two for one. */
const MOST_BYTES = 63

/** Throws RangeError for a name that PostgreSQL would cut off. */
export function quoted(name: string): string {
  if (Buffer.byteLength(name) > MOST_BYTES || name.includes('\0') || name === '')
    throw new RangeError(`${JSON.stringify(name)} is no name in PostgreSQL, which takes up to 63 bytes.`)
  return `"${name.replaceAll('"', '""')}"`
}

/** Texts are in the order of their letters' numbers, as everywhere here, whatever the database's own order is. */
export const COLUMN_TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'text collate "C"',
  integer: 'bigint',
  float: 'double precision',
  boolean: 'boolean',
  timestamp: 'timestamptz',
  texts: 'text[] collate "C"',
}

/** Gives what a condition is in SQL. */
export function postgresSql(condition: Condition, bound: Bound): string {
  switch (condition.is) {
    case 'and':
    case 'or':
      return `(${condition.of.map((part) => postgresSql(part, bound)).join(` ${condition.is} `)})`
    case 'not':
      return `(not ${postgresSql(condition.of, bound)})`
    case 'unknown':
      return `(${nameOf(condition.column)} is null)`
    case 'true':
      return nameOf(condition.column)
    case 'like':
      return likeSql(condition, bound)
    case 'holding':
      if (condition.text.includes('\0')) return neverSql(nameOf(condition.column))
      return `(${bound.as('text', condition.text)} = any(${nameOf(condition.column)}))`
    case 'among':
      return amongSql(condition.column, condition.constants, bound)
    case 'compared':
      return typeof condition.to === 'object'
        ? comparedColumns(condition.column, condition.by, condition.to)
        : comparedSql(condition.column, condition.by, condition.to, bound)
  }
}

/** Is false where the value is known. */
function neverSql(name: string): string {
  return `(${name} is null and null)`
}

function amongSql(column: CollectionColumn, constants: readonly Comparand[], bound: Bound): string {
  const name = nameOf(column)
  const found = constants.map((constant) => constantOf(column, constant)).filter((one) => one !== null)
  const [first] = found
  if (first === undefined) return neverSql(name)
  const isWhole = found.every(({ type }) => type === first.type)
  const type = isWhole ? first.type : 'double precision'
  return `(${name} = any(${bound.as(
    `${type}[]`,
    found.map(({ value }) => value),
  )}))`
}

function comparedColumns(column: CollectionColumn, by: Comparator, to: CollectionColumn): string {
  return `(${nameOf(column)} ${by} ${nameOf(to)})`
}

function comparedSql(column: CollectionColumn, by: Comparator, to: Comparand, bound: Bound): string {
  const name = nameOf(column)
  if (typeof to === 'string' && to.includes('\0')) return besideNul(name, by, to, bound)
  const { type, value } = constantOf(column, to) ?? { type: 'text', value: to }
  return `(${name} ${by} ${bound.as(type, value)})`
}

/** No text here holds the letter NUL, which comes before all others: what is less than a text with one is at most what stands before it. */
function besideNul(name: string, by: Comparator, to: string, bound: Bound): string {
  if (by === '=') return neverSql(name)
  if (by === '<>') return `(not ${neverSql(name)})`
  const before = bound.as('text', to.slice(0, to.indexOf('\0')))
  return `(${name} ${by.startsWith('<') ? '<=' : '>'} ${before})`
}

/** Gives a constant as it is bound; null for one that no value can be. */
function constantOf(
  { type }: CollectionColumn,
  constant: Comparand,
): { type: string; value: unknown } | null {
  if (typeof constant === 'string') return constant.includes('\0') ? null : { type: 'text', value: constant }
  if (typeof constant === 'boolean') return { type: 'boolean', value: constant }
  if (type === 'timestamp') return { type: 'timestamptz', value: instantText(constant) }
  return type === 'integer' && Number.isSafeInteger(constant)
    ? { type: 'bigint', value: constant }
    : { type: 'double precision', value: constant }
}

/** Are the first and the last time that a column holds, in milliseconds since 1970: PostgreSQL's own first day, and JavaScript's last. */
export const FIRST_MS = Date.UTC(-4713, 10, 24)
export const LAST_MS = 8_640_000_000_000_000

/** A time outside is before or after all that can be there. */
function instantText(ms: number): string {
  if (ms > LAST_MS) return 'infinity'
  if (ms < FIRST_MS) return '-infinity'
  const date = new Date(ms)
  const year = date.getUTCFullYear()
  const rest = date.toISOString().replace(/^[+-]?\d+/, '')
  return `${String(year > 0 ? year : 1 - year).padStart(4, '0')}${rest}${year > 0 ? '' : ' BC'}`
}

function likeSql(condition: Extract<Condition, { readonly is: 'like' }>, bound: Bound): string {
  const name = nameOf(condition.column)
  if (condition.pattern.includes('\0')) return neverSql(name)
  if (!condition.ignoresCase) return `(${name} like ${bound.as('text', condition.pattern)})`
  // What is a small and what a capital letter is decided here: each database would have an opinion of its own.
  const parts = patternParts(condition.pattern).map((part) => {
    if (part.any) return '.*'
    return part.letter === null ? '.' : lettersSql(part.letter)
  })
  return `(${name} ~ ${bound.as('text', `^${parts.join('')}$`)})`
}

function lettersSql(letter: string): string {
  const letters = lettersLike(letter)
  if (letters.length > 1) return `[${letters.join('')}]`
  return /[\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]/.test(letter) ? `\\${letter}` : letter
}

function nameOf({ name }: CollectionColumn): string {
  return quoted(name)
}
