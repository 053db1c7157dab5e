/**
 * Answers each line of JSON with one line, in their order and as soon as all before it are answered: what a program does in Spark's `pipe()`, in Ray, or behind
 * `parallel --pipe`. Of a stream without end there is no more in memory than a window.
 */
import type { Chunk } from '../formats/chunk.js'
import type { Column } from '../formats/embedding-table.js'
import { jsonRow } from '../formats/json-lines.js'
import { jsonText } from '../formats/json-text.js'
import type { EncodeChoices, WorkListener } from './encode-inputs.js'
import type { FileEncoder, FileSource } from './file-encoder.js'
import type { Files } from './files.js'
import { ERROR_KEY, isProblem, type LineProblem, type LineRow, problemOf, readLineRow } from './line-row.js'
import { readByteLines } from './read-byte-lines.js'
import type { ListStream } from './read-stdin.js'
import { workIdentity } from './work-identity.js'

/** Are what each line has besides what it carries, unless others are chosen. */
const LINE_COLUMNS: readonly Column[] = [
  { name: 'embedding', holds: 'embedding' },
  { name: 'identity', holds: 'identity' },
]

export interface AnswerLinesOptions {
  readonly stream: ListStream
  readonly files: Files
  readonly encoder: FileEncoder
  readonly columns?: readonly Column[]
  /** Resolves when the reader is ready for more. */
  readonly write: (chunk: Chunk) => Promise<void>
  readonly encode?: EncodeChoices
  readonly listener?: WorkListener
  readonly signal?: AbortSignal
}

export interface AnsweredLines {
  readonly computed: number
  readonly failed: number
}

/** Bounds a line, and so the image that it may hold. */
const MOST_BYTES = 2 ** 27
/** So many answers may wait for the one before them. */
const MOST_WAITING = 1000

/** Throws what `write` throws; an abort throws the signal's reason, and lines that were answered are whole. */
export async function answerLines(options: AnswerLinesOptions): Promise<AnsweredLines> {
  const { stream, encoder, encode, listener, signal } = options
  const stop = () => void stream.destroy()
  signal?.addEventListener('abort', stop, { once: true })
  const answers = new Answers(options)
  try {
    const results = encoder.encodeAll(sources(options, answers), {
      ...encode,
      onProgress: (progress) => listener?.encoding?.(progress),
      ...(signal === undefined ? {} : { signal }),
    })
    for await (const { index, features, error } of results) {
      if (error !== undefined) answers.fail(index, problemOf(error))
      else answers.found(index, features.imageSize, features.embedding)
      await answers.write()
    }
    signal?.throwIfAborted()
    await answers.write()
    return answers.counts
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/** Yields the images of lines; those without one are answered on the way. */
async function* sources(
  { stream, files, signal, columns = LINE_COLUMNS }: AnswerLinesOptions,
  answers: Answers,
): AsyncGenerator<FileSource> {
  let number = 0
  for await (const line of readByteLines(stream, MOST_BYTES)) {
    signal?.throwIfAborted()
    const row = await readLineRow(line, ++number, columns, files)
    await answers.add(row)
    if (!isProblem(row.image)) yield row.image
  }
}

interface Answer {
  readonly row: Pick<LineRow, 'name' | 'carried'>
  text: string | null
}

/** Holds what is not answered yet, or waits for a line before it. */
class Answers {
  readonly #options: AnswerLinesOptions
  readonly #members: ReturnType<typeof jsonRow>
  readonly #waiting: Answer[] = []
  /** Are those that the encoder has, by its number for them. */
  readonly #given = new Map<number, Answer>()
  #nextGiven = 0
  #writing: Promise<void> = Promise.resolve()
  /** Wakes up whoever waits for room. */
  #wake: () => void = () => {}
  #computed = 0
  #failed = 0

  constructor(options: AnswerLinesOptions) {
    const { encoder, columns = LINE_COLUMNS } = options
    this.#options = options
    this.#members = jsonRow(columns, workIdentity(encoder.identity, 'embedding'))
  }

  get counts(): AnsweredLines {
    return { computed: this.#computed, failed: this.#failed }
  }

  /** Takes a line in its turn; resolves when there is room for the next. */
  async add({ name, carried, image }: LineRow): Promise<void> {
    const answer: Answer = { row: { name, carried }, text: null }
    this.#waiting.push(answer)
    if (isProblem(image)) this.#fail(answer, image)
    else this.#given.set(this.#nextGiven++, answer)
    if (this.#waiting[0]?.text !== null) await this.write()
    while (this.#waiting.length >= MOST_WAITING)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
  }

  found(index: number, [height, width]: readonly [number, number], values: Float32Array): void {
    const answer = this.#answered(index)
    const { name, carried } = answer.row
    answer.text = lineOf(carried, this.#members({ path: name, height, width, values }))
    this.#computed++
    this.#options.listener?.done?.(name, false)
  }

  fail(index: number, problem: LineProblem): void {
    this.#fail(this.#answered(index), problem)
  }

  /** Writes what is next and answered; calls may overlap. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeReady())
    return this.#writing
  }

  async #writeReady(): Promise<void> {
    for (;;) {
      const text = this.#waiting[0]?.text
      if (text === undefined || text === null) return
      this.#waiting.shift()
      this.#wake()
      await this.#options.write(text)
    }
  }

  #fail(answer: Answer, { code, reason }: LineProblem): void {
    const { name, carried } = answer.row
    answer.text = lineOf(carried, `"${ERROR_KEY}":${jsonText({ code, reason })}`)
    this.#failed++
    this.#options.listener?.failed?.({ path: name, reason })
  }

  #answered(index: number): Answer {
    const answer = this.#given.get(index)
    if (answer === undefined)
      throw new Error(`the encoder answered for image ${index}, which it was not given`)
    this.#given.delete(index)
    return answer
  }
}

function lineOf(carried: string, members: string): string {
  return `{${carried}${carried === '' ? '' : ','}${members}}\n`
}
