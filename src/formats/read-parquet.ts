/** Reads vectors of a Parquet file back, a row group at a time. */
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'

/** Yields null for a row that holds no list. */
export async function* readParquetVectors(
  file: AsyncBuffer,
  column: string,
): AsyncGenerator<Float32Array | null> {
  const metadata = await parquetMetadataAsync(file)
  let rowStart = 0
  for (const { num_rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(num_rows)
    const rows = await parquetReadObjects({ file, metadata, columns: [column], rowStart, rowEnd })
    for (const { [column]: numbers } of rows) {
      yield Array.isArray(numbers) ? Float32Array.from(numbers) : null
    }
    rowStart = rowEnd
  }
}
