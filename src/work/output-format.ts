/** Tells which format an output has, and which files that makes. */
import type { OutputFile } from '../formats/chunk.js'
import { csvTable } from '../formats/csv.js'
import type { EmbeddingTable } from '../formats/embedding-table.js'
import { jsonLinesTable } from '../formats/json-lines.js'
import { npyTable } from '../formats/npy.js'
import { OutputError } from './output-error.js'

export const OUTPUT_FORMATS = ['jsonl', 'csv', 'npy', 'parquet'] as const
export type OutputFormat = (typeof OUTPUT_FORMATS)[number]

const BY_EXTENSION: Readonly<Record<string, OutputFormat>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
  '.npy': 'npy',
  '.parquet': 'parquet',
}

/** Throws `OutputError` `unknown-format` where the name tells nothing. */
export function formatOfPath(path: string): OutputFormat {
  const extension = /\.[^./\\]*$/.exec(path)?.[0].toLowerCase()
  const format = extension === undefined ? undefined : BY_EXTENSION[extension]
  if (format !== undefined) return format
  throw new OutputError(
    'unknown-format',
    `The name ${path} does not tell the format: expected one that ends in ${Object.keys(BY_EXTENSION).join(', ')}. ` +
      `Rename it, or add --format ${OUTPUT_FORMATS.join('|')}.`,
  )
}

/** Gives the files of an output, to be written in this order: the last one asks for the rows. For csv these must come sorted by path. */
export async function outputFiles(
  format: OutputFormat,
  path: string,
  table: EmbeddingTable,
): Promise<readonly OutputFile[]> {
  switch (format) {
    case 'jsonl':
      return [{ path, chunks: jsonLinesTable(table) }]
    case 'csv':
      return [{ path, chunks: csvTable(table) }]
    case 'npy':
      return npyTable(path, table)
    case 'parquet': {
      // Its library is loaded by those who need it.
      const { parquetTable } = await import('../formats/parquet.js')
      return [{ path, chunks: parquetTable(table) }]
    }
    default:
      return format satisfies never
  }
}
