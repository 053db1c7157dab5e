/**
 * Writes conditions in LanceDB's SQL, which takes no parameters: all texts in it are written here. Names are those of columns that there are, numbers are written
 * by ourselves, and in a text only the quote has a meaning.
 */
import type { CollectionColumn } from '../../../collection/columns.js'
import type { Comparand, Condition } from '../../../collection/where/condition.js'

/**
 * Gives what is true where the condition is true, and false everywhere else, also where a value is not known: LanceDB's planner takes `x not in (1) or x not in
 * (2)` for true, which it is not where x is not known.
 */
export function sqlOf(condition: Condition): string {
  return trueWhere(condition, true)
}

/** Gives what is true where the condition is `truth`, and false everywhere else. */
function trueWhere(condition: Condition, truth: boolean): string {
  switch (condition.is) {
    case 'and':
    case 'or': {
      const isAll = (condition.is === 'and') === truth
      return `(${condition.of.map((part) => trueWhere(part, truth)).join(isAll ? ' and ' : ' or ')})`
    }
    case 'not':
      return trueWhere(condition.of, !truth)
    case 'unknown':
      return `(${nameOf(condition.column)} is ${truth ? '' : 'not '}null)`
    default:
      return `(${[...knownOf(condition), `${truth ? '' : 'not '}${comparisonOf(condition)}`].join(' and ')})`
  }
}

type OfValue = Exclude<Condition, { readonly of: unknown } | { readonly is: 'unknown' }>

function knownOf(condition: OfValue): readonly string[] {
  const other = condition.is === 'compared' && typeof condition.to === 'object' ? [condition.to] : []
  return [condition.column, ...other].map((column) => `${nameOf(column)} is not null`)
}

function comparisonOf(condition: OfValue): string {
  switch (condition.is) {
    case 'true':
      return nameOf(condition.column)
    case 'like': {
      const { column, pattern, ignoresCase } = condition
      return `(${nameOf(column)} ${ignoresCase ? 'ilike' : 'like'} ${textOf(pattern)})`
    }
    case 'holding':
      return `array_has(${nameOf(condition.column)}, ${textOf(condition.text)})`
    case 'among': {
      const { column, constants } = condition
      const written = constants.map((constant) => constantOf(column, constant, constants))
      return `(${comparedOf(column, constants)} in (${written.join(', ')}))`
    }
    case 'compared': {
      const { column, by, to } = condition
      if (typeof to === 'object') return `(${comparedOf(column, to)} ${by} ${comparedOf(to, column)})`
      return `(${comparedOf(column, [to])} ${by} ${constantOf(column, to, [to])})`
    }
  }
}

/** Whole numbers are compared with others as float64, which holds all of them that JavaScript does; otherwise LanceDB refuses. */
function comparedOf(column: CollectionColumn, others: CollectionColumn | readonly Comparand[]): string {
  const name = nameOf(column)
  // LanceDB takes -0 for less than 0.
  if (column.type === 'float') return `(${name} + 0.0)`
  const isWhole = 'type' in others ? others.type !== 'float' : others.every(Number.isSafeInteger)
  return column.type === 'integer' && !isWhole ? `cast(${name} as double)` : name
}

function constantOf({ type }: CollectionColumn, constant: Comparand, all: readonly Comparand[]): string {
  if (typeof constant === 'string') return textOf(constant)
  if (typeof constant === 'boolean') return String(constant)
  if (type === 'timestamp') return `to_timestamp_millis(${constant})`
  if (type === 'integer' && all.every(Number.isSafeInteger)) return String(constant === 0 ? 0 : constant)
  return `cast('${constant === 0 ? 0 : constant}' as double)`
}

function textOf(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A name that is a word of SQL stands in backticks as well as any. */
function nameOf({ name }: CollectionColumn): string {
  if (/^[a-z_][a-z0-9_]*$/.test(name)) return `\`${name}\``
  throw new RangeError(`${JSON.stringify(name)} is no name of a column in snake_case.`)
}
