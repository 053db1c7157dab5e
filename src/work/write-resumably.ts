/**
 * Turns images into one output file, and a kill at any moment costs at most the part under way: finished work lies in `<output>.parts/`, a rerun
 * adds what is missing, and the file is put together when all is done, in an order that does not depend on how often the work was interrupted.
 * A finished output is added to in the same way, and never written over by other work.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { compareNames } from '../compare-names.js'
import type { Features } from '../encoder/types.js'
import type { Column, EmbeddingRow } from '../formats/embedding-table.js'
import { EarlierFrames } from './earlier-frames.js'
import { encodeInputs, filmFile, type InputsOptions, type Sink } from './encode-inputs.js'
import { FailureList } from './failure-list.js'
import type { Failure, OutputLock } from './files.js'
import {
  defaultColumns,
  FinishedOutput,
  failuresPath,
  forgetMeta,
  INCOMPLETE,
  OutputDigest,
  type OutputPlan,
  writeMeta,
} from './finished-output.js'
import { type InputFile, lookAt } from './look-at.js'
import { asOutputError, OutputError } from './output-error.js'
import { type OutputFormat, outputFiles } from './output-format.js'
import type { Clock } from './pace.js'
import type { PartEntry } from './part-file.js'
import { assertOwnParts, PartStore, removeParts } from './part-store.js'
import type { RowFormat } from './read-rows.js'
import { type ShardPick, shardText } from './shard.js'
import { workIdentity } from './work-identity.js'
import {
  type Film,
  fileOfGiven,
  filmOfNameOrNull,
  isFilm,
  nameOfInputOrNull,
  type WorkInput,
} from './work-input.js'

export interface ResumableOptions extends Omit<InputsOptions, 'inputs'> {
  readonly output: string
  readonly format: OutputFormat
  /** Chooses what each row has, in formats with named columns. */
  readonly columns?: readonly Column[]
  /** Stand in the output as they are here; relative ones start at the base of `files`, and none may come twice. */
  readonly inputs: readonly WorkInput[]
  /** Writes and reads rows that are no vectors, and have no columns to choose; default: they are. */
  readonly rowFormat?: RowFormat
  /** Is the shape of a row that `valuesOf` gives. */
  readonly shape: readonly number[]
  /** Gives what goes into the output of an image; throws where the image cannot have a row of that shape. */
  readonly valuesOf: (features: Features) => Float32Array
  /** Names what `valuesOf` gives, as a part of the work's identity: `embedding`. */
  readonly what: string
  /** Has what earlier runs have done forgotten. */
  readonly restart?: boolean
  /** Has rows left out whose images are not among the inputs; unless it is given, a finished output that has such rows is refused. */
  readonly prune?: boolean
  /** Is the shard that the inputs are of, by which the output is told apart from those of others. */
  readonly shard?: ShardPick
  readonly clock?: Clock
}

export interface ResumableResult {
  /** Counts the rows of the output. */
  readonly written: number
  /** Counts those that this run has computed. */
  readonly computed: number
  readonly failed: number
  /** Names the file that lists what failed; null where nothing did. */
  readonly failures: string | null
  /** Tells whether everything had been finished before and nothing was done. */
  readonly unchanged: boolean
}

/** Throws `OutputError`; an abort throws the signal's reason after the part under way is safe. */
export async function writeResumably(options: ResumableOptions): Promise<ResumableResult> {
  try {
    return await writeLocked(options)
  } catch (error) {
    throw asOutputError(error)
  }
}

async function writeLocked(options: ResumableOptions): Promise<ResumableResult> {
  const { files, output, format, shape, clock, signal, listener, inputs, shard } = options
  await using lock = await files.lock(output, {
    ...(signal === undefined ? {} : { signal }),
    onWait: (message) => listener?.waiting?.(message),
  })
  const folder = `${output}.parts`
  await assertOwnParts(files, folder)
  if (options.restart) {
    await removeParts(files, folder)
    await forgetMeta(files, output)
  }
  const made = workIdentity(options.encoder.identity, options.what)
  const identity = shard === undefined ? made : { ...made, shard: shardText(shard.shard) }
  const { rowFormat } = options
  const columns = rowFormat === undefined ? (options.columns ?? defaultColumns(format)) : null
  const source = shard?.source ?? null
  const plan: OutputPlan = { files, output, format, columns, identity, shape, rowFormat, source }
  const isUnderWay = options.restart === true || (await files.look(folder)) !== null
  const finished = await FinishedOutput.openOrNull(plan, isUnderWay)
  if (finished !== null) {
    if (finished.isOf(await digestOrNull(options))) {
      await removeParts(files, folder)
      // A kill right after the output was finished has left the list of an earlier run.
      await files.remove(failuresPath(output))
      return { written: finished.rows, computed: 0, failed: 0, failures: null, unchanged: true }
    }
    if (!options.prune) await finished.assertAmong(namesAmong(inputs))
  }
  await using store = await PartStore.open(files, folder, identity, shape, clock)
  if (!options.prune) assertSomeAmong(store, inputs)
  await using failures = await FailureList.open(files, folder)
  await finished?.copyTo(store, signal)
  const sink = new PartSink(options, store, failures, lock)
  const { computed, failed } = await encodeInputs({ ...options, sink }).finally(() => store.flush())
  await lock.assertHeld()
  const written = await sink.assemble(plan, failed)
  const list = failed === 0 ? null : failuresPath(output)
  return { written, computed, failed, failures: list, unchanged: false }
}

/** Of unfinished work some images may be gone by now; where all are others, it is other work. */
function assertSomeAmong(store: PartStore, inputs: readonly WorkInput[]): void {
  const isAmong = namesAmong(inputs)
  if (store.size === 0 || store.names().some(isAmong)) return
  throw new OutputError(
    'other-inputs',
    `${store.folder} holds unfinished work on ${store.size} images, none of which is among these inputs. Run it as before to finish it, choose ` +
      'another output, or add --restart to throw that work away.',
  )
}

/** Tells of the name of a row whether it can be one of these inputs; of a film's frames it is known only when they are read. */
function namesAmong(inputs: readonly WorkInput[]): (name: string) => boolean {
  const names = new Set(inputs.map(nameOfInputOrNull))
  const films = new Set(inputs.filter(isFilm).map(({ path }) => path))
  return (name) => {
    const film = filmOfNameOrNull(name)
    return names.has(name) || (film !== null && films.has(film))
  }
}

/** Keeps rows in parts, and makes the output of them once all inputs have had their turn. */
class PartSink implements Sink {
  readonly #options: ResumableOptions
  readonly #store: PartStore
  readonly #failures: FailureList
  readonly #lock: OutputLock
  readonly #inputs = new InputsDigest()
  /** Holds the names of the frames of each film that this run has come to. */
  readonly #frames = new Map<string, string[]>()
  #earlier: EarlierFrames | null = null
  readonly #ended = new Set<string>()

  constructor(options: ResumableOptions, store: PartStore, failures: FailureList, lock: OutputLock) {
    this.#options = options
    this.#store = store
    this.#failures = failures
    this.#lock = lock
  }

  has(input: InputFile): boolean {
    this.#inputs.add(input)
    const film = input.film === undefined ? null : filmOfNameOrNull(input.path)
    if (film !== null) {
      const names = this.#frames.get(film) ?? []
      names.push(input.path)
      this.#frames.set(film, names)
    }
    return this.#store.has(input)
  }

  earlierFrames({ path: film }: Film, file: InputFile): Promise<readonly string[]> {
    const store = this.#store
    this.#earlier ??= new EarlierFrames(store.names().map((name) => store.entry(name)))
    return this.#earlier.of(film, (path) => store.has({ ...file, path }))
  }

  endFilm({ path }: Film): void {
    this.#ended.add(path)
  }

  async keep(input: InputFile, features: Features): Promise<Error | null> {
    let values: Float32Array
    try {
      values = this.#options.valuesOf(features)
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
    await this.#lock.assertHeld()
    const [height, width] = features.imageSize
    await this.#store.add({ ...input, height, width }, values)
    return null
  }

  fail(failure: Failure): Promise<void> {
    return this.#failures.add(failure)
  }

  /** Returns how many rows the output has. */
  async assemble(plan: OutputPlan, failed: number): Promise<number> {
    const { files, output, format, shape } = plan
    const { listener, encoder } = this.#options
    listener?.assembling?.()
    const paths = this.#paths()
    const table = {
      count: paths.length,
      paths,
      rows: this.#rows(paths),
      shape,
      metadata: plan.identity,
      ...(plan.columns === null ? {} : { columns: plan.columns }),
    }
    const digest = new OutputDigest()
    const written =
      plan.rowFormat === undefined
        ? await outputFiles(format, output, table)
        : [{ path: output, chunks: plan.rowFormat.write(format, table) }]
    for (const { path, chunks } of written) await files.write(path, digest.of(chunks))
    const inputs = failed === 0 ? this.#inputs.hex() : INCOMPLETE
    const made = { inputs, digest: digest.hex(), failed }
    await writeMeta(plan, encoder.identity.model, made, this.#entries(paths))
    if (failed === 0) {
      await files.remove(failuresPath(output))
      // What is done may go once nothing is left to retry.
      await this.#store.remove()
    } else await this.#failures.publish(failuresPath(output))
    return paths.length
  }

  /** What has a row keeps it, also where its image could not be read this time: nothing that was finished is lost. */
  #paths(): readonly string[] {
    const names = this.#options.inputs.flatMap((input) =>
      isFilm(input) ? this.#framesOf(input) : (nameOfInputOrNull(input) ?? []),
    )
    const paths = names.filter((name) => this.#store.holds(name))
    return this.#options.format === 'csv' ? paths.sort(compareNames) : paths
  }

  /** A film that could be read to its end has the frames that were found now; of one that broke off, or is gone, those of earlier runs stay. */
  #framesOf({ path }: Film): readonly string[] {
    const found = this.#frames.get(path) ?? []
    if (this.#ended.has(path)) return found
    const earlier = this.#store.names().filter((name) => filmOfNameOrNull(name) === path)
    return [...new Set([...found, ...earlier])].sort(compareNames)
  }

  *#entries(paths: readonly string[]): Generator<PartEntry> {
    for (const path of paths) yield this.#store.entry(path)
  }

  async *#rows(paths: readonly string[]): AsyncGenerator<EmbeddingRow> {
    for await (const row of this.#store.rows(paths)) {
      this.#options.signal?.throwIfAborted()
      yield row
    }
  }
}

/** Tells whether the inputs, in their order, are still the same files. */
class InputsDigest {
  readonly #hash = sha256.create()
  #lastFilm: string | null = null

  /** A film stands for all of its frames. */
  add(input: InputFile): void {
    const { path, size, mtimeMs } = input.film ?? input
    if (input.film !== undefined && path === this.#lastFilm) return
    this.#lastFilm = input.film === undefined ? null : path
    this.#hash.update(new TextEncoder().encode(`${JSON.stringify([path, size, mtimeMs])}\n`))
  }

  hex(): string {
    return bytesToHex(this.#hash.digest())
  }
}

/** Gives null where an input cannot be read. */
async function digestOrNull({ inputs, files }: ResumableOptions): Promise<string | null> {
  const digest = new InputsDigest()
  for (const input of inputs) {
    const found = await fileOf(input, files)
    if (found === null) return null
    digest.add(found)
  }
  return digest.hex()
}

async function fileOf(input: WorkInput, files: ResumableOptions['files']): Promise<InputFile | null> {
  if (isFilm(input)) {
    const found = await lookAt(input.path, files)
    return found instanceof Error ? null : filmFile(input, found)
  }
  if (typeof input !== 'string') return 'reason' in input ? null : fileOfGiven(input)
  const found = await lookAt(input, files)
  return found instanceof Error ? null : found
}
