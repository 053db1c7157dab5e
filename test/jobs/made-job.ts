/** Makes jobs in memory for tests: rows, an encoder whose embeddings tell which image they are of, and a fetcher of bytes that are made up. */
import { hash } from 'node:crypto'
import type { Identity } from '../../src/encoder/types.js'
import { type CreatedJob, planJob } from '../../src/jobs/create-job.js'
import type { JobEncoder } from '../../src/jobs/encode-rows.js'
import type { Fetcher } from '../../src/jobs/fetcher.js'
import type { JobSettings } from '../../src/jobs/job.js'
import type { RowFailure, RowHash, SourceRow } from '../../src/jobs/row.js'
import type { Storage } from '../../src/storage/storage.js'

export const rowHash: RowHash = (text) => hash('sha256', text, 'buffer')

export const IDENTITY: Identity = {
  digest: 'ab'.repeat(32),
  weights: 'cd'.repeat(32),
  settings: '{}',
  precision: 'float32',
  recipe: 'none',
  model: 'made up',
  engine: 'none',
}

export const WIDTH = 4

export function sourceRow(line: number): SourceRow {
  return { id: `line ${line}`, name: `photo-${line}.jpg`, place: { address: `/photos/${line}.jpg` } }
}

export async function* sourceRows(count: number): AsyncGenerator<SourceRow> {
  for (let line = 1; line <= count; line++) yield sourceRow(line)
}

export async function makeJob(
  storage: Storage,
  count: number,
  settings: Partial<JobSettings> = {},
): Promise<CreatedJob> {
  return await planJob({
    source: { label: 'made up', base: '/photos', rows: () => sourceRows(count) },
    storage,
    identity: IDENTITY,
    width: WIDTH,
    model: { source: 'made up', options: {} },
    settings: { dtype: 'float16', rowsPerPart: 10, maxFailed: 0.01, unique: false, ...settings },
    queue: null,
    hash: rowHash,
    tryConditionalWrites: async () => {},
  })
}

/** Bytes are the address; a failure or a death may be asked for by it. */
export function fetcherOf(fail: (address: string) => RowFailure | null = () => null): Fetcher {
  return {
    fetch: async ({ address }, signal) => {
      signal.throwIfAborted()
      return fail(address) ?? new TextEncoder().encode(address)
    },
  }
}

export function embeddingOf(address: string): Float32Array {
  const bytes = rowHash(address)
  return Float32Array.from({ length: WIDTH }, (_, at) => 1 + (bytes[at] ?? 0))
}

/** `onImage` may throw what ends the worker. */
export function fakeEncoder(
  onImage: (address: string) => void | Promise<void> = () => {},
  identity: Identity = IDENTITY,
): JobEncoder {
  return {
    identity,
    embeddingWidth: WIDTH,
    async *encodeAll(sources, { signal }) {
      let index = 0
      for await (const bytes of sources) {
        signal.throwIfAborted()
        const address = new TextDecoder().decode(bytes)
        await onImage(address)
        signal.throwIfAborted()
        yield { index: index++, features: { embedding: embeddingOf(address), imageSize: [3, 4] as const } }
      }
    },
  }
}
