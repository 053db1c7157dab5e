/**
 * Shows how far the work is, on stderr: by one line redrawn on a terminal, by JSON lines where asked for, not at all otherwise. What failed is
 * always told.
 */
import type { Writable } from 'node:stream'
import pc from 'picocolors'

export interface ProgressOptions {
  readonly stream: Writable
  readonly isTTY: boolean
  readonly color: boolean
  /** Asks for JSON lines instead of words. */
  readonly json: boolean
  /** Is undefined where the inputs are not known beforehand. */
  readonly total: number | undefined
  /** Tells the time in milliseconds; tests hand in their own. */
  readonly now?: () => number
}

/** Ten times a second is as often as an eye can follow; a log wants less. */
const REDRAW_MS = 100
const JSON_MS = 1000
const BAR_CELLS = 24

export class Progress implements Disposable {
  readonly #options: ProgressOptions
  readonly #now: () => number
  readonly #started: number
  #computed = 0
  #earlier = 0
  #failed = 0
  #seconds: Readonly<Record<string, number>> = {}
  #lastShown: number
  #lineShown = false

  constructor(options: ProgressOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#started = this.#now()
    this.#lastShown = Number.NEGATIVE_INFINITY
  }

  /** Counts one input more as done; `earlier` where a former run had done it. */
  done(earlier = false): void {
    if (earlier) this.#earlier++
    else this.#computed++
    this.#show()
  }

  /** Takes down what the time has gone by on so far, in seconds by activity. */
  spent(seconds: Readonly<Record<string, number>>): void {
    this.#seconds = seconds
  }

  failed(path: string, reason: string): void {
    this.#failed++
    const colors = pc.createColors(this.#options.color)
    if (this.#options.json) this.#json({ event: 'failed', path, error: reason })
    else this.say(`${colors.red('failed')} ${printable(path)}: ${printable(reason)}`)
    this.#show()
  }

  /** Writes a line of its own, above the progress line. */
  say(line: string): void {
    this.clear()
    this.#options.stream.write(`${line}\n`)
  }

  /** Tells what a person should know though nothing has failed, in words or as JSON. */
  notice(text: string): void {
    if (this.#options.json) this.#json({ event: 'notice', notice: text })
    else this.say(text)
  }

  /** Notes what happens now, for people and programs that watch. */
  phase(text: string): void {
    if (this.#options.json) this.#json({ event: 'phase', phase: text })
    else if (this.#options.isTTY) this.#draw(text)
  }

  /** Has the last word: a summary for people who watch, and for programs. */
  finish(summary: string, details: Readonly<Record<string, unknown>>): void {
    const seconds = Object.entries(this.#seconds).map(([activity, s]) => [activity, Number(s.toPrecision(3))])
    const spent = seconds.length === 0 ? {} : { seconds: Object.fromEntries(seconds) }
    if (this.#options.json) this.#json({ event: 'finished', ...this.#counts(), ...spent, ...details })
    else if (this.#options.isTTY) this.say(`${summary}${this.#speed()}`)
  }

  /** Says how fast it went and what limits that, the largest part first; nothing where nothing was computed. */
  #speed(): string {
    const parts = Object.entries(this.#seconds).sort(([, a], [, b]) => b - a)
    const all = parts.reduce((sum, [, seconds]) => sum + seconds, 0)
    if (this.#computed === 0 || all === 0) return ''
    const shares = parts.map(([activity, seconds]) => `${Math.round((100 * seconds) / all)} % ${activity}`)
    return `; ${this.#counts().imagesPerSecond} images/s, ${shares.join(', ')}`
  }

  [Symbol.dispose](): void {
    this.clear()
  }

  /** Takes the line away, before something else is written on the same screen. */
  clear(): void {
    if (this.#lineShown) this.#options.stream.write('\r\u001b[2K')
    this.#lineShown = false
  }

  #show(): void {
    const { json, isTTY } = this.#options
    const now = this.#now()
    if (now - this.#lastShown < (json ? JSON_MS : REDRAW_MS)) return
    this.#lastShown = now
    if (json) this.#json({ event: 'progress', ...this.#counts() })
    else if (isTTY) this.#draw(this.#line())
  }

  #counts() {
    const { total } = this.#options
    const seconds = (this.#now() - this.#started) / 1000
    const done = this.#computed + this.#earlier
    const rate = seconds > 0 ? this.#computed / seconds : 0
    const left = total === undefined ? null : total - done - this.#failed
    return {
      done,
      earlier: this.#earlier,
      failed: this.#failed,
      total: total ?? null,
      imagesPerSecond: Number(rate.toPrecision(3)),
      secondsLeft: left === null || rate === 0 ? null : Math.ceil(left / rate),
    }
  }

  #line(): string {
    const { done, failed, total, imagesPerSecond, secondsLeft } = this.#counts()
    const colors = pc.createColors(this.#options.color)
    const parts = [
      total === null ? `${done}` : `${bar((done + failed) / Math.max(1, total))} ${done} of ${total}`,
    ]
    parts.push(`${imagesPerSecond} images/s`)
    if (secondsLeft !== null) parts.push(`${duration(secondsLeft)} left`)
    if (failed > 0) parts.push(colors.red(`${failed} failed`))
    return parts.join('  ')
  }

  #draw(text: string): void {
    this.#options.stream.write(`\r\u001b[2K${text}`)
    this.#lineShown = true
  }

  #json(value: object): void {
    this.#options.stream.write(`${JSON.stringify(value)}\n`)
  }
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, share) * BAR_CELLS)
  return '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled)
}

/** Gives `4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  const hours = Math.floor(minutes / 60)
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** Names of files may hold line breaks, and worse: sequences that a terminal obeys, and letters that turn the direction of a line. */
export function printable(text: string): string {
  return onOneLine(text).replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

/** Leaves out line breaks and controls. A page sets a name apart, so that no letter turns what stands around it. */
export function onOneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').replace(/\p{Cc}/gu, '\ufffd')
}
