/**
 * Takes rows that others have made into a collection. What the embeddings rest on is stated by whoever imports them, or by the file itself where this library
 * wrote it; it is never guessed. A row that cannot be taken is told with its reason, and the others go on.
 */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { given } from '../encoder/choose-recipe.js'
import { nearestNames } from '../nearest-names.js'
import type { Collection } from './collection.js'
import { CollectionError } from './collection-error.js'
import { type CollectionColumn, type ColumnType, checkValue, type Value } from './columns.js'
import { newId } from './new-id.js'
import { photosBlock } from './photos-block.js'
import { type Row, rowsOf } from './row-block.js'
import { columnName, freeName, timeOrNull, typeOfTexts, valueOfText } from './text-values.js'

/** Is a row as a file has it, or the reason why it is none. */
export type ImportedRow = {
  /** Says where it stands: `line 3`. */
  readonly place: string
} & (
  | { readonly values: Readonly<Record<string, unknown>>; readonly reason?: undefined }
  | { readonly reason: string; readonly values?: undefined }
)

/** Is a table as a file has it. */
export interface ImportedTable {
  readonly columns: readonly string[]
  /** Says what made it, where the file does. */
  readonly metadata: Readonly<Record<string, string>>
  readonly rows: AsyncIterable<ImportedRow>
  /** Says that all values are texts, whose types are found in them. */
  readonly isText?: boolean
  /** Says that a collection was exported with embeddings of length 1: the column `norm` tells how long they were. */
  readonly isUnit?: boolean
}

/** Says where a row's photo lies, and what is known of its file. */
export type PlacePhoto = (
  path: string,
  /** Names the root that the path starts from, where the row does. */
  root: string | null,
) => Promise<
  | { readonly root: string; readonly path: string; readonly values: Row }
  /** Says why the path is none. */
  | { readonly reason: string }
>

/** Says how rows are imported. */
export interface ImportChoice {
  /** Names the column of paths; default `path`, or what other tools call it. */
  readonly pathColumn?: string
  /** Names the column of vectors; default `embedding`, or the only column of lists of numbers. */
  readonly vectorColumn?: string
  /** Is told of each row that is not taken. */
  readonly onRefused?: (refused: RefusedRow) => void
  /** Ends the import, which then rejects with the signal's reason; rows that were taken stay. */
  readonly signal?: AbortSignal
}

export const IMPORT_CHOICE = {
  pathColumn: true,
  vectorColumn: true,
  onRefused: true,
  signal: true,
} satisfies OptionNames<ImportChoice>

/** Is a row that was not taken. */
export interface RefusedRow {
  /** Says where it stands in the file: `line 3`. */
  readonly place: string
  /** Says why, for programs. */
  readonly code: RefusedCode
  /** Says why, for people. */
  readonly reason: string
}

/** Says for programs why a row was not taken. */
export type RefusedCode =
  /** It cannot be read. */
  | 'damaged'
  /** It has no path, or one that leads out of the folder. */
  | 'no-path'
  /** It has no vector. */
  | 'no-vector'
  /** Its vector has another width than the others. */
  | 'wrong-width'
  /** Its vector holds what is no finite number. */
  | 'not-finite'
  /** Its vector is all zeros. */
  | 'no-length'
  /** Another row has this path. */
  | 'repeated'

/** Counts rows by what became of them. */
export interface ImportCounts {
  /** Are new in the collection. */
  readonly added: number
  /** Had a row with this path already, which was replaced. */
  readonly replaced: number
  /** Were not taken, by why. */
  readonly refused: Readonly<Partial<Record<RefusedCode, number>>>
  /** Says what the columns are called in the collection, by their names in the file. */
  readonly columns: Readonly<Record<string, string>>
}

/** Are what other tools call the column of paths. */
const PATH_NAMES = [
  'path',
  'filepath',
  'file_path',
  'sample',
  'filename',
  'file_name',
  'file',
  'image',
  'image_path',
  'name',
]
const VECTOR_NAMES = ['embedding', 'vector', 'embeddings', 'features', 'emb']
const BATCH_ROWS = 2048
/** So many rows are looked at to find the types of columns. */
const SAMPLE_ROWS = 1000
/** The collection finds these itself. */
const OWN: ReadonlySet<string> = new Set([
  'id',
  'root',
  'path',
  'file',
  'bytes',
  'modified',
  'state',
  'reason',
  'norm',
])

/** Finds which columns hold paths and vectors. Throws `CollectionError` `ambiguous` where that cannot be known, and `unknown-column`. */
export function namedColumns(
  { columns }: Pick<ImportedTable, 'columns'>,
  sample: readonly ImportedRow[],
  { pathColumn, vectorColumn }: ImportChoice,
): { readonly path: string; readonly vector: string } {
  const check = (name: string) => {
    if (columns.includes(name)) return name
    const [nearest] = nearestNames(name, columns)
    const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`
    throw new CollectionError(
      'unknown-column',
      `There is no column ${JSON.stringify(name)} in the file.${hint}`,
    )
  }
  const lists = columns.filter((name) => sample.some(({ values }) => isNumbers(values?.[name])))
  const path =
    pathColumn === undefined ? PATH_NAMES.find((name) => columns.includes(name)) : check(pathColumn)
  const named = VECTOR_NAMES.find((name) => lists.includes(name))
  const vector =
    vectorColumn === undefined ? (named ?? (lists.length === 1 ? lists[0] : undefined)) : check(vectorColumn)
  if (path !== undefined && vector !== undefined) return { path, vector }
  const what = path === undefined ? 'paths' : 'vectors'
  const option = path === undefined ? 'pathColumn (--path-column)' : 'vectorColumn (--vector-column)'
  throw new CollectionError(
    'ambiguous',
    `It is not known which column holds the ${what}: the file has ${columns.join(', ')}. Name it by ${option}.`,
  )
}

/** Reads rows ahead, for whoever looks at some of them first; all come again. */
export async function lookAhead(
  rows: AsyncIterable<ImportedRow>,
): Promise<{ readonly sample: readonly ImportedRow[]; readonly rows: AsyncIterable<ImportedRow> }> {
  const iterator = rows[Symbol.asyncIterator]()
  const sample: ImportedRow[] = []
  while (sample.length < SAMPLE_ROWS) {
    const { done, value } = await iterator.next()
    if (done === true) break
    sample.push(value)
  }
  const all = async function* () {
    yield* sample
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  }
  return { sample, rows: all() }
}

/** Gives a row's vector, or null where it has none. Text that is a list of numbers is one. */
export function vectorOf(value: unknown): Float32Array | null {
  if (isNumbers(value)) return Float32Array.from(value, Number)
  if (typeof value !== 'string' || !/^\s*\[/.test(value)) return null
  try {
    const found: unknown = JSON.parse(value)
    return isNumbers(found) ? Float32Array.from(found, Number) : null
  } catch {
    return null
  }
}

function isNumbers(value: unknown): value is ArrayLike<number> {
  if (ArrayBuffer.isView(value)) return !(value instanceof DataView)
  return (
    Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'number' || one === null)
  )
}

/** Takes the rows of a table. Throws `CollectionError` `ambiguous`, `unknown-column`, `wrong-value`, `read-only`; the signal's reason. */
export async function importRows(
  collection: Collection,
  table: ImportedTable,
  place: PlacePhoto,
  choice: ImportChoice = {},
): Promise<ImportCounts> {
  checkOptionNames(choice, IMPORT_CHOICE)
  const { sample, rows } = await lookAhead(table.rows)
  const names = namedColumns(table, sample, choice)
  const columns = columnsFor(collection, table, sample, names)
  await collection.addColumns(
    [...columns.values()].filter((column) => !collection.columns.some(({ name }) => name === column.name)),
  )
  const run = new ImportRun({ collection, place, columns, names, isUnit: table.isUnit ?? false }, choice)
  return await run.finish(rows)
}

/** Says which column of the collection each column of the file becomes. */
function columnsFor(
  collection: Collection,
  { columns, isText = false }: ImportedTable,
  sample: readonly ImportedRow[],
  { path, vector }: { readonly path: string; readonly vector: string },
): ReadonlyMap<string, CollectionColumn> {
  const found = new Map<string, CollectionColumn>()
  const taken = new Set<string>()
  for (const column of columns) {
    const title = columnName(column)
    if (column === path || column === vector || OWN.has(title)) continue
    const name = freeName(title, taken)
    const known = collection.columns.find((one) => one.name === name)
    const type =
      known?.type ??
      typeOf(
        sample.map(({ values }) => values?.[column]),
        isText,
      )
    if (type === null) continue
    taken.add(name)
    found.set(column, { name, type })
  }
  return found
}

const TYPES: readonly ColumnType[] = ['boolean', 'integer', 'float', 'timestamp', 'text', 'texts']

/** Finds the narrowest type that holds all values; null where there are none, or where they are of a kind that has no column. */
function typeOf(values: readonly unknown[], isText: boolean): ColumnType | null {
  const there = values.filter((value) => value !== null && value !== undefined)
  if (isText) return typeOfTexts(there.map(String))
  if (there.length === 0) return null
  return TYPES.find((type) => there.every((value) => valueAs(type, value) !== null)) ?? null
}

/** Gives a value as the column has it; null where it is none of that type. */
function valueAs(type: ColumnType, value: unknown): Value {
  switch (type) {
    case 'text':
      return typeof value === 'string' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'integer': {
      const number = numberOf(value)
      return Number.isSafeInteger(number) ? number : null
    }
    case 'float':
      return numberOf(value)
    case 'timestamp':
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.getTime()
      return typeof value === 'string' ? timeOrNull(value) : numberOf(value)
    case 'texts':
      return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : null
  }
}

function numberOf(value: unknown): number | null {
  const number = typeof value === 'bigint' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : null
}

interface ImportParts {
  readonly collection: Collection
  readonly place: PlacePhoto
  readonly columns: ReadonlyMap<string, CollectionColumn>
  readonly names: { readonly path: string; readonly vector: string }
  readonly isUnit: boolean
}

class ImportRun {
  readonly #parts: ImportParts
  readonly #choice: ImportChoice
  readonly #refused: Partial<Record<RefusedCode, number>> = {}
  readonly #seen = new Set<string>()
  readonly #known = new Map<string, Row>()
  readonly #ids = new Set<string>()
  readonly #counts = { added: 0, replaced: 0 }
  #rows: { readonly row: Row; readonly embedding: Float32Array; readonly isNew: boolean }[] = []

  constructor(parts: ImportParts, choice: ImportChoice) {
    this.#parts = parts
    this.#choice = choice
  }

  async finish(rows: AsyncIterable<ImportedRow>): Promise<ImportCounts> {
    const { signal } = this.#choice
    const own = this.#parts.collection.columns.map(({ name }) => name)
    for await (const block of this.#parts.collection.scan({ columns: own, ...given({ signal }) }))
      for (const row of rowsOf(block)) {
        this.#known.set(`${row.root}\0${row.path}`, row)
        this.#ids.add(String(row.id))
      }
    for await (const row of rows) {
      signal?.throwIfAborted()
      await this.#take(row)
      if (this.#rows.length >= BATCH_ROWS) await this.#write()
    }
    await this.#write()
    const columns = Object.fromEntries([...this.#parts.columns].map(([from, { name }]) => [from, name]))
    return { ...this.#counts, refused: this.#refused, columns }
  }

  async #take({ place, values, reason }: ImportedRow): Promise<void> {
    if (values === undefined) return this.#refuse(place, 'damaged', reason)
    const text = values[this.#parts.names.path]
    if (typeof text !== 'string' || text === '') return this.#refuse(place, 'no-path', 'it has no path')
    const vector = vectorOf(values[this.#parts.names.vector])
    const { width } = this.#parts.collection.about
    if (vector === null) return this.#refuse(place, 'no-vector', 'it has no vector')
    if (vector.length !== width)
      return this.#refuse(place, 'wrong-width', `its vector has ${vector.length} numbers, expected ${width}`)
    if (!vector.every(Number.isFinite))
      return this.#refuse(place, 'not-finite', 'its vector holds what is no finite number')
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
    if (!(length > 0 && Number.isFinite(length)))
      return this.#refuse(place, 'no-length', 'its vector has no length')
    const norm = this.#parts.isUnit && typeof values.norm === 'number' ? values.norm : length
    const found = await this.#parts.place(text, typeof values.root === 'string' ? values.root : null)
    if ('reason' in found) return this.#refuse(place, 'no-path', found.reason)
    const key = `${found.root}\0${found.path}`
    if (this.#seen.has(key)) return this.#refuse(place, 'repeated', `another row has the path ${text}`)
    this.#seen.add(key)
    const known = this.#known.get(key)
    const { root, path } = found
    const row = {
      ...known,
      ...found.values,
      ...this.#valuesOf(values),
      ...{ id: known?.id ?? this.#idOf(values.id), root, path, norm, state: 'embedded', reason: null },
    }
    this.#rows.push({ row, embedding: vector, isNew: known === undefined })
  }

  /** A row of a collection that was exported keeps its id. */
  #idOf(value: unknown): string {
    const isFree = typeof value === 'string' && /^[0-9a-f]{32}$/.test(value) && !this.#ids.has(value)
    const id = isFree ? value : newId()
    this.#ids.add(id)
    return id
  }

  /** A value that does not fit its column, though those that were looked at first did, is not known. */
  #valuesOf(values: Readonly<Record<string, unknown>>): Row {
    const row: Record<string, Value> = {}
    for (const [from, column] of this.#parts.columns) {
      const value = values[from]
      const isRead = typeof value === 'string' && column.type !== 'text'
      const found = isRead ? valueOfText(value, column.type) : valueAs(column.type, value)
      checkValue(column, found)
      row[column.name] = found
    }
    return row
  }

  #refuse(place: string, code: RefusedCode, reason: string): void {
    this.#refused[code] = (this.#refused[code] ?? 0) + 1
    this.#choice.onRefused?.({ place, code, reason })
  }

  async #write(): Promise<void> {
    const rows = this.#rows
    this.#rows = []
    const names = this.#parts.collection.columns.map(({ name }) => name)
    for (const isNew of [true, false]) {
      const part = rows.filter((one) => one.isNew === isNew)
      if (part.length === 0) continue
      const block = photosBlock(part, names, this.#parts.collection.about)
      if (isNew) await this.#parts.collection.add(block)
      else await this.#parts.collection.replace(block)
      this.#counts[isNew ? 'added' : 'replaced'] += part.length
    }
  }
}
