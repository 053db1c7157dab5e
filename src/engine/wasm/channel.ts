/** Speaks to the leading worker for the engine: asks, and waits for answers. */
import { disposed, EngineError } from '../engine-error.js'
import type { Answer, Reply, Request } from './protocol.js'

/** Stands for the leading worker and those that follow it, which a platform starts. */
export interface WasmWorkers {
  readonly threads: number
  /** Reads like `SIMD, 2 threads`. */
  readonly description: string
  post(request: Request, transfer: readonly ArrayBuffer[]): void
  /** @param onReply answers; `onEnd` with what ended the workers, after which nothing is answered any more */
  listen(onReply: (reply: Reply) => void, onEnd: (error: unknown) => void): void
  /** Says whether answers are awaited: workers keep nothing alive while none is. */
  keepAlive(wanted: boolean): void
  /** Ends the threads; resolves when all of them have ended. It may be asked for again. */
  end(): Promise<void>
}

/** Keeps requests until they are answered. */
export class Channel {
  readonly #workers: WasmWorkers
  readonly #waiting = new Map<
    number,
    { resolve: (answer: Answer) => void; reject: (error: unknown) => void }
  >()
  #next = 0
  #programs = 0
  #ended: EngineError | null = null

  constructor(workers: WasmWorkers) {
    this.#workers = workers
    workers.listen(
      (reply) => this.#settle(reply),
      (cause) => this.#end(cause),
    )
  }

  /** Says whether the threads have ended: nothing is answered any more. */
  get isEnded(): boolean {
    return this.#ended !== null
  }

  /** @param onSent told the request's number, by which a run can be cancelled */
  ask(
    request: RequestBody,
    transfer: readonly ArrayBuffer[] = [],
    onSent?: (id: number) => void,
  ): Promise<Answer> {
    if (this.#ended !== null) return Promise.reject(this.#ended)
    const id = this.#next++
    return new Promise<Answer>((resolve, reject) => {
      if (this.#waiting.size === 0) this.#workers.keepAlive(true)
      this.#waiting.set(id, { resolve, reject })
      this.#workers.post({ ...request, id } as Request, transfer)
      onSent?.(id)
    })
  }

  /** Asks where nobody waits for the answer. */
  tell(request: RequestBody, transfer: readonly ArrayBuffer[] = []): void {
    this.ask(request, transfer).catch(() => {})
  }

  newProgram(): number {
    return this.#programs++
  }

  cancel(run: number): void {
    if (this.#waiting.has(run)) this.#workers.post({ kind: 'cancel', run, id: this.#next++ }, [])
  }

  /** Gives up what is under way and resolves when the threads have ended. */
  close(): Promise<void> {
    if (this.#ended === null) this.#end(disposed('engine'))
    return this.#workers.end()
  }

  #settle(reply: Reply): void {
    // An answer that was on its way when the threads were ended must not let go of what waits for their end.
    if (this.#ended !== null) return
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if (this.#waiting.size === 0) this.#workers.keepAlive(false)
    if ('answer' in reply) waiting?.resolve(reply.answer)
    else if (reply.failure.code === 'cancelled') waiting?.reject(new Cancelled())
    else waiting?.reject(new EngineError(reply.failure.code, reply.failure.message))
  }

  #end(cause: unknown): void {
    if (this.#ended !== null) return
    this.#ended = cause instanceof EngineError ? cause : workersEnded(cause)
    for (const { reject } of this.#waiting.values()) reject(this.#ended)
    this.#waiting.clear()
  }
}

function workersEnded(cause: unknown): EngineError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new EngineError('unavailable', `The WebAssembly engine's threads ended (${reason}).`, { cause })
}

type RequestBody = Request extends infer R ? (R extends { id: number } ? Omit<R, 'id'> : never) : never

/** Says that a run was given up by its caller. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}
