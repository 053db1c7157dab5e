/** Joins the shards of one work into an output as one machine would have written it, once they are proven to be all. Rows are read and written one by one. */
import { compareNames } from '../compare-names.js'
import type { Column, TableMetadata } from '../formats/embedding-table.js'
import { jsonText } from '../formats/json-text.js'
import type { Files, OutputLock } from './files.js'
import {
  defaultColumns,
  type FinishedRow,
  failuresPath,
  INCOMPLETE,
  isAsFinished,
  metaOrNull,
  OutputDigest,
  type OutputPlan,
  readEntries,
  readFinished,
  writeMeta,
} from './finished-output.js'
import { asOutputError, OutputError } from './output-error.js'
import { type OutputFormat, outputFiles } from './output-format.js'
import type { PartEntry } from './part-file.js'
import { type ProvenShards, proveShards, readFailures, type ShardOutput } from './prove-shards.js'
import { type Names, shardText } from './shard.js'

export interface MergeOptions {
  /** Are the outputs of `plumage embed --shard`, in any order; relative ones start at the base of `files`. */
  readonly shards: readonly string[]
  readonly output: string
  readonly format: OutputFormat
  readonly files: Files
  /** Joins those that are there though others are missing. */
  readonly partial?: boolean
  /** Replaces what is there. */
  readonly restart?: boolean
  readonly signal?: AbortSignal
  readonly listener?: MergeListener
}

/** Is told how far the work is. */
export interface MergeListener {
  /** The shards have been proven, and are written now. */
  proven?(shards: ProvenShards): void
  waiting?(message: string): void
}

export interface Merged {
  readonly rows: Names
  /** Counts the shards that were joined. */
  readonly shards: number
  /** Names those that were not there, as `3/16`. */
  readonly missing: readonly string[]
  /** Counts the images and films that all shards were of. */
  readonly inputs: number
  readonly failed: number
  /** Tells whether the output was there already, the same. */
  readonly unchanged: boolean
}

/** Throws `OutputError`, `incomplete` where shards are missing and `partial` is not given; the signal's reason. */
export async function mergeShards(options: MergeOptions): Promise<Merged> {
  try {
    return await mergeLocked(options)
  } catch (error) {
    throw asOutputError(error)
  }
}

async function mergeLocked(options: MergeOptions): Promise<Merged> {
  const { shards, output, format, files, partial = false, restart = false, signal, listener } = options
  const isInput = shards.some((path) => files.resolve(path) === files.resolve(output))
  if (isInput)
    throw new OutputError(
      'exists',
      `${output} is one of the shards, and they stay as they are: choose another output.`,
    )
  await using lock = await files.lock(output, {
    ...(signal === undefined ? {} : { signal }),
    onWait: (message) => listener?.waiting?.(message),
  })
  const proven = await proveShards(shards, { files, ...(signal === undefined ? {} : { signal }) })
  const missing = proven.missing.map(shardText)
  if (missing.length > 0 && !partial) throw missingShards(missing, proven)
  if (format === 'csv') assertSorted(proven.shards)
  const plan = planOf(options, proven, missing)
  const counts = {
    rows: proven.rows,
    shards: proven.shards.length,
    missing,
    inputs: proven.inputs,
    failed: proven.failed,
  }
  if (!restart && (await isThere(plan, proven.rows))) return { ...counts, unchanged: true }
  listener?.proven?.(proven)
  await write(plan, proven, lock, signal)
  return { ...counts, unchanged: false }
}

/** So many of what is missing are named. */
const MOST_NAMED = 10

function missingShards(missing: readonly string[], { shards }: ProvenShards): OutputError {
  const shown = missing.slice(0, MOST_NAMED).join(', ')
  const more = missing.length > MOST_NAMED ? ` and ${missing.length - MOST_NAMED} more` : ''
  return new OutputError(
    'incomplete',
    `${missing.length === 1 ? `Shard ${shown} is` : `Shards ${shown}${more} are`} missing; ${shards.length} are there. Name all of them, run those that were lost, or add --partial to join what is there.`,
  )
}

function assertSorted(shards: readonly ShardOutput[]): void {
  const other = shards.find(({ meta }) => meta.format !== 'csv')
  if (other === undefined) return
  throw new OutputError(
    'unknown-format',
    `CSV is sorted by path, and ${other.path} is not: choose an output that ends in .jsonl, .npy or .parquet, or write the shards as CSV.`,
  )
}

function planOf(
  { files, output, format }: MergeOptions,
  { shards, inputs }: ProvenShards,
  missing: readonly string[],
): OutputPlan {
  const [first] = shards
  if (first === undefined) throw new RangeError('there is no shard')
  const { meta, source } = first
  const { shard: _shard, ...work } = meta.identity
  // Of a part it must be told for ever which one it is.
  const identity = {
    ...work,
    ...(missing.length === 0 ? {} : { missing: missing.join(' ') }),
  } as unknown as TableMetadata
  const columns = columnsFor(format, meta.format, meta.columns)
  return {
    files,
    output,
    format,
    columns,
    identity,
    shape: meta.shape,
    source: { count: inputs, sum: source.sum },
  }
}

/** Columns that were chosen stay. */
function columnsFor(
  format: OutputFormat,
  from: OutputFormat,
  columns: readonly Column[] | null,
): readonly Column[] | null {
  const isChosen = columns !== null && jsonText(columns) !== jsonText(defaultColumns(from))
  return isChosen && defaultColumns(format) !== null ? columns : defaultColumns(format)
}

/** Throws where there is anything else. */
async function isThere(plan: OutputPlan, rows: Names): Promise<boolean> {
  const { files, output, format, columns, identity } = plan
  const found = await files.look(output)
  if (found === null) return false
  const meta = await metaOrNull(files, output)
  const isSame =
    meta !== null &&
    (await isAsFinished(files, output, meta)) &&
    meta.format === format &&
    jsonText([meta.columns, meta.identity, meta.rows, meta.sum]) ===
      jsonText([columns, identity, rows.count, rows.sum])
  if (isSame || found.size === 0) return isSame
  throw new OutputError(
    'exists',
    `${output} is there already, and is not what these shards give: choose another output, or add --restart to replace it.`,
  )
}

async function write(
  plan: OutputPlan,
  { shards, rows, failed }: ProvenShards,
  lock: OutputLock,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { files, output, format, shape, columns, identity } = plan
  const inOrder = <T>(read: (shard: ShardOutput) => AsyncGenerator<T>, nameOf: (one: T) => string) =>
    format === 'csv' ? sorted(shards.map(read), nameOf) : joined(shards, read)
  const entries = () =>
    inOrder(
      (shard) => readEntries(files, shard.path),
      ({ path }: PartEntry) => path,
    )
  const found = inOrder(
    ({ path, meta }) => readFinished(files, path, meta),
    ({ entry }: FinishedRow) => entry.path,
  )
  const table = {
    count: rows.count,
    paths: namesOf(entries()),
    rows: rowsOf(found, signal),
    shape,
    metadata: { ...identity, rows: String(rows.count), rowSum: rows.sum },
    ...(columns === null ? {} : { columns }),
  }
  const digest = new OutputDigest()
  for (const { path, chunks } of await outputFiles(format, output, table)) {
    await lock.assertHeld()
    await files.write(path, digest.of(chunks))
  }
  // It is of no list that an encoder has seen: a run that goes on with it looks at every file.
  const made = { inputs: INCOMPLETE, digest: digest.hex(), failed }
  await writeMeta(plan, String(identity.model), made, entries())
  if (failed === 0) await files.remove(failuresPath(output))
  else await files.write(failuresPath(output), failureLines(shards, files))
}

async function* joined<T>(
  shards: readonly ShardOutput[],
  read: (shard: ShardOutput) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  for (const shard of shards) yield* read(shard)
}

/** Joins what is sorted by name, so that it is sorted still. What is yielded is valid until the next is asked for. */
async function* sorted<T>(
  sources: readonly AsyncGenerator<T>[],
  nameOf: (one: T) => string,
): AsyncGenerator<T> {
  const heads: { readonly name: string; readonly one: T; readonly rest: AsyncGenerator<T> }[] = []
  const advance = async (rest: AsyncGenerator<T>) => {
    const next = await rest.next()
    if (next.done) return
    const name = nameOf(next.value)
    let [low, high] = [0, heads.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const there = heads[middle]
      if (there !== undefined && compareNames(there.name, name) > 0) low = middle + 1
      else high = middle
    }
    heads.splice(low, 0, { name, one: next.value, rest })
  }
  try {
    for (const source of sources) await advance(source)
    // The smallest is the last of them.
    for (let head = heads.pop(); head !== undefined; head = heads.pop()) {
      yield head.one
      await advance(head.rest)
    }
  } finally {
    for (const source of sources) await source.return(undefined)
  }
}

async function* namesOf(entries: AsyncIterable<PartEntry>): AsyncGenerator<string> {
  for await (const { path } of entries) yield path
}

async function* rowsOf(found: AsyncIterable<FinishedRow>, signal: AbortSignal | undefined) {
  for await (const { entry, values } of found) {
    signal?.throwIfAborted()
    yield { path: entry.path, height: entry.height, width: entry.width, values }
  }
}

async function* failureLines(shards: readonly ShardOutput[], files: Files): AsyncGenerator<string> {
  for (const { path } of shards)
    for await (const failure of readFailures(files, path))
      yield `${jsonText({ path: failure.path, error: failure.reason })}\n`
}
