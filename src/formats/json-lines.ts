/** Writes JSON lines: `{"path":…,"embedding":[…],"height":…,"width":…}`, in the order of the rows. */
import type { EmbeddingRow, EmbeddingTable } from './embedding-table.js'
import { float32Text } from './float32-text.js'

export function jsonLine({ path, height, width, values }: EmbeddingRow): string {
  const numbers = Array.from(values, jsonNumber).join(',')
  return `{"path":${JSON.stringify(path)},"embedding":[${numbers}],"height":${height},"width":${width}}\n`
}

export async function* jsonLinesTable({ rows }: EmbeddingTable): AsyncGenerator<string> {
  for await (const row of rows) yield jsonLine(row)
}

function jsonNumber(value: number): string {
  return Number.isFinite(value) ? float32Text(value) : 'null'
}
