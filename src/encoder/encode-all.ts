/**
 * Encodes many images through one encoder: decoding overlaps with computing, images of one shape share a run of the engine, and no more than a
 * window of images is ever between the source and the reader, so memory stays bounded however long the list is.
 */
import { linkedSignal } from './linked-signal.js'
import type { EncodeAllOptions, EncodeResult, Features, StoppedFeatures } from './types.js'

/** Does what the pipeline needs of an encoder. */
export interface Stages<Source, Prepared extends Waiting, Found extends StoppedFeatures = Features> {
  /** Counts the images of a run of this shape. */
  batchSize(prepared: Prepared): number
  /** Counts the images that can be prepared at a time; default 2. */
  readonly decoders?: number | undefined
  /** Tells that preparing awaits what `onRead` returns before it decodes; files are then read while all decoders are at work. Default `false`. */
  readonly readsAhead?: boolean
  /** @param onRead called when the image's bytes are there; gives a promise where no decoder is free yet */
  prepare(source: Source, signal: AbortSignal, onRead: () => Promise<void> | undefined): Promise<Prepared>
  /** Gets one shape only, and gives one result for each image. */
  compute(batch: readonly Prepared[], signal: AbortSignal): Promise<readonly Found[]>
  /** Takes back what was prepared and is not going to be computed. */
  discard?(prepared: Prepared): void
}

export interface Waiting {
  /** Images with equal keys can share a run. */
  readonly shape: string
  readonly byteLength: number
}

/** So many decoders are at work while the engine has enough to do: they keep ahead of it and leave it the cores. While it waits, all are. */
const DECODERS = 2
/** So many files are read, or have been read and wait for a decoder, beyond those that are decoded: a slow disk then answers while others are at work. */
const FILES_AHEAD = 4
/** So many runs are handed to the engine at a time: one that it computes, and one that it finds when it is done. */
const RUNS = 2
/** So many batches may be under way: those handed over, one being gathered, and results that wait for an older image. */
const WINDOW_BATCHES = RUNS + 2
const DEFAULT_MAX_BYTES = 512 * 2 ** 20

export async function* encodeAll<Source, Prepared extends Waiting, Found extends StoppedFeatures = Features>(
  sources: Iterable<Source> | AsyncIterable<Source>,
  stages: Stages<Source, Prepared, Found>,
  options: EncodeAllOptions<Source>,
): AsyncGenerator<EncodeResult<Source, Found>, void, undefined> {
  assertMany(sources)
  const pipeline = new Pipeline(sources, stages, options)
  try {
    while (true) {
      options.signal?.throwIfAborted()
      pipeline.report()
      const result = pipeline.nextResultOrNull()
      if (result !== null) yield result
      else if (pipeline.isFinished()) return
      else await pipeline.advance()
    }
  } finally {
    await pipeline.stop()
  }
}

/** A text has letters and a file has bytes to go through, and each of them would fail as an image of its own. */
function assertMany(sources: unknown): void {
  const isObject = typeof sources === 'object' && sources !== null
  const isBytes = ArrayBuffer.isView(sources)
  if (isObject && !isBytes && (Symbol.iterator in sources || Symbol.asyncIterator in sources)) return
  const found = isBytes ? 'the bytes of one' : isObject ? 'an object that is no list' : `a ${typeof sources}`
  throw new TypeError(
    `encodeAll takes many images, as an array, a generator or another iterable; got ${found}. For one image there is encode.`,
  )
}

interface Image<Source> {
  readonly index: number
  readonly source: Source
  /** Belongs to this image alone; undefined where it has none. */
  readonly signal: AbortSignal | undefined
}

interface Item<Source, Prepared> extends Image<Source> {
  readonly prepared: Prepared
}

/** Sums up what the engine did or waited for, moment by moment. */
class Stopwatch {
  readonly seconds = { computing: 0, decoding: 0, reading: 0 }
  #since = performance.now()

  /** Adds the time since the last call to what has been going on since then; null is for what is no part of the work. */
  add(activity: keyof Stopwatch['seconds'] | null): void {
    const now = performance.now()
    if (activity !== null) this.seconds[activity] += (now - this.#since) / 1000
    this.#since = now
  }
}

class Pipeline<Source, Prepared extends Waiting, Found extends StoppedFeatures = Features> {
  readonly #stages: Stages<Source, Prepared, Found>
  readonly #options: EncodeAllOptions<Source>
  readonly #iterator: Iterator<Source> | AsyncIterator<Source>
  readonly #abort = new AbortController()
  readonly #stopWatching: () => void
  /** A list in memory answers at once; a stream may keep the engine waiting. */
  readonly #mayBeSlow: boolean
  readonly #groups = new Map<string, Item<Source, Prepared>[]>()
  readonly #results = new Map<number, EncodeResult<Source, Found>>()
  readonly #decoding = new Set<Promise<void>>()
  readonly #running = new Set<Promise<void>>()
  readonly #counts = { pulled: 0, prepared: 0, done: 0, failed: 0 }
  readonly #watch = new Stopwatch()
  readonly #decoders: number
  readonly #filesAhead: number
  #reported = { ...this.#counts }
  /** Counts the images whose bytes are on their way. */
  #reading = 0
  /** Begin decoding, the oldest first, for images whose bytes are there. */
  readonly #read = new Set<() => void>()
  /** Something has happened since `advance` last looked. */
  #hasNews = false
  /** Wakes `advance` up. It makes a promise for each wait: what raced against one that lasts as long as the run would stay with it. */
  #wake: () => void = () => {}
  #isPulling = false
  #failure: { readonly error: unknown } | null = null
  #exhausted = false
  #yielded = 0
  #window: number
  #waitingBytes = 0

  constructor(
    sources: Iterable<Source> | AsyncIterable<Source>,
    stages: Stages<Source, Prepared, Found>,
    options: EncodeAllOptions<Source>,
  ) {
    this.#stages = stages
    this.#options = options
    this.#decoders = Math.max(stages.decoders ?? DECODERS, DECODERS)
    this.#filesAhead = stages.readsAhead === true ? FILES_AHEAD : 0
    this.#mayBeSlow = Symbol.asyncIterator in sources
    this.#iterator =
      Symbol.asyncIterator in sources ? sources[Symbol.asyncIterator]() : sources[Symbol.iterator]()
    this.#window = this.#windowFor(options.batch ?? 1)
    const forward = () => {
      this.#abort.abort(options.signal?.reason)
      this.#happened()
    }
    options.signal?.addEventListener('abort', forward, { once: true })
    this.#stopWatching = () => options.signal?.removeEventListener('abort', forward)
  }

  nextResultOrNull(): EncodeResult<Source, Found> | null {
    if (this.#failure !== null) throw this.#failure.error
    const key = this.#options.order === 'ready' ? this.#results.keys().next().value : this.#yielded
    const result = key === undefined ? undefined : this.#results.get(key)
    if (result === undefined) return null
    this.#results.delete(result.index)
    this.#yielded++
    return result
  }

  isFinished(): boolean {
    return this.#exhausted && this.#yielded === this.#counts.pulled && !this.#isPulling
  }

  /** Tells the listener the counts, where one has changed. */
  report(): void {
    const { onProgress } = this.#options
    const [now, before] = [this.#counts, this.#reported]
    const isSame = now.pulled === before.pulled && now.prepared === before.prepared
    if (onProgress === undefined || (isSame && now.done + now.failed === before.done + before.failed)) return
    this.#reported = { ...now }
    onProgress({ ...now, seconds: { ...this.#watch.seconds } })
  }

  /** Is called before what is under way changes. */
  #note(): void {
    const isReading = this.#isPulling || this.#reading > 0
    const waiting = this.#decoding.size > this.#reading ? 'decoding' : isReading ? 'reading' : null
    this.#watch.add(this.#running.size > 0 ? 'computing' : waiting)
  }

  /** Starts whatever can be started, then waits until something has happened. */
  async advance(): Promise<void> {
    if (!this.#exhausted && !this.#isPulling && this.#hasRoom()) void this.#pull()
    const batch = this.#running.size < RUNS ? this.#takeBatch() : []
    if (batch.length > 0) this.#track(this.#running, this.#compute(batch))
    if (!this.#hasNews) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#hasNews = false
  }

  async stop(): Promise<void> {
    this.#stopWatching()
    this.#abort.abort(new Error('the reader of encodeAll stopped'))
    // They find that they are not wanted any more.
    for (const begin of this.#read) begin()
    // A source that hangs must not keep the reader from leaving; what computes is let finish.
    await Promise.allSettled([...this.#decoding, ...this.#running])
    for (const { prepared } of [...this.#groups.values()].flat()) this.#stages.discard?.(prepared)
    if (!this.#exhausted) await this.#iterator.return?.()
  }

  #happened(): void {
    this.#hasNews = true
    this.#admit()
    this.#wake()
  }

  #hasRoom(): boolean {
    const underWay = this.#counts.pulled - this.#yielded
    const bytes = this.#options.maxBytes ?? DEFAULT_MAX_BYTES
    return (
      underWay < this.#window &&
      (underWay === 0 || this.#waitingBytes < bytes) &&
      this.#decoding.size < this.#decodersWanted + this.#filesAhead
    )
  }

  #windowFor(batch: number): number {
    return WINDOW_BATCHES * batch + this.#decoders + this.#filesAhead
  }

  get #decodersWanted(): number {
    return this.#running.size < RUNS ? this.#decoders : DECODERS
  }

  /** Lets those that have been read be decoded, as far as decoders are free. */
  #admit(): void {
    for (const begin of this.#read) {
      if (this.#decoding.size - this.#reading - this.#read.size >= this.#decodersWanted) return
      this.#read.delete(begin)
      begin()
    }
  }

  async #pull(): Promise<void> {
    this.#note()
    this.#isPulling = true
    try {
      const next = await this.#iterator.next()
      this.#note()
      if (next.done === true) this.#exhausted = true
      else {
        const index = this.#counts.pulled++
        const signal = this.#options.signalOf?.(next.value, index)
        this.#track(this.#decoding, this.#prepare({ index, source: next.value, signal }))
      }
    } catch (error) {
      // The list itself broke: that is no image's fault.
      this.#exhausted = true
      this.#failure = { error }
    }
    this.#isPulling = false
    this.#happened()
  }

  async #prepare(image: Image<Source>): Promise<void> {
    let isRead = false
    let begin = () => {}
    const onRead = () => {
      if (isRead) return undefined
      this.#note()
      isRead = true
      this.#reading--
      // This one is among those that are decoded until it waits.
      if (this.#decoding.size - this.#reading - this.#read.size <= this.#decodersWanted) return undefined
      this.#happened()
      return new Promise<void>((resolve) => {
        begin = resolve
        this.#read.add(begin)
      })
    }
    this.#reading++
    try {
      image.signal?.throwIfAborted()
      using linked = linkedSignal(this.#abort.signal, [image.signal])
      const prepared = await this.#stages.prepare(image.source, linked.signal, onRead)
      this.#counts.prepared++
      this.#waitingBytes += prepared.byteLength
      if (this.#options.batch === undefined) {
        this.#window = Math.max(this.#window, this.#windowFor(this.#stages.batchSize(prepared)))
      }
      const group = this.#groups.get(prepared.shape) ?? []
      group.push({ ...image, prepared })
      this.#groups.set(prepared.shape, group)
    } catch (error) {
      this.#fail(image, error)
    } finally {
      if (!isRead) {
        this.#note()
        isRead = true
        this.#reading--
      }
      this.#read.delete(begin)
    }
  }

  async #compute(batch: readonly Item<Source, Prepared>[]): Promise<void> {
    const signals = batch.map(({ signal }) => signal)
    try {
      using linked = linkedSignal(this.#abort.signal, signals)
      const prepared = batch.map((item) => item.prepared)
      const features = await this.#stages.compute(prepared, linked.signal)
      for (const [i, image] of batch.entries()) {
        const own = features[i]
        if (own === undefined) this.#fail(image, new Error('The encoder gave no result for this image.'))
        else if (image.signal?.aborted) this.#fail(image, image.signal.reason)
        else this.#finish(image, own)
      }
    } catch (error) {
      for (const image of batch) this.#fail(image, error)
    }
  }

  /** Keeps work among what is under way until it has settled. */
  #track(underWay: Set<Promise<void>>, work: Promise<void>): void {
    this.#note()
    const tracked = work.finally(() => {
      this.#note()
      underWay.delete(tracked)
      this.#happened()
    })
    underWay.add(tracked)
  }

  #finish({ index, source }: Image<Source>, features: Found): void {
    this.#counts.done++
    this.#results.set(index, { index, source, features })
  }

  /** An image that was given up has its signal's reason for an error, whatever else went wrong on the way. */
  #fail({ index, source, signal }: Image<Source>, cause: unknown): void {
    const reason: unknown = signal?.aborted ? signal.reason : cause
    const error = reason instanceof Error ? reason : new Error(String(reason))
    this.#counts.failed++
    this.#results.set(index, { index, source, error })
  }

  /**
   * Takes a full batch, the one with the oldest image first; where nothing more can come before a run and none is under way, the batch with the
   * oldest image as it is. It is empty where there is none, or where all its images have been given up.
   */
  #takeBatch(): readonly Item<Source, Prepared>[] {
    const groups = [...this.#groups.values()].sort((a, b) => oldest(a) - oldest(b))
    const full = groups.find((group) => group.length >= this.#sizeFor(group))
    const stuck =
      this.#running.size === 0 &&
      this.#decoding.size === 0 &&
      (this.#exhausted || !this.#hasRoom() || (this.#isPulling && this.#mayBeSlow))
    const [chosen] = full === undefined ? (stuck ? groups : []) : [full]
    const [first] = chosen ?? []
    if (chosen === undefined || first === undefined) return []
    chosen.sort((a, b) => a.index - b.index)
    const batch = chosen.splice(0, this.#sizeFor(chosen))
    if (chosen.length === 0) this.#groups.delete(first.prepared.shape)
    for (const { prepared } of batch) this.#waitingBytes -= prepared.byteLength
    return batch.filter((item) => !this.#isGivenUp(item))
  }

  /** Takes an image back whose own signal has aborted while it waited. */
  #isGivenUp(item: Item<Source, Prepared>): boolean {
    if (!item.signal?.aborted) return false
    this.#stages.discard?.(item.prepared)
    this.#fail(item, item.signal.reason)
    this.#happened()
    return true
  }

  /** @param group holds one image at least */
  #sizeFor([first]: readonly Item<Source, Prepared>[]): number {
    return this.#options.batch ?? (first === undefined ? 1 : this.#stages.batchSize(first.prepared))
  }
}

function oldest(group: readonly { readonly index: number }[]): number {
  return Math.min(...group.map(({ index }) => index))
}
