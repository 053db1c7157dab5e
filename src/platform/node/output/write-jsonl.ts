/** JSON lines: `{"path":…,"embedding":[…],"height":…,"width":…}`, in the order of the rows. */
import type { EmbeddingRow, EmbeddingTable } from './embedding-row.js'
import { float32Text } from './float32-text.js'
import { writeWhole } from './write-whole.js'

export function jsonLine({ path, height, width, values }: EmbeddingRow): string {
  const numbers = Array.from(values, jsonNumber).join(',')
  return `{"path":${JSON.stringify(path)},"embedding":[${numbers}],"height":${height},"width":${width}}\n`
}

export async function writeJsonl(path: string, { rows }: EmbeddingTable): Promise<void> {
  await writeWhole(path, async (file) => {
    for await (const row of rows) await file.write(jsonLine(row))
  })
}

function jsonNumber(value: number): string {
  return Number.isFinite(value) ? float32Text(value) : 'null'
}
