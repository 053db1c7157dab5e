/**
 * This is the one loop over inputs: it takes them, looks at each file just before its turn, and hands features or failures on. What cannot be
 * done fails by itself and is counted; only a sink that can keep nothing more, or an abort, ends the rest.
 */
import type { EncodeAllOptions, EncodeAllProgress, Features, StoppedFeatures } from '../encoder/types.js'
import type { PixelImage } from '../image/given-pixels.js'
import type { FileEncoder, FileSource, ManyEncoder } from './file-encoder.js'
import type { Failure, Files } from './files.js'
import { type InputFile, lookAt } from './look-at.js'
import { type Film, fileOfGiven, frameName, isFilm, timeOfFrame, type WorkInput } from './work-input.js'

/** Takes results, wherever they are to go. */
export interface Sink<Found extends StoppedFeatures = Features> {
  /** Tells whether an earlier run has done this input. It is asked once for each file that is there, in the order of the inputs. */
  has(input: InputFile): boolean | Promise<boolean>
  /**
   * Keeps what was found in an image. Resolves to the reason where this image cannot be kept; throws where no other could be kept either.
   */
  keep(input: InputFile, features: Found): Promise<Error | null>
  /** Takes down what could not be done. */
  fail?(failure: Failure): Promise<void>
  /** Names the frames of a film that earlier runs have done and that are still the same, from its first one on without a gap. */
  earlierFrames?(film: Film, file: InputFile): Promise<readonly string[]>
  /** Is told that a film has been read to its end: it has no frame that `has` was not asked for. */
  endFilm?(film: Film): void
}

/** Is told how far the work is. */
export interface WorkListener {
  /** Is told what the time goes by on, often. */
  encoding?(progress: EncodeAllProgress): void
  /** An input is in the output, new or from an earlier run. */
  done?(path: string, earlier: boolean): void
  failed?(failure: Failure): void
  /** The numbers are there; the file is being put together. */
  assembling?(): void
  /** It is being found out whether another process still writes this output. */
  waiting?(message: string): void
}

/** Says how the encoder is to go about it; the order is the loop's own business. */
export type EncodeChoices = Omit<EncodeAllOptions, 'signal' | 'order' | 'onProgress'>

export interface InputsOptions<Found extends StoppedFeatures = Features> {
  /** Relative paths start at the base of `files`; none may come twice. */
  readonly inputs: Iterable<WorkInput> | AsyncIterable<WorkInput>
  readonly files: Files
  readonly encoder: FileEncoder<Found>
  readonly encode?: EncodeChoices
  readonly listener?: WorkListener
  readonly signal?: AbortSignal
}

/** Of the encoder the loop itself needs no more. */
export type LoopOptions<Found extends StoppedFeatures = Features> = Omit<InputsOptions, 'encoder'> & {
  readonly encoder: ManyEncoder<Found>
}

export interface EncodeInputsOptions<Found extends StoppedFeatures = Features> extends InputsOptions<Found> {
  readonly sink: Sink<Found>
}

export interface WorkCounts {
  /** Counts what this run has done. */
  readonly computed: number
  /** Counts what an earlier run had done. */
  readonly earlier: number
  readonly failed: number
}

/** Throws what the sink and the list of inputs throw; an abort throws the signal's reason. */
export async function encodeInputs<Found extends StoppedFeatures>({
  sink,
  ...options
}: EncodeInputsOptions<Found>): Promise<WorkCounts> {
  const loop = new InputLoop(options, sink)
  for await (const { input, features } of loop.found()) {
    const problem = await sink.keep(input, features)
    if (problem === null) loop.done(input)
    else await loop.fail(input.path, problem)
  }
  return loop.finish()
}

/** Goes through the inputs, and counts. Whoever takes a result says what became of it. */
export class InputLoop<Found extends StoppedFeatures = Features> {
  readonly #options: LoopOptions<Found>
  readonly #sink: Omit<Sink<Found>, 'keep'>
  /** Holds the inputs that the encoder was given and has not answered for, by their index among all that it was given. */
  readonly #underWay = new Map<number, InputFile>()
  #given = 0
  #computed = 0
  #earlier = 0
  #failed = 0

  constructor(options: LoopOptions<Found>, sink: Omit<Sink<Found>, 'keep'>) {
    this.#options = options
    this.#sink = sink
  }

  /** Yields what was found in each image that could be read, in the order of the inputs. */
  async *found(): AsyncGenerator<{ readonly input: InputFile; readonly features: Found }> {
    const { encoder, encode, listener, signal } = this.#options
    const results = encoder.encodeAll(this.#sources(), {
      ...encode,
      onProgress: (progress) => listener?.encoding?.(progress),
      ...(signal === undefined ? {} : { signal }),
    })
    for await (const result of results) {
      const input = this.#answered(result.index)
      if (result.error !== undefined) await this.fail(input.path, result.error)
      else yield { input, features: result.features }
    }
    signal?.throwIfAborted()
  }

  done({ path }: InputFile): void {
    this.#computed++
    this.#options.listener?.done?.(path, false)
  }

  async fail(path: string, { message }: Error): Promise<void> {
    this.#failed++
    const failure = { path, reason: message }
    await this.#sink.fail?.(failure)
    this.#options.listener?.failed?.(failure)
  }

  finish(): WorkCounts {
    if (this.#underWay.size > 0) throw new Error(`the encoder left ${this.#underWay.size} images unanswered`)
    return { computed: this.#computed, earlier: this.#earlier, failed: this.#failed }
  }

  /** Yields the inputs that still need computing, as the encoder wants them. */
  async *#sources(): AsyncGenerator<FileSource> {
    const { inputs, files, signal } = this.#options
    for await (const input of inputs) {
      signal?.throwIfAborted()
      const file = await fileOf(input, files)
      if (file instanceof Error) await this.fail(typeof input === 'string' ? input : input.path, file)
      else if (isFilm(input)) yield* this.#framesOf(input, file)
      else if (await this.#isNew(file)) yield sourceOf(input, file, files)
    }
  }

  /**
   * A film that breaks fails by itself; its frames before are images like any others. What earlier runs have done of it without a gap is not decoded again,
   * but for the last frame, by which it is seen that the film was entered where they left off.
   */
  async *#framesOf(film: Film, file: InputFile): AsyncGenerator<FileSource> {
    const { signal } = this.#options
    const frameFile = (path: string, frame: number) => ({
      ...file,
      path,
      film: filmFile(film, file),
      frame,
    })
    try {
      const earlier = (await this.#sink.earlierFrames?.(film, file)) ?? []
      const last = earlier.at(-1)
      let number = 0
      for await (const { time, image } of film.frames(signal, last && timeOfFrame(last))) {
        const name = frameName(film, time)
        if (number === 0 && name === last)
          for (const path of earlier.slice(0, -1)) await this.#isNew(frameFile(path, number++))
        if (await this.#isNew(frameFile(name, number++))) yield once(image)
      }
      this.#sink.endFilm?.(film)
    } catch (error) {
      signal?.throwIfAborted()
      await this.fail(film.path, error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Notes it as under way, unless an earlier run has done it. */
  async #isNew(file: InputFile): Promise<boolean> {
    if (await this.#sink.has(file)) {
      this.#earlier++
      this.#options.listener?.done?.(file.path, true)
      return false
    }
    this.#underWay.set(this.#given++, file)
    return true
  }

  /** Takes the encoder at its word only where it was asked. */
  #answered(index: number): InputFile {
    const input = this.#underWay.get(index)
    if (input === undefined)
      throw new Error(`the encoder answered for image ${index}, which it was not given`)
    this.#underWay.delete(index)
    return input
  }
}

/** Stands for a film with what is taken of it, where a row for each frame would say too much. */
export function filmFile({ path, choice }: Film, file: InputFile): InputFile {
  return { ...file, path: `${path} (${choice})` }
}

/** The encoder keeps what it was given until it has answered for it: pixels would be many. */
function once(image: PixelImage): () => PixelImage {
  let kept: PixelImage | null = image
  return () => {
    const taken = kept
    kept = null
    if (taken === null) throw new Error('the encoder asked twice for the pixels of a frame')
    return taken
  }
}

function fileOf(input: WorkInput, files: Files): Promise<InputFile | Error> | InputFile | Error {
  if (typeof input === 'string') return lookAt(input, files)
  if (isFilm(input)) return lookAt(input.path, files)
  return 'reason' in input ? new Error(input.reason) : fileOfGiven(input)
}

function sourceOf(input: Exclude<WorkInput, Film>, { path }: InputFile, files: Files): string | Uint8Array {
  if (typeof input !== 'string' && 'bytes' in input) return input.bytes
  return typeof input !== 'string' && 'address' in input ? input.address : files.resolve(path)
}
