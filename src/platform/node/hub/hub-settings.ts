/**
 * Reads, when asked, what the environment says about downloads: the cache folder, Hugging Face's variables,
 * proxies.
 */
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { HubError } from '../../../hub/hub-error.js'
import { HUGGING_FACE } from '../../../hub/repository-name.js'

/** Holds environment variables, as `process.env` does. */
export type Environment = { readonly [name: string]: string | undefined }

/** Gives the absolute path `PLUMAGE_CACHE`, else `plumage` in the folder that the system keeps caches in. */
export function cacheFolder(env: Environment = process.env, platform: string = process.platform): string {
  if (env.PLUMAGE_CACHE) return resolve(env.PLUMAGE_CACHE)
  // The XDG rules say that a relative path is to be ignored.
  if (env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME)) return join(env.XDG_CACHE_HOME, 'plumage')
  const home = homeFolder(env)
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'plumage')
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'plumage')
  return join(home, '.cache', 'plumage')
}

/** Gives the person's own folder. */
export function homeFolder(env: Environment): string {
  return env.HOME || homedir()
}

/** Writes out `~` and `$NAME` in a value, as Python's libraries do; null where the variable is not set. A name that is not set stays as it is. */
export function expanded(value: string | undefined, env: Environment): string | null {
  if (!value) return null
  return value
    .replace(/^~(?=$|[/\\])/, () => homeFolder(env))
    .replace(/\$(?:\{(\w+)\}|(\w+))/g, (all, braced, bare) => env[braced ?? bare] ?? all)
}

/**
 * Tells whether `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE` forbids the network: it says 1, true, yes or on, as Hugging Face reads it.
 */
export function isOffline(env: Environment): boolean {
  return isTrue(env.HF_HUB_OFFLINE || env.TRANSFORMERS_OFFLINE)
}

/** Tells whether `HF_HUB_DISABLE_SYMLINKS` wants files where links would lie. */
export function forbidsLinks(env: Environment): boolean {
  return isTrue(env.HF_HUB_DISABLE_SYMLINKS)
}

function isTrue(value: string | undefined): boolean {
  return /^(1|true|yes|on)$/i.test(value ?? '')
}

/**
 * Addresses at Hugging Face lead to `HF_ENDPOINT` instead, when it is set. Throws `no-address` where that is
 * none.
 */
export function applyEndpoint(url: string, env: Environment): string {
  return url.startsWith(`${HUGGING_FACE}/`) ? endpoint(env) + url.slice(HUGGING_FACE.length) : url
}

/**
 * Makes the header that shows a token, for the endpoint's own host only: a token that strangers see is a token lost.
 *
 * @param token gives it; it is not asked where no host may see it
 */
export function tokenHeader(url: URL, env: Environment, token: () => string | null): Record<string, string> {
  if (url.origin !== new URL(endpoint(env)).origin) return {}
  const shown = token()
  return shown === null ? {} : { authorization: `Bearer ${shown}` }
}

/**
 * Names the proxies to use, as undici's agent takes them. None is an empty text, so that it does not look for
 * itself.
 */
export function proxySettings(env: Environment): { httpProxy: string; httpsProxy: string; noProxy: string } {
  const httpProxy = env.http_proxy ?? env.HTTP_PROXY ?? ''
  return {
    httpProxy,
    httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? '',
    noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
  }
}

function endpoint(env: Environment): string {
  const value = env.HF_ENDPOINT || HUGGING_FACE
  if (URL.canParse(value) && /^https?:/i.test(value)) return value.replace(/\/+$/, '')
  throw new HubError(
    'no-address',
    `HF_ENDPOINT is "${value}", which is no http(s) address. Set it to something like ${HUGGING_FACE}, or unset it.`,
  )
}
