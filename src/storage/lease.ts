/**
 * Gives one of many the right to something on storage, where nobody can be asked for it. Who has it raises a count in an object every few seconds; whoever else comes watches that by
 * a clock of its own: a count that has not moved for a minute is a dead holder's. So no two clocks need agree. Each change is a write on the version that was seen last, which
 * only one can win.
 */
import { type Clock, systemClock } from '../clock.js'
import { isRecord, type PlainRecord, parseJsonOrNull } from '../plain-value.js'
import type { Storage, Version } from './storage.js'

/** Says how often a holder shows itself, and when it is dead; tests make both shorter. */
export interface LeaseTimes {
  readonly beatMs: number
  readonly deadMs: number
}

export const LEASE_TIMES: LeaseTimes = { beatMs: 5000, deadMs: 60_000 }

/** Tells whether a holder runs; null where that cannot be seen from here. */
export type LivesOrNull = (holder: PlainRecord) => Promise<boolean | null>

/** Says how a lease is asked for. */
export interface LeaseRequest {
  /** Says who asks, unlike all others, for people and for `livesOrNull`. */
  readonly holder: PlainRecord
  /** Spares the minute where it knows; default: it is never known. */
  readonly livesOrNull?: LivesOrNull
  /** Makes the error for those who find that another has it. */
  readonly held: (holder: PlainRecord) => Error
  /** Makes the error for a holder that has it no more; null where no other is known to have it. */
  readonly lost: (holder: PlainRecord | null) => Error
  /** Is told when it has to be found out whether a holder lives, which takes up to `deadMs`. */
  readonly onWait?: (holder: PlainRecord) => void
  /** Removes the object at the end, for places that are to keep nothing else; otherwise it stays and says that nobody has it. */
  readonly leavesNothing?: boolean
  readonly times?: LeaseTimes
  readonly clock?: Clock
  readonly signal?: AbortSignal | undefined
}

/** Are holders of this process that could not say that they have let go. */
const letGo = new Set<string>()

/** Throws what `held` makes while another shows that it has the lease; what the storage throws; the signal's reason. */
export async function takeLease(storage: Storage, key: string, request: LeaseRequest): Promise<Lease> {
  const { holder, livesOrNull, held, onWait, signal } = request
  for (;;) {
    signal?.throwIfAborted()
    const found = await storage.read(key, { signal })
    const other = found === null ? null : holderIn(found.bytes)
    const isFree = other === null || letGo.has(nameOf(other))
    const lives = isFree ? false : await livesOrNull?.(other)
    if (other !== null && lives === true) throw held(other)
    if (found !== null && other !== null && lives !== false) {
      onWait?.(other)
      if (await showsLife(storage, key, found.version, request)) {
        const now = await storage.read(key, { signal })
        const still = now === null ? null : holderIn(now.bytes)
        if (still !== null && nameOf(still) === nameOf(other)) throw held(still)
        // It was let go, or another has it: that is looked at anew.
        continue
      }
    }
    const condition = found === null ? { ifAbsent: true } : { ifVersion: found.version }
    const begun = timesNow(request.clock ?? systemClock)
    const written = await storage
      .write(key, textOfLease({ holder, beats: 0 }), { ...condition, signal })
      .catch((error: unknown) => {
        // It may have taken effect, and nobody has it.
        letGo.add(nameOf(holder))
        throw error
      })
    if (written.written) return new Lease(storage, key, request, written.version, begun)
  }
}

/** Watches an object, and tells whether it changes, or goes, before whoever writes it counts as dead. */
export async function showsLife(
  storage: Storage,
  key: string,
  version: Version,
  {
    times: { beatMs, deadMs } = LEASE_TIMES,
    clock = systemClock,
    signal,
  }: Pick<LeaseRequest, 'times' | 'clock' | 'signal'>,
): Promise<boolean> {
  const begun = clock.monotonic()
  while (clock.monotonic() - begun < deadMs) {
    await clock.sleep(beatMs / 2, signal)
    const found = await storage.look(key, { signal })
    if (found?.version !== version) return true
  }
  return false
}

/** Is the right to something, which no other has at a time. It is to be disposed of: until then it shows itself. */
export class Lease implements AsyncDisposable {
  readonly #storage: Storage
  readonly #key: string
  readonly #request: LeaseRequest
  readonly #times: LeaseTimes
  readonly #clock: Clock
  readonly #ended = new AbortController()
  readonly #lost = new AbortController()
  readonly #beating: Promise<void>
  #version: Version
  #seen: Moment
  #beats = 0
  #beat: Promise<void> | null = null

  constructor(storage: Storage, key: string, request: LeaseRequest, version: Version, seen: Moment) {
    this.#storage = storage
    this.#key = key
    this.#request = request
    this.#times = request.times ?? LEASE_TIMES
    this.#clock = request.clock ?? systemClock
    this.#version = version
    this.#seen = seen
    this.#beating = this.#keepBeating()
  }

  /** Is aborted, with what `lost` makes, once another is seen to have it. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /**
   * A process that was stopped for long, or could not write, may not have it any more: it asks before others can have judged it dead. Throws what `lost` makes where it has it no
   * more, or cannot say so in time; what the storage throws.
   */
  async assertHeld(): Promise<void> {
    const { deadMs } = this.#times
    if (!this.lost.aborted && this.#elapsed() > deadMs / 3) await this.#beatOnce()
    this.lost.throwIfAborted()
    if (this.#elapsed() > TRUSTED * deadMs) throw this.#request.lost(null)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Error('the lease has ended'))
    await this.#beating
    if (this.lost.aborted) return
    try {
      if (this.#request.leavesNothing === true) await this.#remove()
      else await this.#write(null)
    } catch {
      // It is free for this process at once, for those that cannot see it a minute later, and for others on this machine once this process has ended.
      letGo.add(nameOf(this.#request.holder))
    }
  }

  async #keepBeating(): Promise<void> {
    const { signal } = this.#ended
    for (;;) {
      await this.#clock.sleep(this.#times.beatMs, signal, { idle: true }).catch(() => {})
      if (signal.aborted || this.lost.aborted) break
      // What does not answer now is asked again in time.
      await this.#beatOnce().catch(() => {})
    }
    await this.#beat?.catch(() => {})
  }

  /** One beat is under way at a time. */
  #beatOnce(): Promise<void> {
    this.#beat ??= this.#write(this.#request.holder).finally(() => {
      this.#beat = null
    })
    return this.#beat
  }

  async #write(holder: PlainRecord | null): Promise<void> {
    for (let tries = 0; !this.lost.aborted; tries++) {
      // The time counts from before the write: nobody can have seen it earlier.
      const begun = timesNow(this.#clock)
      const text = textOfLease({ holder, beats: ++this.#beats })
      const written = await this.#storage.write(this.#key, text, { ifVersion: this.#version })
      if (written.written) {
        this.#version = written.version
        this.#seen = begun
        return
      }
      const found = await this.#storage.read(this.#key)
      const now = found === null ? null : holderIn(found.bytes)
      const isOurs = now !== null && nameOf(now) === nameOf(this.#request.holder)
      // A beat whose answer did not come took effect all the same: nobody else writes this name.
      if (found !== null && isOurs && tries === 0) this.#version = found.version
      else this.#lost.abort(this.#request.lost(now))
    }
  }

  /** A removal takes no condition: it is given up before another can have taken the lease. */
  async #remove(): Promise<void> {
    const left = TRUSTED * this.#times.deadMs - this.#elapsed()
    if (left <= 0) throw new Error('it is too late to remove the lease')
    const removed = new AbortController()
    const late = new AbortController()
    void this.#clock.sleep(left, removed.signal).then(
      () => late.abort(new Error('the lease could not be removed in time')),
      () => {},
    )
    try {
      await this.#storage.remove(this.#key, { signal: late.signal })
    } finally {
      removed.abort(new Error('the lease is removed'))
    }
  }

  /** The monotonic clock stands still while a machine sleeps, and the other may be set back: whichever has gone further counts. */
  #elapsed(): number {
    const now = timesNow(this.#clock)
    return Math.max(now.monotonic - this.#seen.monotonic, now.wall - this.#seen.wall)
  }
}

/** A holder that could not show itself for this part of the time holds nothing any more, well before others take it for dead. */
const TRUSTED = 2 / 3

interface Moment {
  readonly monotonic: number
  readonly wall: number
}

function timesNow(clock: Clock): Moment {
  return { monotonic: clock.monotonic(), wall: Date.now() }
}

/** Writes what a lease says: who has it, how often it has shown itself, and what else its kind tells. */
export function textOfLease(
  said: PlainRecord & { readonly holder: PlainRecord | null; readonly beats: number },
): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(said)}\n`)
}

/** Reads who has a lease; null where it was let go. Whoever wrote something else there is nobody known, who is watched as anyone. */
export function holderIn(bytes: Uint8Array): PlainRecord | null {
  const said = parseJsonOrNull(new TextDecoder().decode(bytes))
  if (!isRecord(said)) return {}
  return said.holder === null ? null : isRecord(said.holder) ? said.holder : {}
}

const nameOf = (holder: PlainRecord) => JSON.stringify(holder)
