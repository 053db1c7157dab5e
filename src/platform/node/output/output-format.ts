/** Which format an output has, and what writes it. The writers are loaded when they are needed. */
import type { EmbeddingTable } from './embedding-row.js'
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
  const extension = /\.[^./\\]*$/.exec(path)?.[0].toLowerCase() ?? ''
  const format = BY_EXTENSION[extension]
  if (format !== undefined) return format
  throw new OutputError(
    'unknown-format',
    `The name ${path} does not tell the format: expected one that ends in ${Object.keys(BY_EXTENSION).join(', ')}. ` +
      `Rename it, or add --format ${OUTPUT_FORMATS.join('|')}.`,
  )
}

/** Writes the file, whole or not at all. For csv the rows must come sorted by path. */
export async function writeTable(format: OutputFormat, path: string, table: EmbeddingTable): Promise<void> {
  switch (format) {
    case 'jsonl':
      return (await import('./write-jsonl.js')).writeJsonl(path, table)
    case 'csv':
      return (await import('./write-csv.js')).writeCsv(path, table)
    case 'npy':
      return (await import('./write-npy.js')).writeNpy(path, table)
    case 'parquet':
      return (await import('./write-parquet.js')).writeParquet(path, table)
    default:
      return format satisfies never
  }
}
