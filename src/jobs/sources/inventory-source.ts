/**
 * Reads an S3 Inventory: a manifest that names files of CSV or Parquet, which list the objects of a bucket. Old versions and marks of what was deleted are no rows.
 */
import { CsvReader } from '../../formats/read-csv.js'
import { isRecord, type PlainRecord, parseJsonOrNull } from '../../plain-value.js'
import { isDecodedName } from '../../work/image-extensions.js'
import { leftOutKindOrNull } from '../../work/left-out.js'
import type { SourceRow } from '../row.js'
import { openBytes, type SourceBytes, textsOf } from './open-bytes.js'
import type { RowBatches, SourceReading } from './source.js'
import { SourceError } from './source-error.js'
import { storageAt } from './storage-at.js'
import { damaged, openParquet, parquetValues } from './table-sources.js'

/** No manifest is longer: a file that it names has a million objects. */
const MOST_BYTES = 2 ** 26

/** Is what the fields are called, in small letters without `_`, which is how CSV and Parquet differ. */
type Field = 'bucket' | 'key' | 'versionid' | 'islatest' | 'isdeletemarker' | 'etag'
const FIELDS: readonly Field[] = ['bucket', 'key', 'versionid', 'islatest', 'isdeletemarker', 'etag']

interface Manifest {
  readonly format: 'CSV' | 'Parquet'
  readonly schema: string
  readonly bucket: string
  readonly files: readonly { readonly key: string; readonly size: number }[]
}

export async function* inventoryRows(manifestAddress: string, reading: SourceReading): RowBatches {
  const { world, options } = reading
  const manifest = await readManifest(manifestAddress, reading)
  for (const { key, size } of manifest.files) {
    await using file = await openBytes(
      placeOfFile(manifestAddress, manifest, key, reading),
      world,
      options.signal,
    )
    if (file.size !== size)
      throw new SourceError('damaged', `${file.label} has ${file.size} bytes, and the manifest says ${size}.`)
    yield* manifest.format === 'CSV' ? csvObjects(file, manifest, reading) : parquetObjects(file, reading)
  }
}

async function readManifest(address: string, { world, options }: SourceReading): Promise<Manifest> {
  await using file = await openBytes(address, world, options.signal)
  const wrong = (why: string) =>
    new SourceError('damaged', `${address} is no manifest of an S3 Inventory: ${why}.`)
  if (file.size > MOST_BYTES) throw wrong(`it has ${file.size} bytes`)
  const found = parseJsonOrNull(new TextDecoder().decode(await file.read(0, file.size)))
  if (!isRecord(found)) throw wrong('it is no JSON object')
  const { fileFormat: format, fileSchema: schema, destinationBucket: bucket, files } = found
  if (format !== 'CSV' && format !== 'Parquet')
    throw new SourceError(
      'unsupported',
      `${address} lists its objects as ${JSON.stringify(format)}, expected CSV or Parquet: set one of them for the inventory.`,
    )
  if (typeof schema !== 'string' || typeof bucket !== 'string' || !Array.isArray(files))
    throw wrong('it lacks fileSchema, destinationBucket or files')
  return {
    format,
    schema,
    bucket: bucket.replace(/^arn:[^:]*:s3:::/, ''),
    files: files.map((file) => fileOf(file, wrong)),
  }
}

function fileOf(
  file: unknown,
  wrong: (why: string) => Error,
): { readonly key: string; readonly size: number } {
  const { key, size } = isRecord(file as PlainRecord) ? (file as PlainRecord) : {}
  if (typeof key === 'string' && typeof size === 'number') return { key, size }
  throw wrong('one of its files has no key or no size')
}

/** A copy of an inventory has the files where they lie in its bucket: in the folder `data` beside that of the manifest. */
function placeOfFile(
  manifestAddress: string,
  { bucket }: Manifest,
  key: string,
  { world }: SourceReading,
): string {
  if (storageAt(world.storages, manifestAddress) !== null) return `s3://${bucket}/${key}`
  const { separator } = world.files
  const folder = world.files.resolve(manifestAddress).split(separator).slice(0, -2)
  return [...folder, 'data', key.split('/').at(-1)].join(separator)
}

/** Has no line of names: those stand in the manifest. Keys are escaped as in a form, with + for a space. */
async function* csvObjects(file: SourceBytes, { schema }: Manifest, reading: SourceReading): RowBatches {
  const names = schema.split(',').map(fieldName)
  const places = placesOf(names, file.label)
  const reader = new CsvReader()
  const rowsOf = (records: ReturnType<CsvReader['push']>) => {
    const rows: SourceRow[] = []
    for (const { line, fields } of records) {
      if (fields.length !== names.length)
        throw new SourceError(
          'damaged',
          `Line ${line} of ${file.label} has ${fields.length} fields, expected ${names.length}.`,
        )
      const value = (field: Field) => fields[places.get(field) ?? -1]
      const key = unescaped(value('key') ?? '', file.label)
      addRow(rows, (field) => (field === 'key' ? key : value(field)), reading)
    }
    return rows
  }
  try {
    for await (const text of textsOf(file, reading.world)) yield rowsOf(reader.push(text))
    yield rowsOf(reader.end())
  } catch (cause) {
    throw damaged(file.label, cause)
  }
}

async function* parquetObjects(file: SourceBytes, reading: SourceReading): RowBatches {
  const table = await openParquet(file, reading.world)
  const places = placesOf(table.columns.map(fieldName), file.label)
  const fields = [...places.keys()]
  const columns = fields.map((field) => table.columns[places.get(field) ?? -1] ?? '')
  for await (const values of parquetValues(file, table, columns)) {
    const rows: SourceRow[] = []
    for (let at = 0; at < (values[0]?.length ?? 0); at++)
      addRow(rows, (field) => values[fields.indexOf(field)]?.[at], reading)
    yield rows
  }
}

function fieldName(name: string): string {
  return name.trim().toLowerCase().replaceAll('_', '')
}

function placesOf(names: readonly string[], label: string): ReadonlyMap<Field, number> {
  const places = new Map(
    FIELDS.map((field) => [field, names.indexOf(field)] as const).filter(([, at]) => at >= 0),
  )
  if (places.has('bucket') && places.has('key')) return places
  throw new SourceError('damaged', `${label} lists no buckets and keys: it has ${names.join(', ')}.`)
}

function addRow(
  rows: SourceRow[],
  value: (field: Field) => unknown,
  { world, options, leftOut }: SourceReading,
): void {
  const key = String(value('key'))
  if (String(value('isdeletemarker')) === 'true') leftOut.add('deleted object')
  else if (String(value('islatest')) === 'false') leftOut.add('older version')
  else if (key.endsWith('/')) return
  else if (options.takesAll !== true && !isDecodedName(key, world.decodes))
    leftOut.add(leftOutKindOrNull(key, null) ?? 'other object')
  else {
    const address = `s3://${String(value('bucket'))}/${key}`
    const [versionId, etag] = [
      textOrNothing(value('versionid')),
      textOrNothing(value('etag'))?.replaceAll('"', ''),
    ]
    const version = versionId ?? etag
    rows.push({
      id: version === undefined ? address : `${address}@${version}`,
      name: address,
      // What buckets know of an object that is read is its tag.
      place: etag === undefined ? { address } : { address, version: etag },
    })
  }
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function unescaped(key: string, label: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch (cause) {
    throw new SourceError(
      'damaged',
      `${label} has the key ${JSON.stringify(key)}, which is not escaped as keys are.`,
      {
        cause,
      },
    )
  }
}
