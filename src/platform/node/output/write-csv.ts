/** CSV as Birder's predict tool writes embeddings: columns `sample,0,1,…`, quotes only where needed, LF. The caller sorts the rows by path. */
import type { EmbeddingTable } from './embedding-row.js'
import { float32Text } from './float32-text.js'
import { writeWhole } from './write-whole.js'

export async function writeCsv(path: string, { rows, shape }: EmbeddingTable): Promise<void> {
  const columns = Array.from({ length: shape[0] }, (_, index) => index)
  await writeWhole(path, async (file) => {
    await file.write(`${['sample', ...columns].join(',')}\n`)
    for await (const { path: sample, values } of rows) {
      await file.write(`${csvField(sample)},${Array.from(values, float32Text).join(',')}\n`)
    }
  })
}

export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
