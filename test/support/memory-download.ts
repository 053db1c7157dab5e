/**
 * Holds a download's whole world in memory: a server that answers by a script, a place that keeps bytes, a
 * clock that skips waits.
 */
import { createHash } from 'node:crypto'
import type { Answer, Opener, Question } from '../../src/hub/answer.js'
import type { Version } from '../../src/hub/byte-ranges.js'
import type { Clock } from '../../src/hub/clock.js'
import type { DownloadLock, DownloadPlace, StoredFile } from '../../src/hub/download-place.js'
import type { PartialDownload } from '../../src/hub/partial-download.js'

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Waits take no time. What waits for silence is told that the time is over when the server says so. */
export class SkippingClock implements Clock {
  readonly pauses: number[] = []
  readonly #timers = new Set<() => void>()
  #now = 0

  now(): number {
    return this.#now
  }

  async pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    this.pauses.push(milliseconds)
    this.#now += milliseconds
  }

  after(milliseconds: number, action: () => void): () => void {
    const timer = () => {
      this.#now += milliseconds
      action()
    }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Lets the time of all who wait be over; throws when nobody does, since then a download would hang. */
  expire(): void {
    if (this.#timers.size === 0) throw new Error('nobody watches for a stall')
    for (const timer of [...this.#timers]) timer()
    this.#timers.clear()
  }

  get waiting(): number {
    return this.#timers.size
  }
}

/** The script gives one answer in this form. */
export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Says how the body ends once all bytes are sent; `close` unless said otherwise. */
  readonly end?: 'close' | 'cut' | 'stall'
  /** So many bytes come at a time; 7 unless said otherwise. */
  readonly chunk?: number
  /** The answer came from here, after redirects. */
  readonly from?: string
}

export type Script = (question: Question, visit: number) => Reply | Error | 'silence'

type Traits = Pick<Opener, 'sendsIfRange' | 'hidesHeaders' | 'decodes'>

/** Node's and the browser's ways of asking differ in these. */
export const NODE_TRAITS: Traits = { sendsIfRange: true, hidesHeaders: false, decodes: false }
export const BROWSER_TRAITS: Traits = { sendsIfRange: false, hidesHeaders: true, decodes: true }

export class ScriptedServer implements Opener {
  readonly sendsIfRange: boolean
  readonly hidesHeaders: boolean
  readonly decodes: boolean
  readonly questions: Question[] = []
  /** Counts answers whose bodies are neither read to the end nor let go: connections that leak. */
  answersHeld = 0
  readonly #script: Script
  readonly #clock: SkippingClock

  constructor(clock: SkippingClock, script: Script, traits: Traits = NODE_TRAITS) {
    this.#clock = clock
    this.#script = script
    this.sendsIfRange = traits.sendsIfRange
    this.hidesHeaders = traits.hidesHeaders
    this.decodes = traits.decodes
  }

  async open(url: URL, question: Question): Promise<Answer> {
    question.signal.throwIfAborted()
    this.questions.push(question)
    const reply = this.#script(question, this.questions.length - 1)
    if (reply instanceof Error) throw reply
    if (reply === 'silence') throw this.#stall(question.signal)
    this.answersHeld += 1
    let isOpen = true
    const letGo = () => {
      if (isOpen) this.answersHeld -= 1
      isOpen = false
    }
    return {
      status: reply.status,
      url: new URL(reply.from ?? url.href),
      header: (name) => reply.headers?.[name] ?? null,
      body: this.#body(reply, question.signal, letGo),
      cancel: async () => letGo(),
    }
  }

  async *#body(reply: Reply, signal: AbortSignal, letGo: () => void): AsyncGenerator<Uint8Array, void> {
    const { body = new Uint8Array(), end = 'close', chunk = 7 } = reply
    try {
      for (let at = 0; at < body.length; at += chunk) {
        signal.throwIfAborted()
        yield body.subarray(at, at + chunk)
      }
      if (end === 'cut') throw new Error('the connection was reset')
      if (end === 'stall') throw this.#stall(signal)
    } finally {
      letGo()
    }
  }

  #stall(signal: AbortSignal): unknown {
    this.#clock.expire()
    return signal.aborted ? signal.reason : new Error('a stall was watched for by somebody else')
  }
}

/** Keeps bytes between calls, as a disk does between runs. */
export class MemoryPlace implements DownloadPlace<Uint8Array> {
  stored: { readonly bytes: Uint8Array; readonly version: Version | null } | null = null
  bytes = new Uint8Array()
  version: Version | null = null
  /** Somebody else does this while the lock is waited for. */
  meanwhile: (() => void) | null = null
  isLocked = false
  isOpen = false
  /** The disk has room for so many bytes. */
  room = Number.POSITIVE_INFINITY

  async findStored(): Promise<StoredFile<Uint8Array> | null> {
    if (this.stored === null) return null
    const { bytes, version } = this.stored
    const sha256 = async () => hashOf(bytes)
    return { kept: bytes, size: bytes.length, version, sha256 }
  }

  async lock(_: AbortSignal | undefined, onWaiting: (received: number) => void): Promise<DownloadLock> {
    if (this.isLocked) throw new Error('the lock is held already')
    if (this.meanwhile !== null) onWaiting(this.bytes.length)
    this.meanwhile?.()
    this.isLocked = true
    const release = async () => {
      this.isLocked = false
    }
    return { lost: new AbortController().signal, [Symbol.asyncDispose]: release }
  }

  async openPartial(): Promise<PartialDownload<Uint8Array>> {
    if (!this.isLocked) throw new Error('the lock is not held')
    this.isOpen = true
    return new MemoryPartial(this)
  }
}

class MemoryPartial implements PartialDownload<Uint8Array> {
  readonly #place: MemoryPlace
  #hashed: number

  constructor(place: MemoryPlace) {
    this.#place = place
    this.#hashed = 0
  }

  get received(): number {
    return this.#place.bytes.length
  }

  get version(): Version | null {
    return this.#place.version
  }

  async takeUp(signal: AbortSignal, onBytes: (read: number) => void): Promise<void> {
    signal.throwIfAborted()
    this.#hashed = this.received
    onBytes(this.received)
  }

  async reserve(byteLength: number): Promise<void> {
    if (byteLength > this.#place.room) throw new Error('the disk is too small')
  }

  async begin(version: Version): Promise<void> {
    await this.restart()
    this.#place.version = version
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (this.version === null) throw new Error('bytes of no version were appended')
    if (this.received + bytes.length > this.#place.room) throw new Error('the disk is full')
    this.#checkHashed()
    const joined = new Uint8Array(this.received + bytes.length)
    joined.set(this.#place.bytes)
    joined.set(bytes, this.received)
    this.#place.bytes = joined
    this.#hashed = this.received
  }

  async restart(): Promise<void> {
    this.#place.bytes = new Uint8Array()
    this.#place.version = null
    this.#hashed = 0
  }

  sha256(): string {
    this.#checkHashed()
    return hashOf(this.#place.bytes)
  }

  async finish(): Promise<Uint8Array> {
    const { bytes, version } = this.#place
    this.#place.stored = { bytes, version }
    await this.restart()
    return bytes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#place.isOpen = false
  }

  #checkHashed(): void {
    if (this.#hashed !== this.received) throw new Error('bytes of an earlier run were not taken up')
  }
}
