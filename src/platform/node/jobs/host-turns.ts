/** Asks each web server no more often, and no more at once, than is polite; those who wait for one server hold up nobody who asks another. */

/** Says how often one server is asked. */
export interface HostRate {
  /** Counts the requests that begin in a second. */
  readonly perSecond: number
  /** Counts those that are under way together. */
  readonly connections: number
}

/** So many servers are remembered; more, and those that nobody waits for are forgotten. */
const MOST_HOSTS = 10_000
/** A server that has failed so often in a row is not asked for a while: each try would cost the time that is waited for an answer. */
const FAILURES = 5
const DOWN_MS = 60_000

interface Host {
  underWay: number
  /** Is when the next request may begin, as `performance.now` counts. */
  nextMs: number
  /** Is the least time between two requests, in milliseconds. */
  intervalMs: number
  failures: number
  downUntilMs: number
  timer: NodeJS.Timeout | null
  readonly waiting: Set<() => void>
}

export class HostTurns implements Disposable {
  readonly #rate: HostRate
  readonly #hosts = new Map<string, Host>()

  constructor(rate: HostRate) {
    this.#rate = rate
  }

  /** Resolves when it is this request's turn, which ends when what it gives is disposed of. Throws the signal's reason. */
  async take(name: string, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted()
    const host = this.#hostOf(name)
    await new Promise<void>((resolve, reject) => {
      const begin = () => {
        signal.removeEventListener('abort', stop)
        resolve()
      }
      const stop = () => {
        host.waiting.delete(begin)
        reject(signal.reason)
      }
      signal.addEventListener('abort', stop, { once: true })
      host.waiting.add(begin)
      this.#next(host)
    })
    return {
      [Symbol.dispose]: () => {
        host.underWay--
        this.#next(host)
      },
    }
  }

  /** Says how long, in milliseconds, nobody asks this server; 0 where it is asked. */
  downMs(name: string): number {
    return Math.max(0, (this.#hosts.get(name)?.downUntilMs ?? 0) - performance.now())
  }

  /** Lets no request begin for a time, as the server has asked. */
  holdOff(name: string, ms: number): void {
    const host = this.#hostOf(name)
    host.nextMs = Math.max(host.nextMs, performance.now() + ms)
  }

  /** Is told whether the server did what it is there for; one that has not so often in a row is down for a while. */
  note(name: string, isWell: boolean): void {
    const host = this.#hostOf(name)
    host.failures = isWell ? 0 : host.failures + 1
    if (host.failures >= FAILURES) this.takeDown(name, DOWN_MS)
  }

  /** Asks the server no more for a time, which those who would ask it are told. */
  takeDown(name: string, ms: number): void {
    const host = this.#hostOf(name)
    host.downUntilMs = Math.max(host.downUntilMs, performance.now() + ms)
  }

  /** Waits longer between two requests where the server's owner wants that. */
  slowDown(name: string, intervalMs: number): void {
    const host = this.#hostOf(name)
    host.intervalMs = Math.max(host.intervalMs, intervalMs)
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#hosts.values()) clearTimeout(timer ?? undefined)
    this.#hosts.clear()
  }

  #hostOf(name: string): Host {
    const known = this.#hosts.get(name)
    if (known !== undefined) return known
    if (this.#hosts.size >= MOST_HOSTS) this.#forget()
    const intervalMs = 1000 / this.#rate.perSecond
    const host = {
      underWay: 0,
      nextMs: 0,
      intervalMs,
      failures: 0,
      downUntilMs: 0,
      timer: null,
      waiting: new Set<() => void>(),
    }
    this.#hosts.set(name, host)
    return host
  }

  #forget(): void {
    const now = performance.now()
    for (const [name, { underWay, waiting, nextMs, downUntilMs }] of this.#hosts)
      if (underWay === 0 && waiting.size === 0 && nextMs <= now && downUntilMs <= now)
        this.#hosts.delete(name)
  }

  #next(host: Host): void {
    for (const begin of host.waiting) {
      if (host.underWay >= this.#rate.connections) return
      const now = performance.now()
      if (host.nextMs > now) {
        this.#later(host, host.nextMs - now)
        return
      }
      host.nextMs = now + host.intervalMs
      host.underWay++
      host.waiting.delete(begin)
      begin()
    }
  }

  #later(host: Host, ms: number): void {
    host.timer ??= setTimeout(() => {
      host.timer = null
      this.#next(host)
    }, Math.ceil(ms))
  }
}
