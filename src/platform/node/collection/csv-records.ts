/** Reads a file of CSV whose first line has names, record by record. */
import { createReadStream } from 'node:fs'
import { CsvReader } from '../../../formats/read-csv.js'

/** Is a record, or says why a record is none. */
export type CsvRecord = {
  /** Is the line on which it begins, from 1. */
  readonly line: number
} & (
  | {
      /** Has a text for each name of the first line. */
      readonly fields: Readonly<Record<string, string>>
    }
  | {
      /** Says what is wrong with it. */
      readonly reason: string
    }
)

/**
 * Throws what the disk says where the file cannot be read; RangeError where its first line is no list of different names, and for a quoted field that does not end, behind which nothing is
 * known to be a record; the signal's reason.
 */
export async function* csvRecords(path: string, signal?: AbortSignal): AsyncGenerator<CsvRecord> {
  const reader = new CsvReader()
  let names: readonly string[] | null = null
  const file = createReadStream(path, { encoding: 'utf8', signal })
  for await (const lines of batchesOf(reader, file))
    for (const { line, fields } of lines) {
      if (names === null) names = checkedNames(path, fields)
      else if (fields.length === names.length)
        yield { line, fields: Object.fromEntries(names.map((name, at) => [name, fields[at] ?? ''])) }
      else yield { line, reason: `it has ${fields.length} fields, expected ${names.length}` }
    }
}

async function* batchesOf(reader: CsvReader, texts: AsyncIterable<string>) {
  for await (const text of texts) yield reader.push(text)
  yield reader.end()
}

function checkedNames(path: string, names: readonly string[]): readonly string[] {
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice === undefined) return names
  throw new RangeError(`${path} names the column ${JSON.stringify(twice)} twice in its first line.`)
}
