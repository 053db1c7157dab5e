/** Reads columns of a Parquet file back, some rows at a time. */
import {
  type AsyncBuffer,
  type Compressors,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetScan,
  parquetSchema,
} from 'hyparquet'
import { checkParquetPages } from './check-parquet-pages.js'

/** So many rows are in memory together, whatever the file's row groups are. */
const MOST_ROWS = 2 ** 17

/** Unpacks pages, by the names that Parquet has for its kinds of compression; Snappy's needs none. */
export type ParquetCompressors = Compressors

/** Is a Parquet file of which single columns are read. */
export interface ParquetColumns {
  /** Names the columns. */
  readonly columns: readonly string[]
  /** Counts the rows. */
  readonly rows: number
  /** Is what whoever wrote it says of it, by names. */
  readonly metadata: Readonly<Record<string, string>>
  /** Yields some rows at a time: for each of the columns asked for its values, null where there is none. Throws Error for a damaged file. */
  read(names: readonly string[]): AsyncGenerator<readonly (readonly unknown[])[]>
}

/** Yields null for a row that holds no list. */
export async function* readParquetVectors(
  file: AsyncBuffer,
  column: string,
): AsyncGenerator<Float32Array | null> {
  const metadata = await parquetMetadataAsync(file)
  let rowStart = 0
  for (const [group, { num_rows }] of metadata.row_groups.entries()) {
    await checkParquetPages(file, metadata, group, { names: [column] })
    const rowEnd = rowStart + Number(num_rows)
    const rows = await parquetReadObjects({ file, metadata, columns: [column], rowStart, rowEnd })
    for (const { [column]: numbers } of rows) {
      yield Array.isArray(numbers) ? Float32Array.from(numbers) : null
    }
    rowStart = rowEnd
  }
}

/** Throws Error for a file that is none. */
export async function openParquetColumns(
  source: AsyncBuffer,
  compressors: ParquetCompressors = {},
): Promise<ParquetColumns> {
  const metadata = await parquetMetadataAsync(source)
  return {
    columns: parquetSchema(metadata).children.map(({ element }) => element.name),
    rows: Number(metadata.num_rows),
    metadata: Object.fromEntries(
      (metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']),
    ),
    read: async function* (names) {
      let groupStart = 0
      for (const [group, { num_rows }] of metadata.row_groups.entries()) {
        const file = judged(rememberingLast(source, names.length))
        await checkParquetPages(file, metadata, group, { names, compressors })
        const groupEnd = groupStart + Number(num_rows)
        const scan = await parquetScan({ file, metadata, compressors, columns: [...names] })
        for (let rowStart = groupStart; rowStart < groupEnd; rowStart += MOST_ROWS) {
          const rowEnd = Math.min(rowStart + MOST_ROWS, groupEnd)
          const found: (readonly unknown[])[] = []
          for (const column of names)
            found.push(checked(await scan.readColumn({ column, rowStart, rowEnd }), rowEnd - rowStart))
          yield found
        }
        groupStart = groupEnd
      }
    },
  }
}

function checked(values: ArrayLike<unknown>, rows: number): readonly unknown[] {
  if (values.length !== rows) throw new Error(`a column has ${values.length} values for ${rows} rows`)
  return Array.isArray(values) ? values : Array.from(values)
}

/** The reader asks for parts ahead, and where it has thrown meanwhile nobody waits for them: a failure would end the process. What is no place is told at once. */
function judged({ byteLength, slice }: AsyncBuffer): AsyncBuffer {
  return {
    byteLength,
    slice(start, end = byteLength) {
      if (!(start >= 0 && start <= end && end <= byteLength))
        throw new RangeError(`a part lies from byte ${start} to ${end}, and the file has ${byteLength}`)
      const bytes = Promise.resolve(slice(start, end))
      bytes.catch(() => {})
      return bytes
    },
  }
}

/** The parts of a file that were asked for last are asked for again, once to be judged and for each of the pieces that a large row group is read in. */
function rememberingLast({ byteLength, slice }: AsyncBuffer, most: number): AsyncBuffer {
  const kept = new Map<string, ArrayBuffer>()
  return {
    byteLength,
    async slice(start, end = byteLength) {
      const key = `${start}-${end}`
      const known = kept.get(key)
      if (known !== undefined) return known
      const bytes = await slice(start, end)
      const [oldest] = kept.keys()
      if (kept.size >= most && oldest !== undefined) kept.delete(oldest)
      kept.set(key, bytes)
      return bytes
    },
  }
}
