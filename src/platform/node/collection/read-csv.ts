/** Reads CSV with a line of names, record by record: RFC 4180, with or without a byte order mark. */
import { createReadStream } from 'node:fs'
import { parse } from 'csv-parse'

/** Is a record, or says why a record is none. */
export type CsvRecord =
  | {
      /** Is the line on which it ends, from 1. */
      readonly line: number
      /** Has a text for each name of the first line. */
      readonly fields: Readonly<Record<string, string>>
    }
  | {
      /** Is the line on which it ends, from 1. */
      readonly line: number
      /** Says what is wrong with it. */
      readonly reason: string
    }

/** A record has no more letters than this, so that a quote that is never closed does not take all memory. */
const MOST_LETTERS = 2 ** 24

/** Throws what the disk says where the file cannot be read, and Error where its first line is no list of different names. */
export async function* readCsv(path: string, signal?: AbortSignal): AsyncGenerator<CsvRecord> {
  const wrong: CsvRecord[] = []
  const parser = parse({
    bom: true,
    columns: (names: string[]) => checkedNames(path, names),
    info: true,
    max_record_size: MOST_LETTERS,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error) =>
      void wrong.push({ line: Number(error?.lines ?? 0), reason: error?.message ?? 'it is damaged' }),
  })
  const file = createReadStream(path, signal === undefined ? {} : { signal })
  file.on('error', (error) => parser.destroy(error))
  try {
    for await (const found of file.pipe(parser) as AsyncIterable<unknown>) {
      yield* wrong.splice(0)
      const { record, info } = found as { record: Record<string, string>; info: { lines: number } }
      yield { line: info.lines, fields: record }
    }
    yield* wrong
  } finally {
    file.destroy()
    parser.destroy()
  }
}

function checkedNames(path: string, names: readonly string[]): string[] {
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice === undefined) return [...names]
  throw new Error(`${path} names the column ${JSON.stringify(twice)} twice in its first line.`)
}
