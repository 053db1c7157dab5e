/** Runs one ffmpeg, reads what it tells line by line, and sees to it that nothing of it is left, however its reader ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { type Ffmpeg, ffmpegEnvironment } from './find-ffmpeg.js'
import { VideoError } from './video-error.js'

/** What it says is kept up to so many lines, to be told if it fails. */
const KEPT_LINES = 12
/** It ends by these where it has a mistake of its own. */
const CRASHES: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE'])

/** Whoever ends this process ends them, but by a signal that cannot be heard: then they end as they find that nobody reads. */
const running = new Set<ChildProcess>()
const endAll = () => {
  for (const child of running) child.kill('SIGKILL')
}

export interface FfmpegRun {
  readonly args: readonly string[]
  /** Is told each line of stderr, without its end. */
  readonly onLine?: (line: string) => void
  readonly signal?: AbortSignal | undefined
}

export class FfmpegProcess implements AsyncDisposable {
  readonly #ffmpeg: Ffmpeg
  readonly #child: ChildProcess
  readonly #ended: Promise<number | null>
  readonly #end: () => void
  readonly #troubles: string[] = []
  #troubleCount = 0
  #failure: Error | null = null
  #crash: NodeJS.Signals | null = null

  constructor(ffmpeg: Ffmpeg, { args, onLine, signal }: FfmpegRun) {
    signal?.throwIfAborted()
    const { path } = ffmpeg
    this.#ffmpeg = ffmpeg
    const all = ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+info', ...args]
    const child = spawn(path, all, { env: ffmpegEnvironment(), stdio: 'pipe', windowsHide: true })
    this.#child = child
    // It keeps nothing that would have to be saved, and so it is never asked to end by itself.
    this.#end = () => child.kill('SIGKILL')
    if (running.size === 0) process.on('exit', endAll)
    running.add(child)
    signal?.addEventListener('abort', this.#end, { once: true })
    readLines(child.stderr, (line) => {
      this.#note(line)
      onLine?.(line)
    })
    // A reader that ends early breaks the pipe, which its exit code tells as well.
    child.stdin.on('error', () => {})
    this.#ended = new Promise((resolve) => {
      child.on('error', (cause) => {
        this.#failure = new VideoError('no-ffmpeg', `${path} does not start: ${cause.message}.`, { cause })
        resolve(null)
      })
      child.on('close', (code, signal) => {
        if (signal !== null && CRASHES.has(signal)) this.#crash = signal
        resolve(code)
      })
    })
    void this.#ended.then(() => {
      running.delete(child)
      if (running.size === 0) process.off('exit', endAll)
      signal?.removeEventListener('abort', this.#end)
    })
  }

  get stdout(): Readable {
    return this.#child.stdout as Readable
  }

  get stdin(): Writable {
    return this.#child.stdin as Writable
  }

  /** Holds what it called an error or a warning, the first few, and how many there were. */
  get troubles(): { readonly lines: readonly string[]; readonly count: number } {
    return { lines: this.#troubles, count: this.#troubleCount }
  }

  /** Forgets what it has called an error so far: behind a seek, frames that lack those before them are nobody's loss. */
  forgetTroubles(): void {
    this.#troubles.length = 0
    this.#troubleCount = 0
  }

  /** Resolves to its exit code when all that it said has been read. Throws `VideoError` where it did not even start, and where it crashed. */
  async exit(): Promise<number | null> {
    const code = await this.#ended
    if (this.#failure !== null) throw this.#failure
    if (this.#crash === null) return code
    throw new VideoError(
      'unfit-ffmpeg',
      `ffmpeg ${this.#ffmpeg.version} (${this.#ffmpeg.path}) crashed (${this.#crash}). Some builds do so on some kinds of films: use another build, and put ` +
        'its path into PLUMAGE_FFMPEG.',
    )
  }

  /** Resolves when the process is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end()
    this.#child.stdout?.destroy()
    this.#child.stdin?.destroy()
    await this.#ended
  }

  #note(line: string): void {
    if (!/\[(error|fatal|panic|warning)\]/.test(line)) return
    if (/\[warning\]/.test(line) && !/corrupt|truncat|invalid|damag/i.test(line)) return
    this.#troubleCount++
    if (this.#troubles.length < KEPT_LINES) this.#troubles.push(plainLine(line))
  }
}

/** Leaves out where in ffmpeg a line comes from. */
export function plainLine(line: string): string {
  return line.replace(/\[(\S+ @ 0x[0-9a-f]+|info|warning|error|fatal|panic)\] /g, '').trim()
}

function readLines(stream: Readable | null, onLine: (line: string) => void): void {
  let rest = ''
  stream?.setEncoding('utf8')
  stream?.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  stream?.on('end', () => {
    if (rest !== '') onLine(rest)
  })
}
