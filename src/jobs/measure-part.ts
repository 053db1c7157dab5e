/** Finds how many rows a part is to have, by embedding some of the source: a part takes about two minutes. */
import type { Clock } from '../clock.js'
import type { RowSource } from './create-job.js'
import { encodeRows, type JobEncoder } from './encode-rows.js'
import type { Fetcher } from './fetcher.js'
import { isEmbedded } from './part-rows.js'
import type { SourceRow } from './row.js'
import { WORKER_LIMITS } from './worker.js'

const PART_SECONDS = 120
/** The first images are slower than all others. */
const WARM_ROWS = 4
const ENOUGH_SECONDS = 2
const MOST_ROWS = 512
/** Where nothing can be embedded, nothing is known. */
const UNKNOWN_ROWS = 1024

export interface MeasureParts {
  readonly source: RowSource
  readonly encoder: JobEncoder
  readonly fetcher: Fetcher
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Gives the rows of a part, from 1 to `most`. Throws what the source throws; `EngineError`; the signal's reason. */
export async function measureRowsPerPart(parts: MeasureParts, most: number): Promise<number> {
  const { source, encoder, fetcher, clock, signal } = parts
  const { ahead } = WORKER_LIMITS
  const rows = await firstRows(source, signal)
  const run = async (some: readonly SourceRow[]) => {
    const started = clock.monotonic()
    const outcomes = await encodeRows(some, {
      encoder,
      fetcher,
      ahead,
      signal,
      keep: (_row, outcome) => isEmbedded(outcome),
    })
    return {
      seconds: (clock.monotonic() - started) / 1000,
      embedded: outcomes.filter((embedded) => embedded).length,
    }
  }
  await run(rows.slice(0, WARM_ROWS))
  let speed = 0
  for (let [from, count] = [WARM_ROWS, WARM_ROWS]; from < rows.length; from += count, count *= 4) {
    const { seconds, embedded } = await run(rows.slice(from, from + count))
    if (embedded > 0 && seconds > 0) speed = embedded / seconds
    if (seconds >= ENOUGH_SECONDS) break
  }
  const wanted = speed === 0 ? UNKNOWN_ROWS : Math.round(PART_SECONDS * speed)
  return Math.max(1, Math.min(most, wanted))
}

async function firstRows(source: RowSource, signal: AbortSignal): Promise<readonly SourceRow[]> {
  const rows: SourceRow[] = []
  for await (const given of source.rows(signal)) {
    rows.push(...(Array.isArray(given) ? (given as readonly SourceRow[]) : [given as SourceRow]))
    if (rows.length >= MOST_ROWS) break
  }
  return rows.slice(0, MOST_ROWS)
}
