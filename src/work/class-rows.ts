/** Writes the likeliest classes of images as rows of an output, and reads them back where it is added to. */
import type { Chunks } from '../formats/chunk.js'
import {
  CLASS_CSV_HEADER,
  type ClassLabels,
  classCsvLines,
  classJsonLine,
  valuesOfCsvRecord,
  valuesOfJsonLine,
} from '../formats/class-table.js'
import type { NamedTable } from '../formats/embedding-table.js'
import type { OpenedFile } from './files.js'
import type { OutputFormat } from './output-format.js'
import { readLines } from './read-lines.js'
import { csvRecords, type RowFormat } from './read-rows.js'

/** Are the formats that say what a class is. */
export const CLASS_FORMATS = ['jsonl', 'csv'] as const
export type ClassFormat = (typeof CLASS_FORMATS)[number]

export function isClassFormat(format: OutputFormat): format is ClassFormat {
  return CLASS_FORMATS.some((known) => known === format)
}

export function classRows(labels: ClassLabels): RowFormat {
  return {
    write: (format, table) => (isClassFormat(format) ? writeRows(format, table, labels) : refuse(format)),
    read: (format, file, rowLength) =>
      isClassFormat(format) ? READERS[format](file, rowLength) : refuse(format),
  }
}

async function* writeRows(format: ClassFormat, { rows }: NamedTable, labels: ClassLabels): Chunks {
  if (format === 'csv') yield CLASS_CSV_HEADER
  for await (const row of rows) yield (format === 'csv' ? classCsvLines : classJsonLine)(row, labels)
}

const READERS: Readonly<
  Record<ClassFormat, (file: OpenedFile, rowLength: number) => AsyncGenerator<Float32Array | null>>
> = {
  async *jsonl(file) {
    for await (const line of readLines(file)) yield valuesOfJsonLine(line)
  },
  /** An image has as many records as a row has classes. */
  async *csv(file, rowLength) {
    let values: number[] = []
    for await (const record of csvRecords(file)) {
      values.push(...(valuesOfCsvRecord(record) ?? [Number.NaN, Number.NaN]))
      if (values.length < rowLength) continue
      yield values.some(Number.isNaN) ? null : Float32Array.from(values)
      values = []
    }
  },
}

function refuse(format: OutputFormat): never {
  throw new RangeError(`Classes are written as ${CLASS_FORMATS.join(' or ')}, not as ${format}.`)
}
