/** Asks the worker on the page's side. One worker serves all encoders of a page, and ends with the last. */
import { disposed, EngineError } from '../../../engine/engine-error.js'
import type { DownloadProgress } from '../../../hub/download-progress.js'
import { errorFrom } from './plain-error.js'
import type { FromHost, HostAnswer, HostRequest, ToHost } from './protocol.js'

export interface AskOptions {
  readonly transfer?: readonly Transferable[]
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined
  readonly onWarning?: ((message: string) => void) | undefined
}

interface Waiting extends AskOptions {
  resolve(answer: HostAnswer): void
  reject(error: unknown): void
}

export class HostClient {
  static #shared: HostClient | null = null
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #next = 0
  #users = 0
  #ended: EngineError | null = null

  private constructor() {
    this.#worker = new Worker(new URL('./host.js', import.meta.url), { type: 'module', name: 'plumage' })
    this.#worker.onmessage = ({ data }: MessageEvent<FromHost>) => this.#settle(data)
    this.#worker.onerror = ({ message }) => this.#end(workerFailed(message))
  }

  /** Takes the worker that runs already, or a new one; `release` says that one user less needs it. */
  static take(): HostClient {
    HostClient.#shared ??= new HostClient()
    HostClient.#shared.#users++
    return HostClient.#shared
  }

  release(): void {
    this.#users--
    if (this.#users > 0) return
    this.#end(disposed('encoder'))
  }

  async ask<Answer extends HostAnswer>(request: HostRequest, options: AskOptions = {}): Promise<Answer> {
    const { signal, transfer = [] } = options
    signal?.throwIfAborted()
    if (this.#ended !== null) throw this.#ended
    const id = this.#next++
    const cancel = () => this.#post({ id, cancel: true })
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.#waiting.set(id, { ...options, resolve: (answer) => resolve(answer as Answer), reject })
        this.#post({ id, request }, transfer)
      })
    } catch (error) {
      // What was stopped reports that it was stopped; the caller hears why.
      signal?.throwIfAborted()
      throw error
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }

  /** Sends a request whose answer nobody waits for. */
  tell(request: HostRequest): void {
    if (this.#ended === null) this.#post({ id: this.#next++, request })
  }

  #post(message: ToHost, transfer: readonly Transferable[] = []): void {
    this.#worker.postMessage(message, [...transfer])
  }

  #settle(message: FromHost): void {
    const waiting = this.#waiting.get(message.id)
    if ('progress' in message) waiting?.onProgress?.(message.progress)
    else if ('warning' in message) waiting?.onWarning?.(message.warning)
    else {
      this.#waiting.delete(message.id)
      if ('answer' in message) waiting?.resolve(message.answer)
      else waiting?.reject(errorFrom(message.failure))
    }
  }

  /** The next user gets a new worker; whoever still waits for this one hears why it is gone. */
  #end(reason: EngineError): void {
    if (HostClient.#shared === this) HostClient.#shared = null
    this.#worker.terminate()
    this.#ended = reason
    for (const { reject } of this.#waiting.values()) reject(reason)
    this.#waiting.clear()
  }
}

function workerFailed(reason: string): EngineError {
  return new EngineError(
    'unavailable',
    `The worker that encodes ended (${reason || 'its file could not be loaded'}). Load the encoder again to go on.`,
  )
}
