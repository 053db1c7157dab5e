/**
 * Shows others that this process lives: a thread of its own writes the last byte of the lock file anew every few seconds. It is a thread because
 * the first one may be busy for minutes, as the reference engine is; and it writes so that the file's time is the file system's, on a network
 * drive too.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import { Worker } from 'node:worker_threads'

const BEAT_MS = 3000

/** It is no file, since it must run where this one runs from its source too, and is no more than this. */
const BEAT = `
const { writeSync } = require('node:fs')
const { workerData: { descriptor, last, everyMs } } = require('node:worker_threads')
setInterval(() => {
  try { writeSync(descriptor, '\\n', last) } catch {}
}, everyMs)
`

export class Heartbeat implements AsyncDisposable {
  readonly #descriptor: number
  readonly #thread: Worker

  /** @param path a file that ends in a line break */
  constructor(path: string, everyMs = BEAT_MS) {
    this.#descriptor = openSync(path, 'r+')
    const last = fstatSync(this.#descriptor).size - 1
    const workerData = { descriptor: this.#descriptor, last, everyMs }
    this.#thread = new Worker(BEAT, { eval: true, workerData, name: 'plumage lock' })
    this.#thread.unref()
    // Without its thread the lock is as good as before to all who can look at this process.
    this.#thread.on('error', () => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.terminate()
    closeSync(this.#descriptor)
  }
}
