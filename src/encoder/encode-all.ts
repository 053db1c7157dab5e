/**
 * Many images through one encoder: decoding overlaps with computing, images of one shape share a run of the engine, and no more
 * than a window of images is ever between the source and the reader, so memory stays bounded however long the list is.
 */
import type { EncodeAllOptions, EncodeResult, Features } from './types.js'

/** What the pipeline needs of an encoder. */
export interface Stages<Source, Prepared extends Waiting> {
  /** Images per run for this shape. */
  batchSize(prepared: Prepared): number
  prepare(source: Source, signal: AbortSignal): Promise<Prepared>
  /** Never mixes shapes; one result per image. */
  compute(batch: readonly Prepared[], signal: AbortSignal): Promise<readonly Features[]>
  /** Of what was prepared and is not going to be computed. */
  discard?(prepared: Prepared): void
}

export interface Waiting {
  /** Images with equal keys can share a run. */
  readonly shape: string
  readonly byteLength: number
}

/** Decoders at work at a time: enough to keep ahead of the engine, few enough to leave it the cores. */
const DECODERS = 2
/** Runs handed to the engine at a time: one that it computes, and one that it finds when it is done. */
const RUNS = 2
/** Batches that may be under way: those handed over, one being gathered, results waiting for an older image. */
const WINDOW_BATCHES = RUNS + 2
const DEFAULT_MAX_BYTES = 512 * 2 ** 20

export async function* encodeAll<Source, Prepared extends Waiting>(
  sources: Iterable<Source> | AsyncIterable<Source>,
  stages: Stages<Source, Prepared>,
  options: EncodeAllOptions,
): AsyncGenerator<EncodeResult<Source>, void, undefined> {
  const pipeline = new Pipeline(sources, stages, options)
  try {
    while (true) {
      options.signal?.throwIfAborted()
      const result = pipeline.nextResultOrNull()
      if (result !== null) yield result
      else if (pipeline.isFinished()) return
      else await pipeline.advance()
    }
  } finally {
    await pipeline.stop()
  }
}

interface Item<Source, Prepared> {
  readonly index: number
  readonly source: Source
  readonly prepared: Prepared
}

class Pipeline<Source, Prepared extends Waiting> {
  readonly #stages: Stages<Source, Prepared>
  readonly #options: EncodeAllOptions
  readonly #iterator: Iterator<Source> | AsyncIterator<Source>
  readonly #abort = new AbortController()
  readonly #aborted: Promise<void>
  readonly #stopWatching: () => void
  /** A list in memory answers at once; a stream may keep the engine waiting. */
  readonly #mayBeSlow: boolean
  readonly #groups = new Map<string, Item<Source, Prepared>[]>()
  readonly #results = new Map<number, EncodeResult<Source>>()
  readonly #decoding = new Set<Promise<void>>()
  #pulling: Promise<void> | null = null
  readonly #running = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | null = null
  #exhausted = false
  #pulled = 0
  #yielded = 0
  #window: number
  #waitingBytes = 0

  constructor(
    sources: Iterable<Source> | AsyncIterable<Source>,
    stages: Stages<Source, Prepared>,
    options: EncodeAllOptions,
  ) {
    this.#stages = stages
    this.#options = options
    this.#mayBeSlow = Symbol.asyncIterator in sources
    this.#iterator =
      Symbol.asyncIterator in sources ? sources[Symbol.asyncIterator]() : sources[Symbol.iterator]()
    this.#aborted = aborted(this.#abort.signal)
    this.#window = WINDOW_BATCHES * (options.batch ?? 1) + DECODERS
    const forward = () => this.#abort.abort(options.signal?.reason)
    options.signal?.addEventListener('abort', forward, { once: true })
    this.#stopWatching = () => options.signal?.removeEventListener('abort', forward)
  }

  nextResultOrNull(): EncodeResult<Source> | null {
    if (this.#failure !== null) throw this.#failure.error
    const key = this.#options.order === 'ready' ? [...this.#results.keys()][0] : this.#yielded
    const result = key === undefined ? undefined : this.#results.get(key)
    if (result === undefined) return null
    this.#results.delete(result.index)
    this.#yielded++
    return result
  }

  isFinished(): boolean {
    return this.#exhausted && this.#yielded === this.#pulled && this.#pulling === null
  }

  /** Starts whatever can be started, then waits until something has happened. */
  async advance(): Promise<void> {
    this.#pull()
    if (this.#running.size < RUNS) this.#run()
    const events = [...this.#decoding, this.#pulling, ...this.#running].filter((event) => event !== null)
    await Promise.race([...events, this.#aborted])
  }

  async stop(): Promise<void> {
    this.#stopWatching()
    this.#abort.abort(new Error('the reader of encodeAll stopped'))
    // A source that hangs must not keep the reader from leaving; what computes is let finish.
    await Promise.allSettled([...this.#decoding, ...this.#running])
    for (const { prepared } of [...this.#groups.values()].flat()) this.#stages.discard?.(prepared)
    if (!this.#exhausted) await this.#iterator.return?.()
  }

  #hasRoom(): boolean {
    const underWay = this.#pulled - this.#yielded
    const bytes = this.#options.maxBytes ?? DEFAULT_MAX_BYTES
    return (
      underWay < this.#window &&
      (underWay === 0 || this.#waitingBytes < bytes) &&
      this.#decoding.size < DECODERS
    )
  }

  #pull(): void {
    if (this.#exhausted || this.#pulling !== null || !this.#hasRoom()) return
    this.#pulling = this.#pullOne().finally(() => {
      this.#pulling = null
    })
  }

  async #pullOne(): Promise<void> {
    try {
      const next = await this.#iterator.next()
      if (next.done === true) this.#exhausted = true
      else this.#decode(this.#pulled++, next.value)
    } catch (error) {
      // The list itself broke: that is no image's fault.
      this.#exhausted = true
      this.#failure = { error }
    }
  }

  #decode(index: number, source: Source): void {
    const decoding = this.#decodeOne(index, source).finally(() => this.#decoding.delete(decoding))
    this.#decoding.add(decoding)
  }

  async #decodeOne(index: number, source: Source): Promise<void> {
    try {
      const prepared = await this.#stages.prepare(source, this.#abort.signal)
      this.#waitingBytes += prepared.byteLength
      if (this.#options.batch === undefined) {
        this.#window = Math.max(this.#window, WINDOW_BATCHES * this.#stages.batchSize(prepared) + DECODERS)
      }
      const group = this.#groups.get(prepared.shape) ?? []
      group.push({ index, source, prepared })
      this.#groups.set(prepared.shape, group)
    } catch (error) {
      this.#results.set(index, { index, source, error: asError(error) })
    }
  }

  #run(): void {
    const batch = this.#takeBatchOrNull()
    if (batch === null) return
    const running = this.#runOne(batch).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #runOne(batch: readonly Item<Source, Prepared>[]): Promise<void> {
    for (const { prepared } of batch) this.#waitingBytes -= prepared.byteLength
    try {
      const features = await this.#stages.compute(
        batch.map(({ prepared }) => prepared),
        this.#abort.signal,
      )
      batch.forEach(({ index, source }, i) => {
        this.#results.set(index, { index, source, features: features[i] })
      })
    } catch (error) {
      for (const { index, source } of batch)
        this.#results.set(index, { index, source, error: asError(error) })
    }
  }

  /** A full batch, the oldest first; where nothing more can come before a run and none is under way, the batch with the oldest image as it is. */
  #takeBatchOrNull(): readonly Item<Source, Prepared>[] | null {
    const groups = [...this.#groups.values()].sort((a, b) => oldest(a) - oldest(b))
    const full = groups.find((group) => group.length >= this.#sizeFor(group))
    const stuck =
      this.#running.size === 0 &&
      this.#decoding.size === 0 &&
      (this.#exhausted || !this.#hasRoom() || (this.#pulling !== null && this.#mayBeSlow))
    const chosen = full ?? (stuck ? groups[0] : undefined)
    if (chosen === undefined) return null
    chosen.sort((a, b) => a.index - b.index)
    const batch = chosen.splice(0, this.#sizeFor(chosen))
    if (chosen.length === 0) this.#groups.delete(batch[0].prepared.shape)
    return batch
  }

  #sizeFor(group: readonly Item<Source, Prepared>[]): number {
    return this.#options.batch ?? this.#stages.batchSize(group[0].prepared)
  }
}

function oldest(group: readonly { readonly index: number }[]): number {
  return Math.min(...group.map(({ index }) => index))
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

/** Settles when the signal aborts, so that a race with it ends. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', resolve, { once: true })
  })
}
