/** Makes one try at a download: asks for what is missing, judges the answer and appends what comes. */
import type { Answer } from './answer.js'
import { resumable, validator } from './byte-ranges.js'
import type { DownloadRun } from './download-run.js'
import { cut, stalled, textForWeights, tooLong } from './download-troubles.js'
import { judgeAnswer, versionOf } from './judge-answer.js'
import type { PartialDownload } from './partial-download.js'
import { type StallWatch, watchStall } from './stall-watch.js'
import { firstLineOfText } from './text-for-weights.js'

/** Tells how a file became whole: in one answer, or in pieces that could be of different versions. */
export type Wholeness = 'in one piece' | 'in pieces'

/**
 * Returns when the partial file is as long as it should be. Throws `PassingTrouble` when another try may go
 * on from there, `HubError` when not, the signal's reason when aborted.
 */
export async function fetchRest(partial: PartialDownload<unknown>, run: DownloadRun): Promise<Wholeness> {
  await dropUnusable(partial, run)
  if (partial.received > 0 && partial.received === run.size) return 'in pieces'

  const stall = watchStall(run.clock, run.stallTimeoutMs, () => stalled(run, partial.received))
  const signal = AbortSignal.any([run.signal, stall.signal])
  stall.rearm()
  try {
    const answer = await run.opener.open(run.url, {
      method: 'GET',
      headers: headersFor(partial, run),
      signal,
    })
    stall.rest()
    return await take(answer, partial, run, stall)
  } catch (error) {
    run.signal.throwIfAborted()
    stall.signal.throwIfAborted()
    throw error
  } finally {
    stall.rest()
  }
}

/** Forgets bytes that nothing could be joined to, and more bytes than the file may have. */
export async function dropUnusable(partial: PartialDownload<unknown>, run: DownloadRun): Promise<void> {
  if (partial.received === 0) return
  const isUsable = resumable(partial.version, run.sha256 !== null)
  if (!isUsable || partial.received > (run.size ?? run.atMost)) await partial.restart()
}

function headersFor(partial: PartialDownload<unknown>, run: DownloadRun): Record<string, string> {
  if (partial.received === 0) return {}
  const range = `bytes=${partial.received}-`
  const condition = partial.version && validator(partial.version)
  return condition && run.opener.sendsIfRange ? { range, 'if-range': condition } : { range }
}

/** Does with the answer and with the bytes that are here as the verdict says. */
async function take(
  answer: Answer,
  partial: PartialDownload<unknown>,
  run: DownloadRun,
  stall: StallWatch,
): Promise<Wholeness> {
  const verdict = judgeAnswer(answer, partial, run)
  if (verdict.take === 'no-more' || verdict.take === 'nothing') {
    await answer.cancel()
    if (verdict.take === 'no-more') return 'in pieces'
    if (verdict.forget) await partial.restart()
    throw verdict.error
  }
  const isWhole = verdict.take === 'whole'
  try {
    await partial.reserve(Math.max(0, (verdict.total ?? 0) - (isWhole ? 0 : partial.received)))
    if (isWhole) await partial.begin(versionOf(answer))
    run.report(partial.received > 0 ? 'resume' : 'start', partial.received, verdict.total)
  } catch (error) {
    await answer.cancel()
    throw error
  }
  await receive(answer, verdict.total, partial, run, stall)
  return isWhole ? 'in one piece' : 'in pieces'
}

async function receive(
  answer: Answer,
  total: number | null,
  partial: PartialDownload<unknown>,
  run: DownloadRun,
  stall: StallWatch,
): Promise<void> {
  const limit = total ?? run.atMost
  const cutHere = (cause?: unknown) => cut(answer, partial.received, total, run, cause)
  stall.rearm()
  for await (const chunk of cuttable(answer.body, cutHere)) {
    stall.rest() // A slow disk is not a stalled server.
    const text = partial.received === 0 ? firstLineOfText(run.url, chunk) : null
    if (text !== null) throw textForWeights(answer, text)
    const length = partial.received + chunk.length
    if (length > limit) {
      await partial.restart()
      throw tooLong(answer, length, limit)
    }
    await partial.append(chunk)
    run.report('bytes', partial.received, total)
    stall.rearm()
  }
  if (total !== null && partial.received < total) throw cutHere()
}

/**
 * Turns what a body throws into `trouble`: what the one who walks through it throws, such as errors of our
 * own disk, stays as it is.
 */
async function* cuttable(
  body: AsyncIterable<Uint8Array>,
  trouble: (cause: unknown) => Error,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body
  } catch (error) {
    throw trouble(error)
  }
}
