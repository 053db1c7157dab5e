/** Fetches the bytes of an image from an address, within limits of length, time and where it may lead. */
import { ImageError } from '../../image/image-error.js'
import { type FetchImageOptions, labelOf } from './fetch-options.js'
import { ask, dropAnswer, follow, nextHopOrNull, readAnswer, type Visited } from './web-request.js'

/** Throws `ImageError`: `refused`, `not-found`, `download-failed`, `too-large`; the signal's reason. */
export async function fetchImage(url: URL, options: FetchImageOptions): Promise<Uint8Array> {
  const { offline, fetchTimeoutMs, signal } = options
  if (offline) {
    throw new ImageError(
      'refused',
      `${labelOf(url)} is not fetched, since \`offline\` is set. Give a file instead.`,
    )
  }
  const timeout = AbortSignal.timeout(fetchTimeoutMs)
  const both = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  try {
    const within = { ...options, signal: both }
    return await follow(url, within, (at) => visit(at, within))
  } catch (cause) {
    signal?.throwIfAborted()
    if (timeout.aborted) {
      throw new ImageError(
        'download-failed',
        `${labelOf(url)} took longer than ${fetchTimeoutMs} ms (fetchTimeoutMs, --fetch-timeout-ms). Try again, or fetch it in another way.`,
        { cause },
      )
    }
    throw cause
  }
}

async function visit(url: URL, options: FetchImageOptions): Promise<Visited<Uint8Array>> {
  const answer = await ask(url, options)
  const to = nextHopOrNull(url, answer)
  if (to !== null) return { to }
  const { statusCode } = answer
  if (statusCode === 200) return { result: await readAnswer(answer, url, options) }
  dropAnswer(answer)
  const code = statusCode === 404 || statusCode === 410 ? 'not-found' : 'download-failed'
  throw new ImageError(code, `${labelOf(url)} cannot be fetched: the server answers ${statusCode}.`)
}
