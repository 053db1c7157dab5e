/** Asks whether a stored file is still what its address has. */
import { numberOrNull, sameVersion, type Version } from './byte-ranges.js'
import type { DownloadRun } from './download-run.js'
import { HubError, PassingTrouble } from './hub-error.js'
import { versionOf } from './judge-answer.js'

/** A server may take so long to say whether a file that is here has changed. */
const LONGEST_QUESTION_MS = 5000

/**
 * Asks the server for headers alone. Where it does not say, or cannot be reached, what is here is used.
 * Throws the signal's reason.
 */
export async function isCurrent(
  stored: { readonly version: Version; readonly size: number },
  run: Pick<DownloadRun, 'url' | 'opener' | 'clock' | 'signal'>,
): Promise<boolean> {
  const patience = new AbortController()
  const stop = run.clock.after(LONGEST_QUESTION_MS, () => patience.abort())
  try {
    const signal = AbortSignal.any([run.signal, patience.signal])
    const answer = await run.opener.open(run.url, { method: 'HEAD', headers: {}, signal })
    await answer.cancel()
    if (answer.status !== 200) return true
    const isLengthOfBytes = answer.header('content-encoding') === null
    const length = isLengthOfBytes ? numberOrNull(answer.header('content-length')) : null
    return sameVersion(stored.version, versionOf(answer)) && (length === null || length === stored.size)
  } catch (error) {
    run.signal.throwIfAborted()
    if (patience.signal.aborted || error instanceof PassingTrouble || error instanceof HubError) return true
    throw error
  } finally {
    stop()
  }
}
