/** Asks web servers for files, within limits of where that may lead: names and redirects are judged at each step. */
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici'
import { tooLong } from '../../image/decodable.js'
import { ImageError } from '../../image/image-error.js'
import { type FetchImageOptions, labelOf } from './fetch-options.js'
import { proxySettings } from './hub/hub-settings.js'
import { lookupPublic, refusePrivateHost } from './public-address.js'
import { readStream } from './read-stream.js'

const MOST_REDIRECTS = 5
const REDIRECTS = [301, 302, 303, 307, 308]

/** Says within which limits a server is asked. */
export type WebLimits = Pick<FetchImageOptions, 'allowPrivateAddresses' | 'signal'>

/** Is the answer of a server, whose body must be read or dropped. */
export type WebAnswer = Dispatcher.ResponseData

/** Says what came of asking one address: it leads on, or this is what was wanted. */
export type Visited<Result> = { readonly to: URL } | { readonly result: Result }

/**
 * Goes where redirects lead, and gives what the last address does. Throws `ImageError` `refused` for one that leads to a private address, `download-failed` where there
 * are too many; what `visit` throws.
 */
export async function follow<Result>(
  start: URL,
  { allowPrivateAddresses }: WebLimits,
  visit: (url: URL) => Promise<Visited<Result>>,
): Promise<Result> {
  let url = start
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    if (!allowPrivateAddresses) refusePrivateHost(url)
    const found = await visit(url)
    if ('result' in found) return found.result
    url = found.to
  }
  throw new ImageError(
    'download-failed',
    `${labelOf(start)} was redirected more than ${MOST_REDIRECTS} times, lastly to ${url.host}.`,
  )
}

/** Gives where the answer leads, and drops it; null where it leads nowhere else. Throws `ImageError` `download-failed` for a way that is not gone. */
export function nextHopOrNull(from: URL, answer: WebAnswer): URL | null {
  if (!REDIRECTS.includes(answer.statusCode)) return null
  dropAnswer(answer)
  return nextHop(from, answer.headers.location)
}

/** Ends an answer that is not read further. */
export function dropAnswer({ body }: WebAnswer): void {
  body.on('error', () => {}).destroy()
}

const HEADERS = { 'user-agent': 'plumage', accept: 'image/*,*/*;q=0.5', 'accept-encoding': 'identity' }

/** A name and a password in an address are for its own server: another one, to which that leads, is not shown them. */
function loginOf({ username, password }: URL): { readonly authorization?: string } {
  if (username === '' && password === '') return {}
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(login).toString('base64')}` }
}

/** Throws `ImageError` `refused` where a name leads to a private address, `download-failed`, with its cause, where no answer comes; the signal's reason. */
export async function ask(
  url: URL,
  options: WebLimits,
  headers: Readonly<Record<string, string>> = {},
): Promise<WebAnswer> {
  try {
    return await request(url, {
      dispatcher: agentFor(options),
      headers: { ...HEADERS, ...headers, ...loginOf(url) },
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
function agentFor({ allowPrivateAddresses }: WebLimits): EnvHttpProxyAgent {
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

/** Reads the body of an answer, which is dropped if it is not as it should be. Throws `ImageError` `download-failed`, `too-large`, `unreadable`; the signal's reason. */
export async function readAnswer(
  answer: WebAnswer,
  url: URL,
  options: Pick<FetchImageOptions, 'maxFileBytes' | 'signal'>,
): Promise<Uint8Array> {
  const { headers, body } = answer
  const { maxFileBytes } = options
  try {
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
    dropAnswer(answer)
  }
}
