/**
 * Knows what lies beside a finished output: `<output>.meta.json` says what made it and of which inputs, `<output>.inputs.jsonl` has a line for each
 * of its rows. By these an output is told to be finished, is added to, and is never written over by another one.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Chunk, Chunks } from '../formats/chunk.js'
import { type Column, JSON_LINES_COLUMNS, PARQUET_COLUMNS } from '../formats/embedding-table.js'
import { jsonText } from '../formats/json-text.js'
import { namesPath } from '../formats/npy.js'
import { isRecord, type PlainRecord, type PlainValue, parseJsonOrNull } from '../plain-value.js'
import { elementCount } from '../tensor/shape.js'
import type { Files } from './files.js'
import { hasFields, jsonObjectOrNull } from './json-object.js'
import { OutputError } from './output-error.js'
import { isOutputFormat, type OutputFormat } from './output-format.js'
import type { PartEntry } from './part-file.js'
import type { PartStore } from './part-store.js'
import { readLines } from './read-lines.js'
import { type RowFormat, readRows } from './read-rows.js'
import { hashName, type Names, NamesSum } from './shard.js'
import { assertSameWork, type WorkIdentity } from './work-identity.js'

/** Is what an output consists of, and what made it. */
export interface OutputPlan {
  readonly files: Files
  readonly output: string
  readonly format: OutputFormat
  /** Are null for a format whose columns have no names. */
  readonly columns: readonly Column[] | null
  readonly identity: WorkIdentity
  readonly shape: readonly number[]
  /** Reads rows that are no vectors. */
  readonly rowFormat?: RowFormat | undefined
  /** Sums up the inputs of all shards, where this output is of one of them. */
  readonly source: Names | null
}

/** Is the part of the meta file that is believed once it has been looked at. */
export interface Meta {
  readonly format: OutputFormat
  readonly columns: readonly Column[] | null
  readonly identity: PlainRecord
  readonly shape: readonly number[]
  /** Counts the rows. */
  readonly rows: number
  /** Is a digest of the inputs, or `incomplete` where some of them failed. */
  readonly inputs: string
  /** Counts the bytes of the output's files. */
  readonly bytes: readonly number[]
  /** Are the times of the output's files, and a digest of their bytes; null where an earlier version has left them out. */
  readonly state: { readonly mtimes: readonly number[]; readonly digest: string } | null
  /** Sums up the inputs of all shards; null where the output is of none. */
  readonly source: Names | null
  /** Sums up the names of the rows; null where an earlier version has left it out. */
  readonly sum: string | null
  /** Is a digest of the list of rows beside the output; null likewise. */
  readonly listed: string | null
  /** Counts the inputs that failed; null likewise. */
  readonly failed: number | null
}

/** Gives the columns that an output has unless others were chosen. */
export function defaultColumns(format: OutputFormat): readonly Column[] | null {
  if (format === 'jsonl') return JSON_LINES_COLUMNS
  return format === 'parquet' ? PARQUET_COLUMNS : null
}

export class FinishedOutput {
  readonly #plan: OutputPlan
  readonly #meta: Meta

  private constructor(plan: OutputPlan, meta: Meta) {
    this.#plan = plan
    this.#meta = meta
  }

  /**
   * Gives null where there is no output, or none that is finished. Throws `OutputError` `exists` for a file that nothing here has written,
   * `other-identity` for an output of another model, recipe or kind.
   *
   * @param isUnderWay says that unfinished work of this output lies beside it: what is there may be written over, as was decided when that began
   */
  static async openOrNull(plan: OutputPlan, isUnderWay: boolean): Promise<FinishedOutput | null> {
    const { files, output, identity, shape } = plan
    if (await isEmpty(files, output)) {
      const names = namesPath(output)
      if (plan.format !== 'npy' || isUnderWay || (await isEmpty(files, names))) return null
      // Whoever removes an array alone leaves its names behind.
      if ((await metaOrNull(files, output))?.bytes[0] === (await files.look(names))?.size) return null
      throw new OutputError(
        'exists',
        `${names} is there already, and the names of the rows of ${output} would be written over it: choose another output, move it away, or add ` +
          '--restart to replace it.',
      )
    }
    const meta = await metaOrNull(files, output)
    if (meta === null || !(await isAsFinished(files, output, meta))) {
      if (isUnderWay) return null
      throw new OutputError(
        'exists',
        `${output} is there already, and ${meta === null ? 'nothing beside it says what made it' : 'has changed since it was finished'}. ` +
          'It is not written over: choose another output, or add --restart to replace it.',
      )
    }
    assertSameWork(
      `${output} is finished and was`,
      { ...meta.identity, shape: meta.shape.join(' x ') },
      { ...identity, shape: shape.join(' x ') },
      'Choose another output, or add --restart to write it anew.',
    )
    return new FinishedOutput(plan, meta)
  }

  /** Counts its rows. */
  get rows(): number {
    return this.#meta.rows
  }

  /** Tells whether it is what this run would make of these inputs. */
  isOf(inputsDigest: string | null): boolean {
    const { format, columns, source } = this.#plan
    const meta = this.#meta
    return (
      meta.format === format &&
      jsonText(meta.columns) === jsonText(columns) &&
      meta.inputs === inputsDigest &&
      // Another shard's inputs may have changed since: then this output is of another whole.
      meta.source?.sum === source?.sum &&
      meta.source?.count === source?.count
    )
  }

  /** Throws `OutputError` `other-inputs` where a finished row would be lost, since its image is not among these. */
  async assertAmong(isAmong: (path: string) => boolean): Promise<void> {
    const { output } = this.#plan
    const lost: string[] = []
    let count = 0
    for await (const { path } of readEntries(this.#plan.files, output)) {
      if (isAmong(path)) continue
      count++
      if (lost.length < 2) lost.push(path)
    }
    if (count === 0) return
    throw new OutputError(
      'other-inputs',
      `${output} is finished and has ${count} ${count === 1 ? 'row' : 'rows'} of images that are not among these inputs ` +
        `(${lost.join(', ')}${count > lost.length ? ', …' : ''}). Name them too to add to it, choose another output, or add --restart to write ` +
        'it anew.',
    )
  }

  /** Puts those of its rows into the store that it has none of: what is finished is never computed again. */
  async copyTo(store: PartStore, signal?: AbortSignal): Promise<void> {
    const { files, output, rowFormat } = this.#plan
    for await (const { entry, values } of readFinished(files, output, this.#meta, rowFormat)) {
      signal?.throwIfAborted()
      if (!store.holds(entry.path)) await store.add(entry, values)
    }
    await store.flush()
  }
}

/** Is a row with the file that it is of. */
export interface FinishedRow {
  readonly entry: PartEntry
  /** Is valid until the next row. */
  readonly values: Float32Array
}

/** Reads the rows of a finished output in their order. Throws `OutputError` `damaged`. */
export async function* readFinished(
  files: Files,
  output: string,
  { format, columns, shape }: Meta,
  rowFormat?: RowFormat,
): AsyncGenerator<FinishedRow> {
  const rows = readRows(files, output, { format, columns, rowFormat, rowLength: elementCount(shape) })
  try {
    for await (const entry of readEntries(files, output)) {
      const { value: values } = await rows.next()
      if (values === undefined || values === null) {
        throw new OutputError(
          'damaged',
          `${output} has no row for ${entry.path} that can be read, though it is finished. Add --restart to write it anew.`,
        )
      }
      yield { entry, values }
    }
  } finally {
    await rows.return(undefined)
  }
}

/** Reads of which files the rows of an output are, in their order. Throws `OutputError` `damaged`. */
export async function* readEntries(files: Files, output: string): AsyncGenerator<PartEntry> {
  const path = inputsPath(output)
  if ((await files.look(path)) === null) throw missingInputs(output)
  await using file = await files.open(path)
  for await (const line of readLines(file)) {
    const entry = parseJsonOrNull(line)
    if (!isEntry(entry)) throw missingInputs(output)
    yield entry
  }
}

/** Stands for a digest where some inputs failed: such an output is finished by no other run. */
export const INCOMPLETE = 'incomplete'

/** Digests an output's files while they are written, one after the other, as `digestOf` reads them later. */
export class OutputDigest {
  readonly #hash = sha256.create()
  readonly #encoder = new TextEncoder()

  async *of(chunks: Chunks): AsyncGenerator<Chunk> {
    for await (const chunk of chunks) {
      this.#hash.update(typeof chunk === 'string' ? this.#encoder.encode(chunk) : chunk)
      yield chunk
    }
  }

  hex(): string {
    return bytesToHex(this.#hash.digest())
  }
}

/** Says what was made of the inputs. */
export interface Made {
  /** Is a digest of the inputs, or `incomplete`. */
  readonly inputs: string
  /** Is that of the output's bytes. */
  readonly digest: string
  /** Counts the inputs that failed. */
  readonly failed: number
}

/** Says that an output is finished, of these inputs and rows. */
export async function writeMeta(
  plan: OutputPlan,
  model: string,
  { inputs, digest, failed }: Made,
  entries: Iterable<PartEntry> | AsyncIterable<PartEntry>,
): Promise<void> {
  const { files, output, format, columns, identity, shape, source } = plan
  const names = new NamesSum()
  const lines = async function* () {
    for await (const entry of entries) {
      names.add(hashName(entry.path))
      yield `${jsonText(entry)}\n`
    }
  }
  const list = new OutputDigest()
  await files.write(inputsPath(output), list.of(lines()))
  const found = await lookAtAll(files, output, format)
  const bytes = found.map(({ size }) => size)
  const mtimes = found.map(({ mtimeMs }) => mtimeMs)
  const { count: rows, sum } = names
  const meta = {
    ...{ model, format, columns, identity, rows, shape, inputs, failed, bytes, mtimes, digest },
    ...{ sum, listed: list.hex() },
    ...(source === null ? {} : { source }),
  }
  await files.write(metaPath(output), [`${JSON.stringify(meta, null, 1)}\n`])
}

/** From now on nothing is known of the output. */
export async function forgetMeta(files: Files, output: string): Promise<void> {
  await files.remove(metaPath(output))
  await files.remove(inputsPath(output))
}

export function metaPath(output: string): string {
  return `${output}.meta.json`
}

/** Names the list of what failed. */
export function failuresPath(output: string): string {
  return `${output}.errors.jsonl`
}

export function inputsPath(output: string): string {
  return `${output}.inputs.jsonl`
}

/** A file that cannot be read, or says nothing that is understood, promises nothing. */
export async function metaOrNull(files: Files, output: string): Promise<Meta | null> {
  const text = await files.readText(metaPath(output)).catch(() => null)
  const meta = text === null ? null : jsonObjectOrNull(text)
  if (meta === null || !isRecord(meta.identity) || typeof meta.inputs !== 'string') return null
  const { format, columns, identity, shape, rows, inputs, bytes, mtimes, digest } = meta
  if (!isOutputFormat(format) || !isNumbers(shape) || !isNumbers(bytes) || typeof rows !== 'number')
    return null
  const state = isNumbers(mtimes) && typeof digest === 'string' ? { mtimes, digest } : null
  return {
    ...{ format, columns: isColumns(columns) ? columns : null, identity, shape, rows, inputs, bytes, state },
    source: isNames(meta.source) ? { count: meta.source.count, sum: meta.source.sum } : null,
    sum: textOrNull(meta.sum),
    listed: textOrNull(meta.listed),
    failed: typeof meta.failed === 'number' ? meta.failed : null,
  }
}

/** Vectors that somebody has normalised in their file have as many bytes as before, and a copy has another time: only the bytes tell. */
export async function isAsFinished(files: Files, output: string, meta: Meta): Promise<boolean> {
  const { format, bytes, state } = meta
  const found = await lookAtAll(files, output, format)
  if (String(found.map(({ size }) => size)) !== String(bytes)) return false
  if (state === null || String(found.map(({ mtimeMs }) => mtimeMs)) === String(state.mtimes)) return true
  return (await digestOf(files, filesOf(output, format))) === state.digest
}

async function isEmpty(files: Files, path: string): Promise<boolean> {
  const found = await files.look(path)
  return found === null || found.size === 0
}

function filesOf(output: string, format: OutputFormat): readonly string[] {
  return format === 'npy' ? [namesPath(output), output] : [output]
}

const ABSENT = { size: -1, mtimeMs: -1 }

function lookAtAll(files: Files, output: string, format: OutputFormat) {
  return Promise.all(filesOf(output, format).map(async (path) => (await files.look(path)) ?? ABSENT))
}

/** Reads so many bytes at a time. */
const CHUNK = 2 ** 20

/** Digests files as `OutputDigest` does. */
export async function digestOf(files: Files, paths: readonly string[]): Promise<string> {
  const hash = sha256.create()
  const chunk = new Uint8Array(CHUNK)
  for (const path of paths) {
    await using file = await files.open(path)
    for (let at = 0; at < file.size; ) {
      const count = await file.read(chunk, at)
      if (count === 0) break
      hash.update(chunk.subarray(0, count))
      at += count
    }
  }
  return bytesToHex(hash.digest())
}

function isNames(value: PlainValue | undefined): value is Names & PlainRecord {
  return value !== undefined && hasFields(value, ['sum'], ['count'])
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number')
}

function isColumns(value: unknown): value is readonly Column[] {
  return Array.isArray(value) && value.every((each) => hasFields(each, ['name', 'holds'], []))
}

function isEntry(value: PlainValue): value is PartEntry & PlainRecord {
  return hasFields(value, ['path'], ['size', 'mtimeMs', 'height', 'width'])
}

function missingInputs(output: string): OutputError {
  return new OutputError(
    'damaged',
    `${inputsPath(output)} should say of which files the rows of ${output} are, and does not. Choose another output, or add --restart to ` +
      'write it anew.',
  )
}
