/** Brings the images of a job to a worker, as the job says: buckets are opened when the first of their objects is wanted. */
import { OBJECT, serverOf } from '../../../is-address.js'
import type { Fetcher } from '../../../jobs/fetcher.js'
import type { Place, RowFailure } from '../../../jobs/row.js'
import type { Storage } from '../../../storage/storage.js'
import { openStorage } from '../storage/open-storage.js'
import { RowFetcher, type RowFetcherOptions } from './row-fetcher.js'

/** Says how the images of a job are fetched; it is kept with the job, so that all workers do the same. */
export type Fetching = Omit<RowFetcherOptions, 'storages'>

export class JobFetcher implements Fetcher, AsyncDisposable {
  readonly #storages = new Map<string, Storage>()
  readonly #opening = new Map<string, Promise<Storage>>()
  readonly #rows: RowFetcher

  /** Throws RangeError for what cannot be meant. */
  constructor(fetching: Fetching = {}) {
    this.#rows = new RowFetcher({ ...fetching, storages: this.#storages })
  }

  async fetch(place: Place, signal: AbortSignal): Promise<Uint8Array | RowFailure> {
    const bucket = OBJECT.test(place.address) ? serverOf(place.address) : undefined
    try {
      if (bucket !== undefined && !this.#storages.has(bucket)) await this.#open(bucket)
    } catch (error) {
      signal.throwIfAborted()
      const reason = error instanceof Error ? error.message : String(error)
      return { code: 'unsupported', reason, transient: false }
    }
    return await this.#rows.fetch(place, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rows[Symbol.dispose]()
    for (const storage of this.#storages.values()) await storage[Symbol.asyncDispose]()
  }

  /** Many rows of a bucket want it at a time: it is opened once. */
  async #open(bucket: string): Promise<void> {
    const opening = this.#opening.get(bucket) ?? openStorage(bucket)
    this.#opening.set(bucket, opening)
    this.#storages.set(bucket, await opening)
  }
}
