/** Each thing that can go wrong with a download has its named error here. */
import type { Answer } from './answer.js'
import type { DownloadRun } from './download-run.js'
import { HubError, PassingTrouble } from './hub-error.js'
import { showUrl } from './show-url.js'

/** These statuses may be gone at the next try. */
const BUSY: readonly number[] = [408, 425, 429, 500, 502, 503, 504]

/**
 * Names any status that brings no bytes. A redirect's host is named too, since it is the one that refuses.
 */
export function refusal(answer: Answer, { url, advice }: DownloadRun): Error {
  const { status } = answer
  const by = answer.url.host === url.host ? '' : ` (redirected to ${answer.url.host})`
  const found = `${showUrl(url)}${by} answered ${status}, expected the file`
  const told = refusalOfTheHub(answer.header('x-error-code'), found, advice)
  if (told !== null) return told
  if (status === 404 || status === 410) {
    return new HubError('not-found', `${found}: there is none at this address. ${advice.notFound}`)
  }
  if (status === 401 || status === 403) {
    const error = new HubError('forbidden', `${found}: it may not be read. ${advice.forbidden}`)
    // An address that a redirect leads to may be signed for a while only: asked again, the first host signs a new one.
    return by === '' ? error : new PassingTrouble(error)
  }
  const error = new HubError('server-error', `${found}. ${advice.busy}`)
  return BUSY.includes(status) ? new PassingTrouble(error, retryAfterMs(answer.header('retry-after'))) : error
}

/** Hugging Face says by a header why it refuses, since it answers 401 for what does not exist as well. */
function refusalOfTheHub(
  code: string | null,
  found: string,
  { notFound }: DownloadRun['advice'],
): HubError | null {
  switch (code) {
    case 'GatedRepo':
      return new HubError(
        'gated',
        `${found}: the repository is gated. Ask for access on its page at Hugging Face, then set HF_TOKEN to a token of yours.`,
      )
    case 'RepoNotFound':
      return new HubError('not-found', `${found}: there is no such repository, or it is private. ${notFound}`)
    case 'RevisionNotFound':
      return new HubError(
        'not-found',
        `${found}: the repository has no such branch, tag or commit. ${notFound}`,
      )
    case 'EntryNotFound':
      return new HubError('not-found', `${found}: the repository has no such file. ${notFound}`)
    default:
      return null
  }
}

/** Refuses a text, such as a page that says why something is refused, where a file of weights was expected. */
export function textForWeights(answer: Answer, firstLine: string): HubError {
  return new HubError(
    'server-error',
    `${showUrl(answer.url)} sends a text, expected a file of weights. It begins: ${firstLine}. Nothing was kept. ` +
      'An address that was made for one person, or for some hours, is often answered so: ask for a new one.',
  )
}

/** `Retry-After` is seconds or a date (RFC 9110, section 10.2.3). */
function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

export function stalled(run: DownloadRun, received: number): PassingTrouble {
  return new PassingTrouble(
    new HubError(
      'stalled',
      `${run.url.host} sent nothing for ${run.stallTimeoutMs / 1000} s, ${received} bytes into ${run.url.pathname}. ` +
        `Check the network. ${run.advice.again}: it goes on from there.`,
    ),
  )
}

export function cut(
  answer: Answer,
  received: number,
  total: number | null,
  run: DownloadRun,
  cause?: unknown,
): PassingTrouble {
  const expected = total === null ? 'the end of the file' : `${total}`
  return new PassingTrouble(
    new HubError(
      'short-file',
      `${showUrl(answer.url)} was cut off after ${received} bytes, expected ${expected}. ${run.advice.again}: it goes on from there.`,
      { cause },
    ),
  )
}

/** Refuses an answer that cannot be joined to what is here. */
export function otherBytes(answer: Answer, what: string, run: DownloadRun): PassingTrouble {
  return new PassingTrouble(
    new HubError(
      'server-error',
      `${showUrl(answer.url)} ${what}, expected the rest of the file. ${run.advice.again}: it starts anew.`,
    ),
  )
}

/** Refuses bytes in an encoding that was not asked for and is not undone. */
export function encodedBody(answer: Answer, encoding: string): HubError {
  return new HubError(
    'server-error',
    `${showUrl(answer.url)} sends the file encoded (${encoding}), expected its bytes as they are. Fetch it from another address, or ` +
      'give its sha256 if these are the bytes that you want.',
  )
}

export function tooLong(answer: Answer, length: number, limit: number): HubError {
  return new HubError(
    'too-long',
    `${showUrl(answer.url)} offers ${length} bytes or more, expected at most ${limit}. This is another file: nothing was kept. ` +
      'Check the address.',
  )
}

export function otherLength(answer: Answer, length: number, expected: number): HubError {
  return new HubError(
    'short-file',
    `${showUrl(answer.url)} offers ${length} bytes, expected ${expected}. Is something between you and the server answering in its ` +
      'place? Check the address and the proxy.',
  )
}

export function wrongHash(run: DownloadRun, found: string): HubError {
  return new HubError(
    'wrong-hash',
    `${showUrl(run.url)} has sha256 ${found}, expected ${run.sha256}. Nothing was kept. ${run.advice.wrongHash}`,
  )
}
