/**
 * Turns images into one output file, and a kill at any moment costs at most the part under way: finished work lies in `<output>.parts/`, a rerun
 * adds what is missing, and the file is put together when all is done, in an order that does not depend on how often the work was interrupted.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Features } from '../encoder/types.js'
import type { EmbeddingRow } from '../formats/embedding-table.js'
import { compareNames } from './compare-names.js'
import { type EncodeInputsOptions, encodeInputs, type Failure, type Sink } from './encode-inputs.js'
import { FailureList } from './failure-list.js'
import { isObject, jsonObjectOrNull } from './json-object.js'
import { type InputFile, lookAt } from './look-at.js'
import { asOutputError } from './output-error.js'
import { type OutputFormat, outputFiles } from './output-format.js'
import { type Clock, PartStore, removeParts } from './part-store.js'
import { sameWork, type WorkIdentity, workIdentity } from './work-identity.js'

export interface ResumableOptions extends Omit<EncodeInputsOptions, 'sink' | 'paths'> {
  readonly output: string
  readonly format: OutputFormat
  /** Stand in the output as they are here; relative ones start at the base of `files`, and none may come twice. */
  readonly paths: readonly string[]
  /** Is the shape of a row that `valuesOf` gives. */
  readonly shape: readonly number[]
  /** Gives what goes into the output of an image; throws where the image cannot have a row of that shape. */
  readonly valuesOf: (features: Features) => Float32Array
  /** Names what `valuesOf` gives, as a part of the work's identity: `embedding`. */
  readonly what: string
  /** Has what earlier runs have done forgotten. */
  readonly restart?: boolean
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

/** Lies beside the output as `<output>.meta.json`. */
interface Meta {
  readonly format: OutputFormat
  readonly identity: WorkIdentity
  readonly rows: number
  readonly shape: readonly number[]
  /** Is a digest of the paths, sizes and times of the inputs: it tells whether the output is still that of the same files. */
  readonly inputs: string
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
  const { files, output, shape, clock } = options
  await using _lock = await files.lock(output)
  const identity = workIdentity(options.encoder.identity, options.what)
  const folder = partsFolder(output)
  if (options.restart) {
    await removeParts(files, folder)
    await files.remove(metaPath(output))
  }
  if (await isFinished(options, identity)) {
    await removeParts(files, folder)
    return { written: options.paths.length, computed: 0, failed: 0, failures: null, unchanged: true }
  }
  await using store = await PartStore.open(files, folder, identity, shape, clock)
  await using failures = await FailureList.open(files, folder)
  const sink = new PartSink(options, store, failures)
  const { computed, failed } = await encodeInputs({ ...options, sink }).finally(() => store.flush())
  const written = await sink.assemble(identity)
  const list = failed === 0 ? null : failuresPath(output)
  return { written, computed, failed, failures: list, unchanged: false }
}

function partsFolder(output: string): string {
  return `${output}.parts`
}

function metaPath(output: string): string {
  return `${output}.meta.json`
}

function failuresPath(output: string): string {
  return `${output}.errors.jsonl`
}

/** Keeps rows in parts, and makes the output of them once all inputs have had their turn. */
class PartSink implements Sink {
  readonly #options: ResumableOptions
  readonly #store: PartStore
  readonly #failures: FailureList
  readonly #failed = new Set<string>()
  readonly #inputs = new InputsDigest()

  constructor(options: ResumableOptions, store: PartStore, failures: FailureList) {
    this.#options = options
    this.#store = store
    this.#failures = failures
  }

  has(input: InputFile): boolean {
    this.#inputs.add(input)
    return this.#store.has(input)
  }

  async keep(input: InputFile, features: Features): Promise<Error | null> {
    let values: Float32Array
    try {
      values = this.#options.valuesOf(features)
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
    const [height, width] = features.imageSize
    await this.#store.add({ ...input, height, width }, values)
    return null
  }

  async fail(failure: Failure): Promise<void> {
    this.#failed.add(failure.path)
    await this.#failures.add(failure)
  }

  /** Returns how many rows the output has. */
  async assemble(identity: WorkIdentity): Promise<number> {
    const { files, output, format, listener, shape } = this.#options
    listener?.assembling?.()
    const paths = this.#goodPaths()
    const table = { paths, rows: this.#rows(paths), shape, metadata: identity }
    for (const file of await outputFiles(format, output, table)) await files.write(file.path, file.chunks)
    const complete = this.#failed.size === 0
    const inputs = complete ? this.#inputs.hex() : 'incomplete'
    const meta: Meta = { format, identity, rows: paths.length, shape, inputs }
    await files.write(metaPath(output), [`${JSON.stringify(meta, null, 1)}\n`])
    if (complete) {
      await files.remove(failuresPath(output))
      // What is done may go once nothing is left to retry.
      await this.#store.remove()
    } else await this.#failures.publish(failuresPath(output))
    return paths.length
  }

  /** A path may have failed now and have a row from an earlier run, made from a file that is no more. */
  #goodPaths(): readonly string[] {
    const good = this.#options.paths.filter((path) => !this.#failed.has(path))
    return this.#options.format === 'csv' ? good.sort(compareNames) : good
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

  add({ path, size, mtimeMs }: InputFile): void {
    this.#hash.update(new TextEncoder().encode(`${JSON.stringify([path, size, mtimeMs])}\n`))
  }

  hex(): string {
    return bytesToHex(this.#hash.digest())
  }
}

/** Tells whether an earlier run, with the same model on the same files, has left nothing to do. */
async function isFinished(options: ResumableOptions, identity: WorkIdentity): Promise<boolean> {
  const { files, output, format, paths } = options
  if ((await files.look(output)) === null || (await files.look(partsFolder(output))) !== null) return false
  // A file that cannot be read, or says nothing that is understood, promises nothing.
  const text = await files.readText(metaPath(output)).catch(() => null)
  const meta = text === null ? null : jsonObjectOrNull(text)
  if (meta === null || meta.format !== format) return false
  if (!isObject(meta.identity) || !sameWork(meta.identity, identity)) return false
  const inputs = new InputsDigest()
  for (const path of paths) {
    const input = await lookAt(path, files)
    if (input instanceof Error) return false
    inputs.add(input)
  }
  return inputs.hex() === meta.inputs
}
