/** Runs a server of the system for tests: it is killed, paused and started again as its test wishes, and keeps what its folder holds. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Says how a server is started, and how it is known to be ready. */
export interface ServerProgram {
  readonly program: string
  readonly args: readonly string[]
  readonly user?: { readonly uid: number; readonly gid: number } | undefined
  isReady(): Promise<boolean>
}

export class ServerProcess implements AsyncDisposable {
  readonly #program: ServerProgram
  readonly #remove: () => Promise<void>
  #child: ChildProcess | null = null

  constructor(program: ServerProgram, remove: () => Promise<void>) {
    this.#program = program
    this.#remove = remove
  }

  /** Starts it, or starts it again, and resolves once it answers. */
  async start(): Promise<void> {
    const { program, args, user, isReady } = this.#program
    const end = performance.now() + START_MS
    let said = ''
    while (performance.now() < end) {
      // What a killed server has left behind may be in the way for a moment, and the next one then ends at once.
      if (this.#child === null || this.#child.exitCode !== null || this.#child.signalCode !== null) {
        this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/', ...user })
        for (const stream of [this.#child.stdout, this.#child.stderr])
          stream?.on('data', (data) => (said = (said + String(data)).slice(-4000)))
      }
      if (await isReady()) return
      await sleep(50)
    }
    throw new Error(`${program} does not answer: ${said}`)
  }

  /** Kills it as a fault of the power does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Leaves its connections open and answers nothing, until `resume`. */
  pause(): void {
    this.#signal('SIGSTOP')
  }

  resume(): void {
    this.#signal('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.resume()
    await this.#end('SIGKILL')
    await this.#remove()
  }

  #signal(signal: NodeJS.Signals, child = this.#child): void {
    const pid = child?.pid
    if (pid === undefined) return
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
    for (const each of [pid, ...children.map(Number)])
      try {
        process.kill(each, signal)
      } catch (error) {
        // A server's process for one connection ends with it, as it may just now.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    // The processes that PostgreSQL has for connections would answer for a moment longer.
    this.#signal(signal, child)
    await exit
  }
}

/** Finds a program in the folders given and in those of `PATH`. */
export function findProgram(name: string, ...folders: string[]): string | null {
  const all = [...folders, ...(process.env.PATH ?? '').split(delimiter)]
  return all.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

const START_MS = 30_000
