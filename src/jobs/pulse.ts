/** Tells now and then, for those who watch, that a worker lives and how fast it is. Nothing is decided by it. */
import type { Clock } from '../clock.js'
import type { Storage } from '../storage/storage.js'
import type { WorkerEvent } from './events.js'
import { workerKey } from './keys.js'
import { jsonBytes } from './shared-json.js'

const EVERY_MS = 30_000
const FIRST_MS = 5000

export class Pulse implements AsyncDisposable {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #name: string
  readonly #ended = new AbortController()
  readonly #telling: Promise<void>
  #rows = 0
  #failed = 0

  constructor(storage: Storage, clock: Clock, name: string) {
    this.#storage = storage
    this.#clock = clock
    this.#name = name
    this.#telling = this.#tell()
  }

  /** Takes what happens. */
  note(event: WorkerEvent): void {
    if (event.kind !== 'rowDone') return
    this.#rows++
    if (event.failed) this.#failed++
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Error('the worker has ended'))
    await this.#telling
    await this.#storage.remove(workerKey(this.#name)).catch(() => {})
  }

  async #tell(): Promise<void> {
    const { signal } = this.#ended
    let [rows, since] = [0, this.#clock.monotonic()]
    for (let wait = FIRST_MS; !signal.aborted; wait = EVERY_MS) {
      await this.#clock.sleep(wait, signal).catch(() => {})
      if (signal.aborted) return
      const now = this.#clock.monotonic()
      const rowsPerSecond = Number((((this.#rows - rows) * 1000) / Math.max(1, now - since)).toPrecision(3))
      rows = this.#rows
      since = now
      const told = { rows: this.#rows, failed: this.#failed, rowsPerSecond }
      await this.#storage.write(workerKey(this.#name), jsonBytes(told), { signal }).catch(() => {})
    }
  }
}
