/** Fetches images before their turn: as many at a time, and as many bytes, as it is told, so that a slow server is waited for by many at once and memory is bounded. */
import type { Fetcher } from './fetcher.js'
import type { RowFailure, SourceRow } from './row.js'

export interface ReadAheadSettings {
  /** Counts the images that are fetched, or wait for their turn. */
  readonly images: number
  /** Counts the bytes that wait for their turn; one more image may come when there are fewer. */
  readonly bytes: number
}

export interface FetchedRow {
  /** Counts rows from the first. */
  readonly index: number
  readonly found: Uint8Array | RowFailure
}

/** Yields rows in their order. Throws the signal's reason. */
export async function* readAhead(
  rows: readonly SourceRow[],
  fetcher: Fetcher,
  { images, bytes }: ReadAheadSettings,
  signal: AbortSignal,
): AsyncGenerator<FetchedRow> {
  const stop = new AbortController()
  const all = AbortSignal.any([signal, stop.signal])
  const underWay: Promise<Uint8Array | RowFailure>[] = []
  let next = 0
  let waiting = 0
  const start = ({ place }: SourceRow) => {
    const fetched = fetcher.fetch(place, all).then((found) => {
      waiting += sizeOf(found)
      return found
    })
    // Whoever leaves early awaits none of them.
    fetched.catch(() => {})
    underWay.push(fetched)
  }
  try {
    for (let index = 0; index < rows.length; index++) {
      for (let row = rows[next]; row !== undefined; row = rows[++next]) {
        if (underWay.length > 0 && (underWay.length >= images || waiting >= bytes)) break
        start(row)
      }
      const found = await underWay.shift()
      signal.throwIfAborted()
      if (found === undefined) throw new Error(`row ${index} was not fetched`)
      waiting -= sizeOf(found)
      yield { index, found }
    }
  } finally {
    stop.abort(new Error('no more images are wanted'))
  }
}

function sizeOf(found: Uint8Array | RowFailure): number {
  return found instanceof Uint8Array ? found.length : 0
}
