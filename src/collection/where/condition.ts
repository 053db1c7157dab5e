/**
 * Says which rows are wanted, as data: what a person has written is parsed into it, a store asks its table by it, and it is tried on rows here. A value that is
 * not known makes a comparison neither true nor false, as in SQL, and a row is wanted where all of it is true.
 */
import type { CollectionColumn, Value } from '../columns.js'
import type { Row } from '../row-block.js'
import { isLike } from './like.js'

/** Compares two values. */
export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>='

/** Is what a column is compared with: a text, a number (of a timestamp the milliseconds since 1970), true or false. */
export type Comparand = string | number | boolean

/** Says of a row whether it is wanted. */
export type Condition =
  | {
      /** Wants all, or one, of what stands in `of`. */
      readonly is: 'and' | 'or'
      /** Holds two conditions or more. */
      readonly of: readonly Condition[]
    }
  | {
      /** Wants what is false. */
      readonly is: 'not'
      /** Is turned around. */
      readonly of: Condition
    }
  | {
      /** Compares a column's value. */
      readonly is: 'compared'
      /** Is what is compared. */
      readonly column: CollectionColumn
      /** Says how. */
      readonly by: Comparator
      /** Is what it is compared with: a constant, or another column. */
      readonly to: Comparand | CollectionColumn
    }
  | {
      /** Looks for a column's value among some. */
      readonly is: 'among'
      /** Is what is looked for. */
      readonly column: CollectionColumn
      /** Holds one constant or more. */
      readonly constants: readonly Comparand[]
    }
  | {
      /** Holds a text against a pattern. */
      readonly is: 'like'
      /** Holds texts. */
      readonly column: CollectionColumn
      /** Has `%` for any letters, `_` for one, and a backslash before either, and before itself, where they are meant. */
      readonly pattern: string
      /** Takes small and capital letters for the same. */
      readonly ignoresCase: boolean
    }
  | {
      /** Asks whether a list holds a text. */
      readonly is: 'holding'
      /** Holds lists of texts. */
      readonly column: CollectionColumn
      /** Is what is looked for in the list. */
      readonly text: string
    }
  | {
      /** Asks whether a value is not known. */
      readonly is: 'unknown'
      /** Is what is asked. */
      readonly column: CollectionColumn
    }
  | {
      /** Asks whether a boolean is true. */
      readonly is: 'true'
      /** Is what is asked. */
      readonly column: CollectionColumn
    }

/** Is null where it is neither true nor false. */
type Truth = boolean | null

/** Names the columns that a condition looks at, each once. */
export function columnsOf(condition: Condition): readonly string[] {
  const found = new Set<string>()
  const look = (part: Condition) => {
    if ('column' in part) found.add(part.column.name)
    else for (const one of part.is === 'not' ? [part.of] : part.of) look(one)
    if (part.is === 'compared' && typeof part.to === 'object') found.add(part.to.name)
  }
  look(condition)
  return [...found]
}

/** Tells whether a row is wanted that has the columns which the condition looks at. */
export function isWanted(condition: Condition, row: Row): boolean {
  return truthOf(condition, row) === true
}

function truthOf(condition: Condition, row: Row): Truth {
  switch (condition.is) {
    case 'and':
      return all(condition.of.map((part) => truthOf(part, row)))
    case 'or':
      return turned(all(condition.of.map((part) => turned(truthOf(part, row)))))
    case 'not':
      return turned(truthOf(condition.of, row))
    case 'unknown':
      return (row[condition.column.name] ?? null) === null
    default:
      return truthOfValue(condition, row)
  }
}

type OfValue = Exclude<Condition, { readonly of: unknown } | { readonly is: 'unknown' }>

function truthOfValue(condition: OfValue, row: Row): Truth {
  const value = row[condition.column.name] ?? null
  if (value === null) return null
  switch (condition.is) {
    case 'true':
      return value === true
    case 'like':
      return isLike(String(value), condition.pattern, condition.ignoresCase)
    case 'holding':
      return Array.isArray(value) && value.includes(condition.text)
    case 'among':
      return condition.constants.some((constant) => order(value, constant) === 0)
    case 'compared': {
      const { by, to } = condition
      const other = typeof to === 'object' ? (row[to.name] ?? null) : to
      return other === null ? null : HOLDS[by](order(value, other))
    }
  }
}

const HOLDS: Readonly<Record<Comparator, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

function all(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false
  return truths.includes(null) ? null : true
}

function turned(truth: Truth): Truth {
  return truth === null ? null : !truth
}

/** Texts are in the order of their letters' numbers, as UTF-8 has them; false comes before true. */
function order(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return textOrder(a, b)
  const difference = Number(a) - Number(b)
  return Number.isNaN(difference) ? Number(a) : difference
}

/** UTF-16 puts the halves of letters beyond 65,535 below some that are within. */
function textOrder(a: string, b: string): number {
  let at = 0
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at++
  // The first difference may be the second half of a letter.
  const start = at > 0 && isFirstHalf(a.charCodeAt(at - 1)) ? at - 1 : at
  return (a.codePointAt(start) ?? -1) - (b.codePointAt(start) ?? -1)
}

function isFirstHalf(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00
}
