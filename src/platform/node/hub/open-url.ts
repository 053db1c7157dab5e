/**
 * Sends one question through proxies and redirects; every way in which that can go wrong is a named error.
 */
import type { Dispatcher } from 'undici'
import type { Answer, Question } from '../../../hub/answer.js'
import { HubError, PassingTrouble } from '../../../hub/hub-error.js'
import { showUrl } from '../../../hub/show-url.js'
import { errorCode } from './file-trouble.js'
import { type Environment, tokenHeader } from './hub-settings.js'
import { tokenOrNull } from './token.js'

const MAX_REDIRECTS = 10
/** Headers of Hugging Face, which say what the file is that a redirect leads to. */
const OF_THE_HUB = ['x-linked-etag', 'x-linked-size', 'x-repo-commit']
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/**
 * Follows at most ten redirects and never from https to http. `HF_TOKEN` goes to the endpoint's own host
 * only. Throws `PassingTrouble` for what may be gone at the next try, else `HubError`; the signal's reason
 * when aborted.
 */
export async function openUrl(
  start: URL,
  options: Question & { readonly env: Environment; readonly dispatcher: Dispatcher },
): Promise<Answer> {
  let url = start
  const said = new Map<string, string>()
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const response = await ask(url, options)
    // What the hub says of a file it says where it redirects, and the second host does not repeat it.
    for (const name of OF_THE_HUB) {
      const value = firstOf(response.headers[name])
      if (value !== null && !said.has(name)) said.set(name, value)
    }
    const header = (name: string) => said.get(name) ?? firstOf(response.headers[name])
    if (!REDIRECTS.has(response.statusCode)) return answerOf(url, response, header)
    await response.body.dump().catch(() => {})
    url = nextHop(url, header('location') ?? undefined)
  }
  throw new HubError(
    'too-many-redirects',
    `${showUrl(start)} was redirected more than ${MAX_REDIRECTS} times, lastly to ${url.host}. ` +
      'Check the address, or HF_ENDPOINT if it is set.',
  )
}

function answerOf(url: URL, response: Dispatcher.ResponseData, header: Answer['header']): Answer {
  const { statusCode: status, body } = response
  return {
    status,
    url,
    header,
    body,
    // A body that is read away could be long, or stall: the connection is closed instead.
    cancel: async () => {
      body.on('error', () => {}).destroy()
    },
  }
}

/**
 * Says where a redirect leads. From https to http is refused unless to this machine: anyone on the way could
 * swap the file.
 */
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

async function ask(url: URL, options: Parameters<typeof openUrl>[1]): Promise<Dispatcher.ResponseData> {
  const { request } = await import('undici')
  try {
    return await request(url, {
      method: options.method,
      dispatcher: options.dispatcher,
      signal: options.signal,
      headers: { ...options.headers, ...tokenHeader(url, options.env, () => tokenOrNull(options.env)) },
      // Undici would close the connection behind each question for headers, of which there may be one for each file.
      ...(options.method === 'HEAD' ? { reset: false } : {}),
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
  // A host with several addresses fails with one error for each and no message of its own.
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error
  return { code: errorCode(error), message: (first.message || first.name).replace(/\n.*/s, '') }
}

function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(url.hostname)
}

function firstOf(value: string | readonly string[] | undefined): string | null {
  const first = typeof value === 'string' ? value : value?.[0]
  return first ?? null
}
