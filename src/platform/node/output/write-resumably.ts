/**
 * Images in, one output file out, and a kill at any moment costs at most the part under way: finished work lies in `<output>.parts/`, a rerun
 * adds what is missing, and the file is put together when all is done, in an order that does not depend on how often the work was interrupted.
 */
import { createHash } from 'node:crypto'
import { readFile, rm, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { EncodeAllOptions, Features } from '../../../encoder/types.js'
import { compareNames } from '../input/compare-names.js'
import { type InputFile, lookAt } from '../input/look-at.js'
import { type Failure, FailureList } from './failure-list.js'
import type { FileEncoder } from './file-encoder.js'
import { type OutputFormat, writeTable } from './output-format.js'
import { lockOutput } from './output-lock.js'
import { PartStore, removeParts } from './part-store.js'
import { sameWork, type WorkIdentity, workIdentity } from './work-identity.js'
import { writeWhole } from './write-whole.js'

export interface ResumableOptions {
  readonly output: string
  readonly format: OutputFormat
  /** As they shall stand in the output; relative ones are relative to `cwd`. No duplicates. */
  readonly paths: readonly string[]
  readonly cwd: string
  readonly encoder: FileEncoder
  /** Of the row that `valuesOf` gives. */
  readonly shape: readonly number[]
  /** What goes into the output of an image; throws where the image cannot have a row of that shape. */
  readonly valuesOf: (features: Features) => Float32Array
  /** Names what `valuesOf` gives, as a part of the work's identity: `embedding`. */
  readonly what: string
  /** Forget what earlier runs have done. */
  readonly restart?: boolean
  readonly encode?: Omit<EncodeAllOptions, 'signal' | 'order'>
  readonly listener?: ResumableListener
  readonly signal?: AbortSignal
}

export interface ResumableListener {
  /** An input is in the output, new or from an earlier run. */
  done?(path: string, earlier: boolean): void
  failed?(failure: Failure): void
  /** The numbers are there; the file is being put together. */
  assembling?(): void
}

export interface ResumableResult {
  /** Rows of the output. */
  readonly written: number
  /** Of them computed by this run. */
  readonly computed: number
  readonly failed: number
  /** Where what failed is listed; null where nothing did. */
  readonly failures: string | null
  /** Whether everything had been finished before and nothing was done. */
  readonly unchanged: boolean
}

/** What lies beside the output as `<output>.meta.json`. */
interface Meta {
  readonly format: OutputFormat
  readonly identity: WorkIdentity
  readonly rows: number
  readonly shape: readonly number[]
  /** Of the paths, sizes and times of the inputs: tells whether the output is still that of the same files. */
  readonly inputs: string
}

/** Throws `OutputError`; an abort throws the signal's reason after the part under way is safe. */
export async function writeResumably(options: ResumableOptions): Promise<ResumableResult> {
  await using _lock = await lockOutput(options.output)
  const identity = workIdentity(options.encoder.identity, options.what)
  const folder = partsFolder(options.output)
  if (options.restart) {
    await removeParts(folder)
    await rm(metaPath(options.output), { force: true })
  }
  if (await isFinished(options, identity)) {
    await removeParts(folder)
    return { written: options.paths.length, computed: 0, failed: 0, failures: null, unchanged: true }
  }
  await using store = await PartStore.open(folder, identity, options.shape)
  await using failures = await FailureList.open(folder)
  const run = new Run(options, store, failures)
  await run.compute()
  // Awaited here: the lock and the parts must last until it is done.
  return await run.assemble(identity)
}

export function partsFolder(output: string): string {
  return `${output}.parts`
}

export function metaPath(output: string): string {
  return `${output}.meta.json`
}

export function failuresPath(output: string): string {
  return `${output}.errors.jsonl`
}

class Run {
  readonly #options: ResumableOptions
  readonly #store: PartStore
  readonly #failures: FailureList
  readonly #underWay = new Map<number, InputFile>()
  readonly #failed = new Set<string>()
  readonly #digest = createHash('sha256')
  #computed = 0

  constructor(options: ResumableOptions, store: PartStore, failures: FailureList) {
    this.#options = options
    this.#store = store
    this.#failures = failures
  }

  async compute(): Promise<void> {
    const { encoder, encode, signal } = this.#options
    try {
      const results = encoder.encodeAll(this.#missing(), {
        ...encode,
        ...(signal === undefined ? {} : { signal }),
      })
      for await (const { index, features, error } of results) {
        const input = this.#underWay.get(index)
        this.#underWay.delete(index)
        if (input === undefined)
          throw new Error(`the encoder answered for image ${index}, which it was not given`)
        if (features === undefined) await this.#fail(input.path, error)
        else await this.#keep(input, features)
      }
      signal?.throwIfAborted()
      if (this.#underWay.size > 0)
        throw new Error(`the encoder left ${this.#underWay.size} images unanswered`)
    } finally {
      await this.#store.flush()
    }
  }

  async assemble(identity: WorkIdentity): Promise<ResumableResult> {
    const { output, format, listener, shape, paths } = this.#options
    listener?.assembling?.()
    // A path may have failed now and have a row from an earlier run, made from a file that is no more.
    const good = this.#failed.size === 0 ? [...paths] : paths.filter((path) => !this.#failed.has(path))
    if (format === 'csv') good.sort(compareNames)
    await writeTable(format, output, {
      rows: this.#rows(good),
      count: good.length,
      shape,
      metadata: identity,
    })
    const failed = this.#failed.size
    const meta: Meta = {
      format,
      identity,
      rows: good.length,
      shape,
      inputs: failed === 0 ? this.#digest.digest('hex') : 'incomplete',
    }
    await writeWhole(metaPath(output), (file) => file.write(`${JSON.stringify(meta, null, 1)}\n`))
    const failures = failuresPath(output)
    if (failed === 0) {
      await rm(failures, { force: true })
      // What is done may go once nothing is left to retry.
      await this.#store.remove()
    } else await this.#failures.publish(failures)
    return {
      written: good.length,
      computed: this.#computed,
      failed,
      failures: failed === 0 ? null : failures,
      unchanged: false,
    }
  }

  /** The inputs that still need computing, as the encoder wants them. Looks at each file just before it is its turn. */
  async *#missing(): AsyncGenerator<string> {
    const { paths, cwd, listener, signal } = this.#options
    let index = 0
    for (const path of paths) {
      signal?.throwIfAborted()
      const input = await lookAt(path, cwd)
      if (input instanceof Error) {
        await this.#fail(path, input)
        continue
      }
      this.#digest.update(digestLine(input))
      if (this.#store.has(input)) {
        listener?.done?.(path, true)
        continue
      }
      this.#underWay.set(index++, input)
      yield resolve(cwd, path)
    }
  }

  async #keep(input: InputFile, features: Features): Promise<void> {
    let values: Float32Array
    try {
      values = this.#options.valuesOf(features)
    } catch (error) {
      return this.#fail(input.path, error instanceof Error ? error : new Error(String(error)))
    }
    const [height, width] = features.imageSize
    await this.#store.add({ ...input, height, width }, values)
    this.#computed++
    this.#options.listener?.done?.(input.path, false)
  }

  async #fail(path: string, error: Error): Promise<void> {
    this.#failed.add(path)
    const failure = { path, reason: error.message }
    await this.#failures.add(failure)
    this.#options.listener?.failed?.(failure)
  }

  async *#rows(paths: readonly string[]) {
    for await (const row of this.#store.rows(paths)) {
      this.#options.signal?.throwIfAborted()
      yield row
    }
  }
}

function digestLine({ path, size, mtimeMs }: InputFile): string {
  return `${JSON.stringify([path, size, mtimeMs])}\n`
}

/** Whether an earlier run, with the same model on the same files, has left nothing to do. */
async function isFinished(options: ResumableOptions, identity: WorkIdentity): Promise<boolean> {
  const exists = (path: string) =>
    stat(path).then(
      () => true,
      () => false,
    )
  if (!(await exists(options.output)) || (await exists(partsFolder(options.output)))) return false
  const text = await readFile(metaPath(options.output), 'utf8').catch(() => null)
  if (text === null) return false
  const meta = JSON.parse(text) as Meta
  if (meta.format !== options.format || !sameWork(meta.identity, identity)) return false
  const digest = createHash('sha256')
  for (const path of options.paths) {
    const input = await lookAt(path, options.cwd)
    if (input instanceof Error) return false
    digest.update(digestLine(input))
  }
  return digest.digest('hex') === meta.inputs
}
