/** Tries until a file is whole and right, or until trying is no use. */
import type { DownloadRun } from './download-run.js'
import { wrongHash } from './download-troubles.js'
import { fetchRest } from './fetch-rest.js'
import { type HubError, PassingTrouble } from './hub-error.js'
import type { PartialDownload } from './partial-download.js'

const LONGEST_WAIT_MS = 60_000
/** A server that cannot be reached at all, or that refuses, is not tried as often as one that is busy. */
const RETRIES_UNREACHED = 2
/** A try that brought at least so many bytes was worth it: the count of failures begins again. */
const PROGRESS = 2 ** 20

/** Throws `HubError`, or the signal's reason. */
export async function fetchPersistently(partial: PartialDownload<unknown>, run: DownloadRun): Promise<void> {
  let failures = 0
  let farthest = partial.received
  let startedAnew = false
  while (true) {
    try {
      const wholeness = await fetchRest(partial, run)
      const found = partial.sha256()
      if (run.sha256 === null || found === run.sha256) return
      await partial.restart()
      // Pieces that do not belong together make a wrong whole: it is fetched once more, in one piece.
      if (wholeness === 'in one piece' || startedAnew) throw wrongHash(run, found)
      startedAnew = true
    } catch (error) {
      if (!(error instanceof PassingTrouble)) throw error
      // Bytes that come a second time are no progress, so that the number of tries has an end.
      if (partial.received >= farthest + PROGRESS) failures = 0
      farthest = Math.max(farthest, partial.received)
      failures += 1
      if (failures > retriesFor(error.error, run)) throw error.error
      await run.clock.pause(waitBefore(failures, error.retryAfterMs, run), run.signal)
    }
  }
}

function retriesFor(error: HubError, { retries }: DownloadRun): number {
  return error.code === 'no-network' || error.code === 'forbidden'
    ? Math.min(retries, RETRIES_UNREACHED)
    : retries
}

/** Each wait is twice the last one, with some chance in it so that many machines do not come back at once. */
function waitBefore(failure: number, retryAfterMs: number | undefined, run: DownloadRun): number {
  const wait = run.retryDelayMs * 2 ** (failure - 1) * (0.75 + Math.random() / 2)
  return Math.min(retryAfterMs ?? wait, LONGEST_WAIT_MS)
}
