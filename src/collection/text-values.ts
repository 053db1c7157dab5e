/** Takes what a table has as text into columns: what a title is called there, what type a column's texts have, and what each of them says. */
import type { ColumnType, Value } from './columns.js'

/** Writes a title as columns are called: `Taken At (UTC)` is `taken_at_utc`. */
export function columnName(title: string): string {
  const plain = title.normalize('NFKD').replaceAll('ß', 'ss').replace(/\p{M}/gu, '')
  const words = plain.replace(/(\p{Ll})(\p{Lu})/gu, '$1_$2').toLowerCase()
  const name = words.replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '')
  return /^[a-z]/.test(name) ? name : `column_${name}`.replace(/_$/, '')
}

/** Gives the name, with a number behind it where it is taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name
  for (let next = 2; taken.has(free); next++) free = `${name}_${next}`
  return free
}

/** The first type that all values fit; text fits all. */
const TYPES: readonly ColumnType[] = ['boolean', 'integer', 'float', 'timestamp', 'texts']

/** Finds the narrowest type that all texts have; null where all are empty. */
export function typeOfTexts(texts: readonly string[]): ColumnType | null {
  const given = texts.filter((text) => text !== '')
  if (given.length === 0) return null
  return TYPES.find((type) => given.every((text) => valueOfText(text, type) !== null)) ?? 'text'
}

/** Gives null for what is empty or does not fit. */
export function valueOfText(text: string, type: ColumnType): Value {
  return text === '' ? null : READ[type](text.trim(), text)
}

const READ: Readonly<Record<ColumnType, (text: string, whole: string) => Value>> = {
  text: (_, whole) => whole,
  boolean: (text) => (/^true$/i.test(text) ? true : /^false$/i.test(text) ? false : null),
  // A number that begins with a zero, as of a telephone, is a name.
  integer: (text) =>
    /^-?(0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null,
  float: (text) =>
    /^-?(0|[1-9]\d*)?(\.\d*)?(e[+-]?\d+)?$/i.test(text) &&
    /^-?\.?\d/.test(text) &&
    Number.isFinite(Number(text))
      ? Number(text)
      : null,
  timestamp: (text) => timeOrNull(text),
  texts: (text) => textsOrNull(text),
}

/** Reads a date with or without a time of day. One without a zone stands as if it were UTC, as a camera's does. */
export function timeOrNull(text: string): number | null {
  const [, day, time = '00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/.exec(text) ?? []
  const withColon = zone.replace(/^(...)(\d\d)$/, '$1:$2')
  const found = day === undefined ? Number.NaN : Date.parse(`${day}T${time}${withColon}`)
  return Number.isNaN(found) ? null : found
}

function textsOrNull(text: string): readonly string[] | null {
  if (!text.startsWith('[')) return null
  try {
    const found: unknown = JSON.parse(text)
    return Array.isArray(found) && found.every((one) => typeof one === 'string') ? found : null
  } catch {
    return null
  }
}
