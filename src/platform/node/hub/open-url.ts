/** One GET through proxies and redirects, every way it can go wrong turned into a named error. */
import { type Dispatcher, request } from 'undici'
import { HubError, PassingTrouble } from '../../../hub/hub-error.js'
import { type Environment, tokenHeader } from './hub-settings.js'

const MAX_REDIRECTS = 10
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const BUSY = new Set([408, 425, 429, 500, 502, 503, 504])

export interface Answer {
  /** 200, 206 or 416: any other status is an error. */
  readonly status: number
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: Dispatcher.ResponseData['body']
  /** The address that answered in the end, as it may be shown: without query (it can hold a signature). */
  readonly from: string
}

/**
 * Follows at most ten redirects and never from https to http. `HF_TOKEN` goes to the endpoint's own host only.
 * Throws `PassingTrouble` for what may be gone at the next try, else `HubError`; the signal's reason when aborted.
 */
export async function openUrl(
  start: URL,
  options: {
    readonly headers: Record<string, string>
    readonly env: Environment
    readonly dispatcher: Dispatcher
    readonly signal: AbortSignal
  },
): Promise<Answer> {
  let url = start
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const response = await ask(url, options)
    const headers = flatten(response.headers)
    if (REDIRECTS.has(response.statusCode)) {
      await response.body.dump().catch(() => {})
      url = nextHop(url, headers.location)
      continue
    }
    if ([200, 206, 416].includes(response.statusCode)) {
      return { status: response.statusCode, headers, body: response.body, from: showUrl(url) }
    }
    await response.body.dump().catch(() => {})
    throw refusal(response.statusCode, headers, start, url)
  }
  throw new HubError(
    'too-many-redirects',
    `${showUrl(start)} was redirected more than ${MAX_REDIRECTS} times, lastly to ${url.host}. ` +
      'Check the address, or HF_ENDPOINT if it is set.',
  )
}

/** Where a redirect leads. From https to http is refused unless to this machine: anyone on the way could swap the file. */
export function nextHop(from: URL, location: string | undefined): URL {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new HubError(
      'server-error',
      `${showUrl(from)} answers with a redirect to ${location === undefined ? 'nowhere' : `"${location}"`}, ` +
        'expected an address. Check the address, or HF_ENDPOINT if it is set.',
    )
  }
  const to = new URL(location, from)
  const secureEnough =
    to.protocol === 'https:' || (to.protocol === 'http:' && (from.protocol === 'http:' || isLoopback(to)))
  if (secureEnough) return to
  throw new HubError(
    'insecure-redirect',
    `${showUrl(from)} redirects to ${to.protocol}//${to.host}, expected ${from.protocol}// all the way. Nothing was ` +
      'fetched from there: download the file in another way if you trust that host.',
  )
}

/** An address fit for messages and logs: no user, no password, no signed query. */
export function showUrl(url: URL): string {
  return url.origin + url.pathname
}

async function ask(url: URL, options: Parameters<typeof openUrl>[1]): Promise<Dispatcher.ResponseData> {
  try {
    return await request(url, {
      dispatcher: options.dispatcher,
      signal: options.signal,
      headers: { ...options.headers, ...tokenHeader(url, options.env) },
    })
  } catch (error) {
    if (options.signal.aborted || error instanceof HubError) throw error
    throw noConnection(url, error)
  }
}

function noConnection(url: URL, error: unknown): Error {
  const { code, message } = describe(error)
  const found = `No connection to ${url.host} for ${url.pathname}: ${code ? `${code}, ` : ''}${message}.`
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL/.test(code)) {
    const next =
      'Expected a certificate that Node trusts: behind a company proxy, name its authority in NODE_EXTRA_CA_CERTS.'
    return new HubError('no-network', `${found} ${next}`, { cause: error })
  }
  // Undici turns a proxy's own refusal into an error of the connection.
  if (message.includes('(407)')) {
    const next = 'The proxy wants a login: give it in HTTPS_PROXY or HTTP_PROXY as http://user:password@host.'
    return new HubError('forbidden', `${found} ${next}`, { cause: error })
  }
  const next = 'Check the network and HTTPS_PROXY, HTTP_PROXY and NO_PROXY, then run again.'
  return new PassingTrouble(new HubError('no-network', `${found} ${next}`, { cause: error }))
}

function describe(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: '', message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  // A host with several addresses fails with one error for each and no message of its own.
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error
  return { code, message: (first.message || first.name).split('\n', 1)[0] }
}

function refusal(status: number, headers: Answer['headers'], start: URL, last: URL): Error {
  const by = last.host === start.host ? '' : ` (redirected to ${last.host})`
  const found = `${showUrl(start)}${by} answered ${status}`
  if (status === 404 || status === 410) {
    return new HubError(
      'not-found',
      `${found}, expected the file: there is none at this address. Check it, or HF_ENDPOINT.`,
    )
  }
  if (status === 401 || status === 403) {
    const next =
      'Set HF_TOKEN to a token that may read it (Hugging Face also answers 401 for what does not exist).'
    return new HubError('forbidden', `${found}, expected the file: you may not read it. ${next}`)
  }
  const error = new HubError(
    'server-error',
    `${found}, expected the file. Try again later; what has arrived is kept.`,
  )
  return BUSY.has(status) ? new PassingTrouble(error, retryAfterMs(headers['retry-after'])) : error
}

/** `Retry-After` is seconds or a date. */
function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(url.hostname)
}

function flatten(headers: Dispatcher.ResponseData['headers']): Answer['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  )
}
