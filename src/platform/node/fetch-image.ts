/** Fetches the bytes of an image from an address, within limits of length, time and where it may lead. */
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici'
import { tooLong } from '../../image/decodable.js'
import { ImageError } from '../../image/image-error.js'
import { type FetchImageOptions, labelOf } from './fetch-options.js'
import { proxySettings } from './hub/hub-settings.js'
import { lookupPublic, refusePrivateHost } from './public-address.js'
import { readStream } from './read-stream.js'

const MOST_REDIRECTS = 5
const REDIRECTS = [301, 302, 303, 307, 308]

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
    return await follow(url, { ...options, signal: both })
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

async function follow(start: URL, options: FetchImageOptions): Promise<Uint8Array> {
  let url = start
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    if (!options.allowPrivateAddresses) refusePrivateHost(url)
    const answer = await ask(url, options)
    if (!REDIRECTS.includes(answer.statusCode)) return await bodyOf(answer, url, options)
    answer.body.on('error', () => {}).destroy()
    url = nextHop(url, answer.headers.location)
  }
  throw new ImageError(
    'download-failed',
    `${labelOf(start)} was redirected more than ${MOST_REDIRECTS} times, lastly to ${url.host}.`,
  )
}

const HEADERS = { 'user-agent': 'plumage', accept: 'image/*,*/*;q=0.5', 'accept-encoding': 'identity' }

/** A name and a password in an address are for its own server: another one, to which that leads, is not shown them. */
function loginOf({ username, password }: URL): { readonly authorization?: string } {
  if (username === '' && password === '') return {}
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(login).toString('base64')}` }
}

async function ask(url: URL, options: FetchImageOptions): Promise<Dispatcher.ResponseData> {
  try {
    return await request(url, {
      dispatcher: agentFor(options),
      headers: { ...HEADERS, ...loginOf(url) },
      signal: options.signal ?? null,
    })
  } catch (cause) {
    options.signal?.throwIfAborted()
    if (cause instanceof ImageError) throw cause
    const reason = cause instanceof AggregateError ? String(cause.errors[0]) : String(cause)
    throw new ImageError('download-failed', `${labelOf(url)} cannot be fetched: ${reason}.`, { cause })
  }
}

const agents = new Map<boolean, EnvHttpProxyAgent>()

/** Proxies of the environment are used, and judge by themselves what their names lead to. */
function agentFor({ allowPrivateAddresses }: FetchImageOptions): EnvHttpProxyAgent {
  const known = agents.get(allowPrivateAddresses)
  if (known !== undefined) return known
  const agent = new EnvHttpProxyAgent({
    ...proxySettings(process.env),
    connect: allowPrivateAddresses ? {} : { lookup: lookupPublic },
  })
  agents.set(allowPrivateAddresses, agent)
  return agent
}

/** From https to http nothing is followed: anyone on the way could swap the image. */
function nextHop(from: URL, location: string | readonly string[] | undefined): URL {
  const target = typeof location === 'string' ? location : location?.[0]
  const to = target !== undefined && URL.canParse(target, from.href) ? new URL(target, from) : null
  if (to !== null && (to.protocol === 'https:' || to.protocol === from.protocol)) return to
  throw new ImageError(
    'download-failed',
    `${labelOf(from)} redirects to ${to === null ? 'nowhere' : `${to.protocol}//${to.host}`}, expected ${from.protocol} all the way.`,
  )
}

async function bodyOf(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  url: URL,
  options: FetchImageOptions,
): Promise<Uint8Array> {
  const { maxFileBytes } = options
  try {
    if (statusCode !== 200) {
      const code = statusCode === 404 || statusCode === 410 ? 'not-found' : 'download-failed'
      throw new ImageError(code, `${labelOf(url)} cannot be fetched: the server answers ${statusCode}.`)
    }
    const encoding = headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') {
      throw new ImageError(
        'download-failed',
        `${labelOf(url)} comes packed (${encoding}), though that was not asked for.`,
      )
    }
    if (Number(headers['content-length'] ?? 0) > maxFileBytes) throw tooLong(labelOf(url), maxFileBytes)
    return await readStream(body, labelOf(url), options)
  } finally {
    body.on('error', () => {}).destroy()
  }
}
