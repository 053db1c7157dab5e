/** Writes CSV as Birder's predict tool writes embeddings: columns `sample,0,1,…`, quotes only where needed, LF. */
import { type EmbeddingTable, rowWidth } from './embedding-table.js'
import { float32Text } from './float32-text.js'

/** Expects the rows sorted by path, as Birder sorts them. */
export async function* csvTable(table: EmbeddingTable): AsyncGenerator<string> {
  const columns = Array.from({ length: rowWidth(table, 'csv') }, (_, index) => index)
  yield `${['sample', ...columns].join(',')}\n`
  for await (const { path, values } of table.rows) {
    yield `${csvField(path)},${Array.from(values, float32Text).join(',')}\n`
  }
}

export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
