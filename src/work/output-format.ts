/** Tells which format an output has, and which files that makes. */
import type { Chunks, OutputFile } from '../formats/chunk.js'
import { csvTable } from '../formats/csv.js'
import type { EmbeddingTable, NamedTable } from '../formats/embedding-table.js'
import { jsonLinesTable } from '../formats/json-lines.js'
import { npyTable } from '../formats/npy.js'
import { OutputError } from './output-error.js'

export const OUTPUT_FORMATS = ['jsonl', 'csv', 'npy', 'parquet'] as const
export type OutputFormat = (typeof OUTPUT_FORMATS)[number]
export function isOutputFormat(value: unknown): value is OutputFormat {
  return OUTPUT_FORMATS.some((format) => format === value)
}

/** An npy array says first how many rows it has, and its names are another file: it is no stream. */
export type StreamFormat = Exclude<OutputFormat, 'npy'>

const BY_EXTENSION: Readonly<Record<string, OutputFormat>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
  '.npy': 'npy',
  '.parquet': 'parquet',
}

/**
 * Throws `OutputError` `unknown-format` where the name tells nothing.
 *
 * @param advised are the formats that can be chosen where it is asked
 */
export function formatOfPath(path: string, advised: readonly OutputFormat[] = OUTPUT_FORMATS): OutputFormat {
  const format = formatOfPathOrNull(path)
  if (format !== null) return format
  const endings = Object.keys(BY_EXTENSION).filter((ending) =>
    advised.some((f) => f === BY_EXTENSION[ending]),
  )
  throw new OutputError(
    'unknown-format',
    `The name ${path} does not tell the format: expected one that ends in ${endings.join(', ')}. ` +
      `Rename it, or add --format ${advised.join('|')}.`,
  )
}

export function formatOfPathOrNull(path: string): OutputFormat | null {
  const extension = /\.[^./\\]*$/.exec(path)?.[0].toLowerCase()
  return (extension === undefined ? undefined : BY_EXTENSION[extension]) ?? null
}

/** Gives the files of an output, to be written in this order: the last one asks for the rows. For csv these must come sorted by path. */
export async function outputFiles(
  format: OutputFormat,
  path: string,
  table: NamedTable,
): Promise<readonly OutputFile[]> {
  if (format === 'npy') return npyTable(path, table)
  return [{ path, chunks: await streamChunks(format, table) }]
}

/** Gives the bytes of a format that can be written as its rows come. */
export async function streamChunks(format: StreamFormat, table: EmbeddingTable): Promise<Chunks> {
  switch (format) {
    case 'jsonl':
      return jsonLinesTable(table)
    case 'csv':
      return csvTable(table)
    case 'parquet': {
      // Its library is loaded by those who need it.
      const { parquetTable } = await import('../formats/parquet.js')
      return parquetTable(table)
    }
    default:
      return format satisfies never
  }
}
