/** Writes JSON lines, `{"path":…,"embedding":[…],"height":…,"width":…,"model":…,"recipe":…,"identity":…}`, in the order of the rows. */
import {
  type Column,
  type EmbeddingRow,
  type EmbeddingTable,
  JSON_LINES_COLUMNS,
  type TableMetadata,
} from './embedding-table.js'
import { float32Text } from './float32-text.js'
import { jsonText } from './json-text.js'

export async function* jsonLinesTable(table: EmbeddingTable): AsyncGenerator<string> {
  const { rows, columns = JSON_LINES_COLUMNS, metadata } = table
  const members = jsonRow(columns, metadata)
  for await (const row of rows) yield `{${members(row)}}\n`
}

/** Writes the members of a row's object, without the braces around them. */
export function jsonRow(columns: readonly Column[], metadata: TableMetadata): (row: EmbeddingRow) => string {
  const fields = columns.map((column) => field(column, metadata))
  return (row) => fields.map((write) => write(row)).join(',')
}

function field({ name, holds }: Column, metadata: TableMetadata): (row: EmbeddingRow) => string {
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
