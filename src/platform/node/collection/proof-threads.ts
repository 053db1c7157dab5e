/** Proves pairs of photos on several threads: a proof is plain arithmetic, and a large collection has as many as it has photos. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { ProofLanes } from '../../../collection/duplicates/compare-photos.js'
import { OwnLane, type ProofLane, type SmallPixels } from '../../../collection/duplicates/proof-lane.js'
import type { PictureProof } from '../../../numerics/same-picture.js'
import { packageFile } from '../package-files.js'
import type { ProofAnswer, ProofMessage } from './proof-worker.js'

/** More threads wait for photos that are decoded. */
const MOST_THREADS = 8
/** Of fewer pairs for each, starting a thread takes longer than it spares. */
const PAIRS_EACH = 8

/** Gives as many threads as the machine runs side by side; for a few pairs none. Dispose of them. Throws Error where a file of the package is missing. */
export function proofThreads(pairs: number): ProofLanes {
  const count = Math.min(MOST_THREADS, availableParallelism(), Math.floor(pairs / PAIRS_EACH))
  if (count < 2) return { lanes: [new OwnLane()], [Symbol.asyncDispose]: async () => {} }
  const file = packageFile('dist/bundle/node/proof-worker.js', (message) => new Error(message))
  const lanes = Array.from({ length: count }, () => new ThreadLane(file))
  return {
    lanes,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(lanes.map((lane) => lane.end()))
    },
  }
}

interface Waiting {
  resolve(proof: PictureProof | null): void
  reject(error: unknown): void
}

class ThreadLane implements ProofLane {
  readonly #worker: Worker
  /** Are those that wait for an answer, in the order in which they asked. */
  readonly #waiting: Waiting[] = []
  #ended: Error | null = null

  constructor(file: string) {
    this.#worker = new Worker(file, { name: 'plumage proofs' })
    // Whoever waits for it is told; by itself it holds no process.
    this.#worker.unref()
    this.#worker.on('message', ({ proof }: ProofAnswer) => this.#waiting.shift()?.resolve(proof))
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))))
    this.#worker.on('exit', (code) =>
      this.#fail(new Error(`A thread of the proofs ended with code ${code}.`)),
    )
  }

  add(key: string, pixels: SmallPixels): void {
    this.#say({ add: key, pixels })
  }

  drop(key: string): void {
    this.#say({ drop: key })
  }

  async prove(first: string, second: string): Promise<PictureProof | null> {
    if (this.#ended !== null) throw this.#ended
    return (await new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#worker.ref()
      this.#say({ prove: [first, second] })
    }).finally(() => {
      if (this.#waiting.length === 0) this.#worker.unref()
    })) as PictureProof | null
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #say(message: ProofMessage): void {
    this.#worker.postMessage(message)
  }

  #fail(error: Error): void {
    this.#ended ??= error
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#ended)
  }
}
