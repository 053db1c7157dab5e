/**
 * Asks servers as Node can: through the proxies that the environment names, under our own name, for bytes as
 * they are.
 */
import type { EnvHttpProxyAgent } from 'undici'
import type { Answer, Opener, Question } from '../../../hub/answer.js'
import { HubError } from '../../../hub/hub-error.js'
import { packageVersion } from '../package-files.js'
import { type Environment, proxySettings } from './hub-settings.js'
import { openUrl } from './open-url.js'

export class UndiciOpener implements Opener, AsyncDisposable {
  readonly sendsIfRange = true
  readonly hidesHeaders = false
  readonly decodes = false
  readonly #env: Environment
  /** It is made at the first question: most calls find their file on the disk and ask none. */
  #agent: EnvHttpProxyAgent | null = null

  constructor(env: Environment) {
    this.#env = env
  }

  async open(url: URL, { method, headers, signal }: Question): Promise<Answer> {
    const undici = await import('undici')
    this.#agent ??= proxyAgent(this.#env, undici.EnvHttpProxyAgent)
    const ours = { 'user-agent': `plumage/${packageVersion()}`, 'accept-encoding': 'identity' }
    return await openUrl(url, {
      method,
      headers: { ...ours, ...headers },
      env: this.#env,
      dispatcher: this.#agent,
      signal,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.destroy()
  }
}

function proxyAgent(env: Environment, Agent: typeof EnvHttpProxyAgent): EnvHttpProxyAgent {
  try {
    // Stalls are watched for by the download, so that the time spent on a slow disk does not count. Plain
    // http goes through a proxy as plain requests: many proxies allow tunnels to port 443 only.
    return new Agent({
      ...proxySettings(env),
      headersTimeout: 0,
      bodyTimeout: 0,
      proxyTunnel: false,
    })
  } catch (error) {
    throw new HubError(
      'no-network',
      'HTTPS_PROXY or HTTP_PROXY is no address, expected one like http://proxy.example:3128. Correct it or unset it.',
      { cause: error },
    )
  }
}
