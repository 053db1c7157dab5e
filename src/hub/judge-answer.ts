/** Decides what an answer's bytes are good for, before one of them is read. It changes nothing. */
import type { Answer } from './answer.js'
import {
  numberOrNull,
  parseContentRange,
  provenSameVersion,
  sameVersion,
  type Version,
} from './byte-ranges.js'
import type { DownloadRun } from './download-run.js'
import { encodedBody, otherBytes, otherLength, refusal, tooLong } from './download-troubles.js'

/** Says what is here already. */
export interface Held {
  readonly received: number
  readonly version: Version | null
}

export type Verdict =
  /** The file is whole as it is. */
  | { readonly take: 'no-more' }
  /**
   * The bytes are the whole file, or what is missing of it. `total` counts the bytes of the whole file; null
   * when nobody says.
   */
  | { readonly take: 'whole' | 'rest'; readonly total: number | null }
  /** The bytes are of no use; `forget` says that those held are not either. */
  | { readonly take: 'nothing'; readonly error: Error; readonly forget: boolean }

export function judgeAnswer(answer: Answer, held: Held, run: DownloadRun): Verdict {
  switch (answer.status) {
    case 416:
      return judgeNoSuchRange(answer, held, run)
    case 206:
      return judgeRest(answer, held, run)
    case 200:
      return judgeWhole(answer, run)
    default:
      return { take: 'nothing', error: refusal(answer, run), forget: false }
  }
}

export function versionOf(answer: Answer): Version {
  return { etag: answer.header('etag'), lastModified: answer.header('last-modified') }
}

/** The server has no byte beyond those held: they are all, if it says so of the same version. */
function judgeNoSuchRange(answer: Answer, held: Held, run: DownloadRun): Verdict {
  const total = /^bytes \*\/(\d+)$/.exec(answer.header('content-range') ?? '')?.[1]
  const areAll = held.received > 0 && Number(total) === held.received
  if (!areAll || !belongs(answer, held, run)) {
    const error = otherBytes(answer, `has no byte ${held.received}`, run)
    return { take: 'nothing', error, forget: true }
  }
  return judgeTotal(held.received, answer, run) ?? { take: 'no-more' }
}

function judgeRest(answer: Answer, held: Held, run: DownloadRun): Verdict {
  const range = parseContentRange(answer.header('content-range'))
  // Where headers are hidden, only a hash can tell whether the pieces belong together.
  const isHidden = range === null && run.opener.hidesHeaders && run.sha256 !== null
  const isInPlace = isHidden || range?.start === held.received
  const length = numberOrNull(answer.header('content-length'))
  const total = range?.total ?? (length === null ? null : held.received + length)
  // Offsets into an encoded file are not those of its bytes. A whole that ends before its rest begins is
  // none.
  const isSound = encodingOf(answer) === null && (total === null || total > held.received)
  if (!isInPlace || !isSound || !belongs(answer, held, run)) {
    const what = 'answered with other bytes than those asked for, or of another version'
    return { take: 'nothing', error: otherBytes(answer, what, run), forget: true }
  }
  return judgeTotal(total, answer, run) ?? { take: 'rest', total: run.size ?? total }
}

function judgeWhole(answer: Answer, run: DownloadRun): Verdict {
  const encoding = encodingOf(answer)
  if (encoding !== null && !run.opener.decodes && run.sha256 === null) {
    return { take: 'nothing', error: encodedBody(answer, encoding), forget: false }
  }
  const isLengthOfBytes = encoding === null || !run.opener.decodes
  const total = isLengthOfBytes ? numberOrNull(answer.header('content-length')) : null
  return judgeTotal(total, answer, run) ?? { take: 'whole', total: run.size ?? total }
}

/**
 * Tells whether an answer speaks of the version that is held. Without a hash to tell in the end, and where
 * `If-Range` could not be sent, it must say so.
 */
function belongs(answer: Answer, held: Held, run: DownloadRun): boolean {
  const isVouchedFor = run.sha256 !== null || run.opener.sendsIfRange
  return (isVouchedFor ? sameVersion : provenSameVersion)(held.version, versionOf(answer))
}

/** Refuses a length that is not that of the expected file; gives null when it may be. */
function judgeTotal(total: number | null, answer: Answer, run: DownloadRun): Verdict | null {
  const limit = run.size ?? run.atMost
  if (total === null) return null
  if (total > limit) return { take: 'nothing', error: tooLong(answer, total, limit), forget: true }
  if (run.size === null || total === run.size) return null
  return { take: 'nothing', error: otherLength(answer, total, run.size), forget: false }
}

/** Gives null when the body is the file's bytes as they are. */
function encodingOf(answer: Answer): string | null {
  const encoding = answer.header('content-encoding')
  return encoding === null || encoding.trim() === '' || encoding.trim().toLowerCase() === 'identity'
    ? null
    : encoding
}
