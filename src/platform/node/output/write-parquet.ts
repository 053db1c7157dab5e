/**
 * Parquet with Birder's columns, `sample` and `embedding`, then height and width; what made the numbers is in the file's key-value metadata.
 * Parquet has no lists of fixed length: `embedding` is a list of float32 that is never null.
 */
import type { SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { EmbeddingRow, EmbeddingTable } from './embedding-row.js'
import { type WholeFile, writeWhole } from './write-whole.js'

/** Numbers per row group: what is in memory at a time, several times over. */
const GROUP_VALUES = 2 ** 19

const SCHEMA: SchemaElement[] = [
  { name: 'schema', num_children: 4 },
  { name: 'sample', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
  { name: 'embedding', converted_type: 'LIST', repetition_type: 'REQUIRED', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
  { name: 'height', type: 'INT32', repetition_type: 'REQUIRED' },
  { name: 'width', type: 'INT32', repetition_type: 'REQUIRED' },
]

export async function writeParquet(path: string, { rows, shape, metadata }: EmbeddingTable): Promise<void> {
  const groupRows = Math.max(1, Math.floor(GROUP_VALUES / shape[0]))
  await writeWhole(path, async (file) => {
    const writer = new ParquetWriter({
      writer: new FileWriter(file),
      schema: SCHEMA,
      kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
      createdBy: 'plumage',
    })
    let group: EmbeddingRow[] = []
    for await (const row of rows) {
      group.push({ ...row, values: row.values.slice() })
      if (group.length < groupRows) continue
      await writeGroup(writer, group)
      group = []
    }
    if (group.length > 0) await writeGroup(writer, group)
    await writer.finish()
  })
}

/** Numbers of a network do not compress: they are written as they are. */
async function writeGroup(writer: ParquetWriter, group: readonly EmbeddingRow[]): Promise<void> {
  const plain = { encoding: 'PLAIN', codec: 'UNCOMPRESSED', statistics: false } as const
  await writer.write({
    rowGroupSize: group.length,
    columnData: [
      { name: 'sample', data: group.map(({ path }) => path) },
      { name: 'embedding', data: group.map(({ values }) => Array.from(values)), ...plain },
      { name: 'height', data: Int32Array.from(group, ({ height }) => height) },
      { name: 'width', data: Int32Array.from(group, ({ width }) => width) },
    ],
  })
}

/** Hands each row group on to the file, so that the library holds one at a time. */
class FileWriter extends ByteWriter {
  readonly #file: WholeFile

  constructor(file: WholeFile) {
    super()
    this.#file = file
  }

  async flush(): Promise<void> {
    await this.#file.write(this.getBytes())
    this.index = 0
  }

  override finish(): Promise<void> {
    return this.flush()
  }
}
