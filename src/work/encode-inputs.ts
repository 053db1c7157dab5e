/**
 * This is the one loop over inputs: it takes paths, looks at each file just before its turn, and hands features or failures to a sink. What
 * cannot be done fails by itself and is counted; only a sink that can keep nothing more, or an abort, ends the rest.
 */
import type { EncodeAllOptions, Features } from '../encoder/types.js'
import type { FileEncoder } from './file-encoder.js'
import type { Files } from './files.js'
import { type InputFile, lookAt } from './look-at.js'

/** Takes results, wherever they are to go. */
export interface Sink {
  /** Tells whether an earlier run has done this input. It is asked once for each file that is there, in the order of the paths. */
  has(input: InputFile): boolean | Promise<boolean>
  /**
   * Keeps what was found in an image. Resolves to the reason where this image cannot be kept; throws where no other could be kept either.
   */
  keep(input: InputFile, features: Features): Promise<Error | null>
  /** Takes down what could not be done. */
  fail?(failure: Failure): Promise<void>
}

export interface Failure {
  readonly path: string
  readonly reason: string
}

/** Is told how far the work is. */
export interface WorkListener {
  /** An input is in the output, new or from an earlier run. */
  done?(path: string, earlier: boolean): void
  failed?(failure: Failure): void
  /** The numbers are there; the file is being put together. */
  assembling?(): void
}

/** Says how the encoder is to go about it; the order is the loop's own business. */
export type EncodeChoices = Omit<EncodeAllOptions, 'signal' | 'order'>

export interface EncodeInputsOptions {
  /** Relative ones start at the base of `files`; none may come twice. */
  readonly paths: Iterable<string> | AsyncIterable<string>
  readonly files: Files
  readonly encoder: FileEncoder
  readonly sink: Sink
  readonly encode?: EncodeChoices
  readonly listener?: WorkListener
  readonly signal?: AbortSignal
}

export interface WorkCounts {
  /** Counts what this run has done. */
  readonly computed: number
  /** Counts what an earlier run had done. */
  readonly earlier: number
  readonly failed: number
}

/** Throws what the sink and the list of paths throw; an abort throws the signal's reason. */
export async function encodeInputs(options: EncodeInputsOptions): Promise<WorkCounts> {
  const { encoder, encode, signal } = options
  const loop = new Loop(options)
  const results = encoder.encodeAll(loop.sources(), {
    ...encode,
    ...(signal === undefined ? {} : { signal }),
  })
  for await (const { index, features, error } of results) {
    const input = loop.answered(index)
    if (features === undefined) await loop.fail(input.path, error)
    else await loop.keep(input, features)
  }
  signal?.throwIfAborted()
  return loop.finish()
}

class Loop {
  readonly #options: EncodeInputsOptions
  /** Holds the inputs that the encoder was given and has not answered for, by their index among all that it was given. */
  readonly #underWay = new Map<number, InputFile>()
  #given = 0
  #computed = 0
  #earlier = 0
  #failed = 0

  constructor(options: EncodeInputsOptions) {
    this.#options = options
  }

  /** Yields the inputs that still need computing, as the encoder wants them. */
  async *sources(): AsyncGenerator<string> {
    const { paths, files, sink, listener, signal } = this.#options
    for await (const path of paths) {
      signal?.throwIfAborted()
      const input = await lookAt(path, files)
      if (input instanceof Error) await this.fail(path, input)
      else if (await sink.has(input)) {
        this.#earlier++
        listener?.done?.(path, true)
      } else {
        this.#underWay.set(this.#given++, input)
        yield files.resolve(path)
      }
    }
  }

  /** Takes the encoder at its word only where it was asked. */
  answered(index: number): InputFile {
    const input = this.#underWay.get(index)
    if (input === undefined)
      throw new Error(`the encoder answered for image ${index}, which it was not given`)
    this.#underWay.delete(index)
    return input
  }

  async keep(input: InputFile, features: Features): Promise<void> {
    const problem = await this.#options.sink.keep(input, features)
    if (problem !== null) return this.fail(input.path, problem)
    this.#computed++
    this.#options.listener?.done?.(input.path, false)
  }

  async fail(path: string, error: Error): Promise<void> {
    this.#failed++
    const failure = { path, reason: error.message }
    await this.#options.sink.fail?.(failure)
    this.#options.listener?.failed?.(failure)
  }

  finish(): WorkCounts {
    if (this.#underWay.size > 0) throw new Error(`the encoder left ${this.#underWay.size} images unanswered`)
    return { computed: this.#computed, earlier: this.#earlier, failed: this.#failed }
  }
}
