/**
 * Answers what watches a worker: `/metrics` for its figures, `/livez` whether it still does something, `/readyz` whether it takes parts. It listens on loopback unless told
 * otherwise, and gives away nothing but counts.
 */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { WorkerEvent } from '../../../../jobs/events.js'
import type { WorkerMetrics } from './worker-metrics.js'

export interface HealthOptions {
  readonly metrics: WorkerMetrics
  readonly host: string
  /** Is 0 for any free one. */
  readonly port: number
  /** Without a sign of life for so long it counts as hung: rows are such signs, and waiting is. */
  readonly hungMs?: number
  /** Tells the time; default: of this machine, never going back. */
  readonly now?: () => number
}

/** A row takes a minute at most, a slow fetch two; a part is written within some more. */
const HUNG_MS = 600_000

export class WorkerHealth implements AsyncDisposable {
  readonly #server: Server
  readonly #options: HealthOptions
  #lastSign: number
  /** Says why it takes no parts, where it does not. */
  #idle: string | null = 'the worker is starting'

  private constructor(options: HealthOptions) {
    this.#options = options
    this.#lastSign = this.#now()
    this.#server = createServer((request, response) => {
      this.#answer(request.method ?? '', request.url ?? '', response).catch(() => response.destroy())
    })
  }

  /** Rejects where the port cannot be had. */
  static async listen(options: HealthOptions): Promise<WorkerHealth> {
    const health = new WorkerHealth(options)
    await new Promise<void>((resolve, reject) => {
      health.#server.once('error', reject)
      health.#server.listen(options.port, options.host, resolve)
    })
    // A worker that is done ends, whoever still asks.
    health.#server.unref()
    return health
  }

  /** Is where it answers, as `http://127.0.0.1:9464`. */
  get address(): string {
    const { address, port, family } = this.#server.address() as AddressInfo
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  /** Takes down an event. */
  sign(event: WorkerEvent): void {
    this.#lastSign = this.#now()
    if (event.kind === 'trouble') this.#idle = event.reason
    else if (event.kind === 'waiting') this.#idle = event.why === 'paused' ? event.reason : null
    else this.#idle = null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #now(): number {
    return (this.#options.now ?? (() => performance.now()))()
  }

  async #answer(method: string, url: string, response: ServerResponse): Promise<void> {
    const { metrics } = this.#options
    const path = url.split('?')[0]
    if (method !== 'GET' && method !== 'HEAD') return send(response, 405, 'Only GET is answered.\n')
    switch (path) {
      case '/metrics':
        return send(response, 200, await metrics.text(), metrics.contentType)
      case '/livez': {
        const quietMs = this.#now() - this.#lastSign
        const isHung = quietMs > (this.#options.hungMs ?? HUNG_MS)
        const seconds = Math.round(quietMs / 1000)
        return send(response, isHung ? 503 : 200, `${isHung ? 'hung' : 'ok'}: last sign ${seconds} s ago\n`)
      }
      case '/readyz':
        return send(response, this.#idle === null ? 200 : 503, `${this.#idle ?? 'ok'}\n`)
      default:
        return send(response, 404, 'Here are /metrics, /livez and /readyz.\n')
    }
  }
}

function send(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
  response.end(text)
}
