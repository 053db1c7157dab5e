/** Runs in the worker that owns the memory: it allocates, packs, and runs programs one after the other, together with the threads that follow. */

import { OP_FIELDS } from '../lowered/lowered-op.js'
import { megabytes } from '../megabytes.js'
import { PRECISIONS } from '../ops.js'
import { Heap, type WasmMemory } from './heap.js'
import { FIRST_FREE_ADDRESS, type Kernels, PANEL_COLUMNS } from './kernels.js'
import type { Answer, Reply, Request } from './protocol.js'

type RequestOf<Kind extends Request['kind']> = Extract<Request, { readonly kind: Kind }>

interface Program {
  readonly ops: number
  readonly count: number
  readonly constants: number
  readonly arenaFloats: number
}

/** [milliseconds] pass between looks at what else has come in, such as a wish to cancel. */
const SLICE = 16
/** Attention reads whole panels of its values, and so this far beyond the last row. */
const OVERRUN_BYTES = 256

class Failure extends Error {
  readonly code: Extract<Reply, { failure: unknown }>['failure']['code']
  constructor(code: Failure['code'], message: string) {
    super(message)
    this.code = code
  }
}

export interface LeaderParts {
  readonly kernels: Kernels
  readonly memory: WasmMemory
  readonly threads: number
  readonly send: (reply: Reply, transfer: readonly ArrayBuffer[]) => void
  /** Lets messages in, then goes on. */
  readonly pause: () => Promise<void>
}

export class Leader {
  readonly #parts: LeaderParts
  readonly #heap: Heap
  /** A program that found no memory says so when it is run. */
  readonly #programs = new Map<number, Program | Failure>()
  readonly #cancelled = new Set<number>()
  #queue: Promise<void> = Promise.resolve()
  #pending = new Set<number>()
  /** Holds slots and scratch of the run, and is kept for the next. */
  #arena: { readonly address: number; readonly bytes: number } | null = null

  constructor(parts: LeaderParts) {
    this.#parts = parts
    this.#heap = new Heap(parts.memory, FIRST_FREE_ADDRESS)
  }

  /** Answers in the order of arrival; a wish to cancel is heard at once. */
  receive(request: Request): void {
    if (request.kind === 'cancel') {
      if (this.#pending.has(request.run)) this.#cancelled.add(request.run)
      return
    }
    this.#pending.add(request.id)
    this.#queue = this.#queue.then(() => this.#answer(request))
  }

  async #answer(request: Request): Promise<void> {
    const { id } = request
    try {
      const answer = await this.#handle(request)
      const transfer = Array.isArray(answer) ? answer : []
      this.#parts.send({ id, answer }, transfer)
    } catch (error) {
      const code = error instanceof Failure ? error.code : 'unsupported'
      this.#parts.send(
        { id, failure: { code, message: error instanceof Error ? error.message : String(error) } },
        [],
      )
    } finally {
      this.#pending.delete(id)
      this.#cancelled.delete(id)
    }
  }

  #handle<Kind extends Request['kind']>(request: RequestOf<Kind>): Answer | Promise<Answer> {
    const handle = this.#handlers[request.kind as Kind] as (
      request: RequestOf<Kind>,
    ) => Answer | Promise<Answer>
    return handle(request)
  }

  readonly #handlers: {
    readonly [Kind in Request['kind']]: (request: RequestOf<Kind>) => Answer | Promise<Answer>
  } = {
    allocate: ({ bytes }) => {
      const address = this.#allocate(bytes)
      this.#bytes(address, bytes).fill(0)
      return address
    },
    pack: (request) => this.#pack(request),
    release: ({ address }) => {
      this.#heap.release(address)
      return null
    },
    compile: (request) => this.#compile(request),
    discard: ({ program }) => this.#discard(program),
    run: (request) => this.#run(request),
    peak: ({ repetitions }) => {
      const started = performance.now()
      this.#parts.kernels.peak(repetitions)
      return (performance.now() - started) / 1000
    },
    // It was heard when it came in.
    cancel: () => null,
  }

  #allocate(bytes: number): number {
    const address = this.#heap.allocateOrNull(bytes)
    if (address === null) {
      throw new Failure(
        'out-of-memory',
        `${megabytes(bytes)} more do not fit into the memory of WebAssembly, which is 4096 MB at most and may be less here.`,
      )
    }
    return address
  }

  /** Puts values where the kernels can read them, calls, and gives the place back. */
  #withValues<T>(values: ArrayBuffer, body: (address: number) => T): T {
    const address = this.#store(new Uint8Array(values))
    try {
      return body(address)
    } finally {
      this.#heap.release(address)
    }
  }

  #store(bytes: Uint8Array): number {
    const address = this.#allocate(bytes.length)
    this.#bytes(address, bytes.length).set(bytes)
    return address
  }

  #pack({ address, precision, columns, depth, values }: RequestOf<'pack'>): number {
    if (precision === null) {
      this.#bytes(address, values.byteLength).set(new Uint8Array(values))
      return 0
    }
    const panels = Math.ceil(columns / PANEL_COLUMNS)
    const code = PRECISIONS.indexOf(precision)
    return this.#withValues(values, (from) =>
      this.#parts.kernels.packPanels(from, code, columns, depth, address, 0, panels),
    )
  }

  #compile({ program, ops, constants, arenaFloats }: RequestOf<'compile'>): null {
    try {
      this.#programs.set(program, {
        ops: this.#store(new Uint8Array(ops)),
        count: ops.byteLength / (OP_FIELDS * 8),
        constants: this.#store(new Uint8Array(constants)),
        arenaFloats,
      })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      this.#programs.set(program, error)
    }
    return null
  }

  #discard(index: number): null {
    const program = this.#programs.get(index)
    this.#programs.delete(index)
    if (program !== undefined && !(program instanceof Failure)) {
      this.#heap.release(program.ops)
      this.#heap.release(program.constants)
    }
    if (this.#programs.size > 0 || this.#arena === null) return null
    this.#heap.release(this.#arena.address)
    this.#arena = null
    return null
  }

  async #run(request: RequestOf<'run'>): Promise<Answer> {
    const { id, weights, batch, pixels, outputLengths, timed } = request
    const { kernels, threads, pause } = this.#parts
    const program = this.#programs.get(request.program)
    if (program === undefined) throw new Failure('disposed', 'This program has been disposed of.')
    if (program instanceof Failure) throw program
    const { ops, count, constants, arenaFloats } = program
    const slotBytes = Math.ceil((arenaFloats * batch * 4 + OVERRUN_BYTES) / 64) * 64
    const scratchBytes = kernels.scratchBytes(ops, count, batch) + 64
    const sharedBytes = kernels.sharedBytes(ops, count, batch)
    const arena = this.#arenaFor(slotBytes + scratchBytes * threads + sharedBytes)
    const held: number[] = []
    try {
      const input = this.#store(new Uint8Array(pixels))
      held.push(input)
      const outputs = outputLengths.map((length) => {
        const address = this.#allocate(length * 4)
        held.push(address)
        return { address, length }
      })
      const table = this.#allocate(Math.max(outputs.length, 1) * 4)
      held.push(table)
      const addresses = outputs.map(({ address }) => address)
      new Uint32Array(this.#parts.memory.buffer, table, outputs.length).set(addresses)
      kernels.setJob(batch, weights, arena, constants, arena + slotBytes, scratchBytes, input, table, threads)
      const times = new Float64Array(timed ? count : 0)
      let looked = performance.now()
      let ended = looked
      for (let op = 0; op < count; op++) {
        kernels.run(ops, op, op + 1)
        const now = performance.now()
        if (timed) times[op] = (now - ended) / 1000
        ended = now
        if (now - looked < SLICE) continue
        await pause()
        if (this.#cancelled.has(id)) throw new Failure('cancelled', 'The run was cancelled.')
        looked = performance.now()
        ended = looked
      }
      if (timed) return times
      return outputs.map(({ address, length }) => new Uint8Array(this.#bytes(address, length * 4)).buffer)
    } finally {
      for (const address of held) this.#heap.release(address)
    }
  }

  #arenaFor(bytes: number): number {
    if (this.#arena !== null && this.#arena.bytes >= bytes) return this.#arena.address
    if (this.#arena !== null) this.#heap.release(this.#arena.address)
    this.#arena = null
    const address = this.#allocate(bytes)
    this.#arena = { address, bytes }
    return address
  }

  /** The view is made anew each time: growing the memory takes the old one away. */
  #bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#parts.memory.buffer, address, length)
  }
}
