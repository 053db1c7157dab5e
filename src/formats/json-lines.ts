/** Writes JSON lines, `{"path":…,"embedding":[…],"height":…,"width":…,"model":…,"recipe":…,"identity":…}`, in the order of the rows. */
import { type Column, type EmbeddingRow, type EmbeddingTable, JSON_LINES_COLUMNS } from './embedding-table.js'
import { float32Text } from './float32-text.js'
import { jsonText } from './json-text.js'

export async function* jsonLinesTable(table: EmbeddingTable): AsyncGenerator<string> {
  const { rows, columns = JSON_LINES_COLUMNS } = table
  const fields = columns.map((column) => field(column, table))
  for await (const row of rows) yield `{${fields.map((write) => write(row)).join(',')}}\n`
}

function field({ name, holds }: Column, { metadata }: EmbeddingTable): (row: EmbeddingRow) => string {
  const key = jsonText(name)
  switch (holds) {
    case 'path':
      return ({ path }) => `${key}:${jsonText(path)}`
    case 'embedding':
      return ({ values }) => `${key}:[${Array.from(values, jsonNumber).join(',')}]`
    case 'height':
    case 'width':
      return (row) => `${key}:${row[holds]}`
    default: {
      const text = `${key}:${jsonText(metadata[holds])}`
      return () => text
    }
  }
}

function jsonNumber(value: number): string {
  return Number.isFinite(value) ? float32Text(value) : 'null'
}
