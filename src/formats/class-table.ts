/**
 * Writes the likeliest classes of images as lines of JSON or as CSV, and reads them back. A row is [k, 2]: the numbers of its classes and how likely each is, the
 * likeliest first; a class number is whole as float32 up to 16 million.
 */
import { isRecord, type PlainValue, parseJsonOrNull } from '../plain-value.js'
import { csvField } from './csv.js'
import type { EmbeddingRow } from './embedding-table.js'
import { float32Text } from './float32-text.js'
import { jsonText } from './json-text.js'

/** Holds of a record of CSV; path and label may be quoted, and hold anything then. */
const RECORD = /^(?:"(?:[^"]|"")*"|[^",]*),\d+,(\d+),(?:"(?:[^"]|"")*"|[^",]*),([^,"]+)$/s

/** Names the classes by their numbers; null where no file of the model does. */
export type ClassLabels = readonly string[] | null

type ClassRow = Pick<EmbeddingRow, 'path' | 'values'>

/** Is one class of a row. */
interface NamedClass {
  readonly index: number
  /** Is absent where no file of the model names its classes. */
  readonly label?: string
  readonly probability: number
}

/** Is the first line of CSV. */
export const CLASS_CSV_HEADER = 'path,rank,index,label,probability\n'

/** Takes a row apart. */
export function classesOf(values: Float32Array, labels: ClassLabels): readonly NamedClass[] {
  return Array.from({ length: values.length / 2 }, (_, rank) => {
    const [index = Number.NaN, probability = Number.NaN] = values.subarray(2 * rank, 2 * rank + 2)
    const label = labels?.[index]
    return { index, ...(label === undefined ? {} : { label }), probability }
  })
}

/** Writes an image's line of JSON, `{"path":…,"classes":[{"index":…,"label":…,"probability":…},…]}`. */
export function classJsonLine({ path, values }: ClassRow, labels: ClassLabels): string {
  const classes = classesOf(values, labels).map(({ index, label, probability }) => {
    const name = label === undefined ? '' : `,"label":${jsonText(label)}`
    return `{"index":${index}${name},"probability":${float32Text(probability)}}`
  })
  return `{"path":${jsonText(path)},"classes":[${classes.join(',')}]}\n`
}

/** Writes a line for each of an image's classes: path, rank from 1, number, name, probability. */
export function classCsvLines({ path, values }: ClassRow, labels: ClassLabels): string {
  return classesOf(values, labels)
    .map(({ index, label = '', probability }, rank) =>
      [csvField(path), rank + 1, index, csvField(label), float32Text(probability)].join(','),
    )
    .map((line) => `${line}\n`)
    .join('')
}

/** Reads a line of JSON back; null for what is none. */
export function valuesOfJsonLine(line: string): Float32Array | null {
  const row = parseJsonOrNull(line)
  const classes = isRecord(row) ? row.classes : null
  if (!Array.isArray(classes) || !classes.every(isClass)) return null
  return Float32Array.from(classes.flatMap(({ index, probability }) => [index, probability]))
}

/** Reads number and probability of a record of CSV back; null for what is none. */
export function valuesOfCsvRecord(record: string): readonly [index: number, probability: number] | null {
  const [, index, probability] = RECORD.exec(record) ?? []
  return index === undefined || probability === undefined ? null : [Number(index), Number(probability)]
}

function isClass(value: PlainValue): value is { readonly index: number; readonly probability: number } {
  return isRecord(value) && typeof value.index === 'number' && typeof value.probability === 'number'
}
