/** Runs a system in a process of its own, which waits while others run. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

export class Child {
  /** Counts the seconds from the start of the process to its first embedding. */
  coldStart
  /** Is the system's own version. */
  version
  /** [B, D]. It is that of the whole batch. */
  embedding
  #process
  #lines
  #errors = ''

  /** Starts the process and waits for its first embedding. Throws with what the process said last. */
  static async start(command, args, task) {
    const child = new Child()
    const started = performance.now()
    child.#process = spawn(command, [...args, JSON.stringify(task)], { stdio: ['pipe', 'pipe', 'pipe'] })
    child.#process.stderr.on('data', (text) => {
      child.#errors = `${child.#errors}${text}`.slice(-10_000)
    })
    // Where it has ended, its answer is missing, and that is what is told.
    child.#process.stdin.on('error', () => {})
    child.#process.on('error', ({ message }) => {
      child.#errors += message
    })
    child.#lines = createInterface({ input: child.#process.stdout })[Symbol.asyncIterator]()
    const { version, embedding } = await child.#answer()
    child.coldStart = (performance.now() - started) / 1000
    child.version = version
    const bytes = Uint8Array.from(Buffer.from(embedding, 'base64'))
    child.embedding = new Float32Array(bytes.buffer)
    return child
  }

  /**
   * Makes as many passes as fit in the time, at least one.
   *
   * @returns {Promise<{ seconds: number[], others: number | null }>} the seconds of each pass, and how many cores all other processes were using meanwhile
   */
  async turn(budget) {
    const before = this.#othersSeconds()
    const begun = performance.now()
    this.#process.stdin.write(`turn ${budget}\n`)
    const { seconds } = await this.#answer()
    const after = this.#othersSeconds()
    const others =
      before === null || after === null ? null : (after - before) / ((performance.now() - begun) / 1000)
    return { seconds, others }
  }

  /** @returns {Promise<number>} the most memory that the process has held, bytes */
  async end() {
    this.#process.stdin.write('end\n')
    const { peakBytes } = await this.#answer()
    this.#process.stdin.end()
    if (this.#process.exitCode === null) await once(this.#process, 'exit')
    return peakBytes
  }

  kill() {
    this.#process.stdin.end()
    this.#process.kill()
  }

  async #answer() {
    const { value, done } = await this.#lines.next()
    if (!done) return JSON.parse(value)
    const lines = this.#errors.trim().split('\n')
    const said = lines.findLast((line) => /Error\b.*:/.test(line)) ?? lines.at(-1)
    throw new Error(said.trim().replace(/^\w*Error: /, '') || 'it ended without a word')
  }

  /** Counts the processor seconds since the start of the machine that did not go to this child; it is null where the system does not say. */
  #othersSeconds() {
    try {
      const TICKS = 100
      const [, user, nice, system, , , irq, soft, steal] = readFileSync('/proc/stat', 'utf8')
        .split('\n')[0]
        .split(/ +/)
      const all = [user, nice, system, irq, soft, steal].reduce((sum, ticks) => sum + Number(ticks), 0)
      const own = readFileSync(`/proc/${this.#process.pid}/stat`, 'utf8').split(') ')[1].split(' ')
      return (all - Number(own[11]) - Number(own[12])) / TICKS
    } catch {
      return null
    }
  }
}
