/** Runs plans on the WebAssembly kernels: in workers, off the calling thread, with shared memory and several threads where there can be. */

import { assertRuns, isPortable } from '../assert-runs.js'
import type { Engine } from '../engine.js'
import { EngineError } from '../engine-error.js'
import { Arithmetic, type PrecisionInfo } from '../lowered/arithmetic.js'
import type { EncodedPlan } from '../lowered/encode-ops.js'
import {
  type Executor,
  loadLowered,
  onAbort,
  type Packed,
  type PackedWeight,
  type ProgramFacts,
} from '../lowered/load-lowered.js'
import { megabytes } from '../megabytes.js'
import type { ProductPrecision } from '../ops.js'
import type { ProgramBody } from '../owned-model.js'
import { signalOf } from '../signal-of.js'
import { Cancelled, Channel, type WasmWorkers } from './channel.js'
import { MOST_BYTES } from './heap.js'
import { packedBytes } from './kernels.js'
import type { Answer } from './protocol.js'

/**
 * Says how weights are stored: `float16` and `bfloat16` take half of the memory, `int8` a quarter. Products are float32; those of int8 are of
 * integers where there is relaxed SIMD, with activations in 14 bits, which loses less than the weights do and is faster.
 */
export const WASM_PRECISIONS = ['float32', 'float16', 'bfloat16', 'int8'] as const
/** Names a precision of the WebAssembly engine. */
export type WasmPrecision = (typeof WASM_PRECISIONS)[number]

/** Runs on the threads and in the memory of another engine, which gives both back. */
export type BorrowedEngine = Omit<Engine, keyof AsyncDisposable>

/**
 * Is the engine that computes in WebAssembly. It owns its threads and their memory: models loaded on it are gone with it. `using` starts to give them
 * back and does not wait, `await using` waits until the threads have ended.
 */
export interface WasmEngine extends Engine, Disposable {
  /** Says whether its threads have ended by themselves, or it was disposed of: every call fails. */
  readonly isLost: boolean
  /**
   * Measures the floating-point operations a second of multiply-adds in registers alone: those of one thread, times their number. Throws
   * `EngineError` `disposed`, or `unavailable` where the threads have ended.
   */
  measurePeak(): Promise<number>
  /** Takes the same threads and memory for weights that are stored otherwise. */
  withPrecision(precision: WasmPrecision): BorrowedEngine
}

/** Rows are float32 in every precision; `high` there is none. */
const ROWS: PrecisionInfo = { rows: 0, attention: 0, between: 0 }
const PRECISION_INFO: readonly PrecisionInfo[] = [ROWS, null, ROWS, ROWS, ROWS]

export function createWasmEngineOn(workers: WasmWorkers, precision: WasmPrecision = 'float32'): WasmEngine {
  const channel = new Channel(workers)
  const withPrecision = (precision: WasmPrecision): BorrowedEngine => {
    const executor = new WasmExecutor(channel, workers.threads, new Arithmetic(precision, PRECISION_INFO))
    return {
      name: 'wasm',
      precision,
      description: workers.description,
      supports: isPortable,
      load: async (plan, weights, options = {}) => {
        const signal = signalOf(options)
        assertRuns({ name: 'wasm', supports: isPortable }, plan)
        return await loadLowered(executor, plan, weights, signal === undefined ? {} : { signal })
      },
    }
  }
  return {
    ...withPrecision(precision),
    withPrecision,
    get isLost() {
      return channel.isEnded
    },
    measurePeak: () => measurePeak(channel, workers.threads),
    [Symbol.dispose]: () => void channel.close(),
    [Symbol.asyncDispose]: () => channel.close(),
  }
}

/** Other work on the machine can only make a turn slower; the first ones run before the compiler has done its best. */
const PEAK_TURNS = 40
const PEAK_REPETITIONS = 3e5
/** A repetition has 12 vectors of 4, with a product and a sum each. */
const PEAK_FLOP = 96

async function measurePeak(channel: Channel, threads: number): Promise<number> {
  let best = 0
  for (let turn = 0; turn < PEAK_TURNS; turn++) {
    const seconds = (await channel.ask({ kind: 'peak', repetitions: PEAK_REPETITIONS })) as number
    best = Math.max(best, (PEAK_FLOP * PEAK_REPETITIONS) / seconds)
  }
  return best * threads
}

/** [bytes] are the least that activations of one image need beside the weights. */
const LEAST_REST = 64 * 2 ** 20

/** Runs lowered plans on the workers: regions are addresses in their memory, programs have numbers. */
class WasmExecutor implements Executor<number> {
  readonly arithmetic: Arithmetic
  readonly #channel: Channel
  readonly #threads: number

  constructor(channel: Channel, threads: number, arithmetic: Arithmetic) {
    this.#channel = channel
    this.#threads = threads
    this.arithmetic = arithmetic
  }

  packedFloats(precision: ProductPrecision, columns: number, depth: number): number {
    return packedBytes(precision, columns, depth) / 4
  }

  async allocate(floats: number): Promise<number> {
    const bytes = floats * 4
    if (bytes + LEAST_REST > MOST_BYTES) throw tooLarge(bytes, this.arithmetic.precision)
    return (await this.#channel.ask({ kind: 'allocate', bytes })) as number
  }

  async pack(region: number, { offset, precision, columns, depth, values }: PackedWeight): Promise<Packed> {
    // The copy is given away: the caller may keep the array, and a weight may be packed twice.
    const own = new Float32Array(values).buffer
    const place = { address: region + offset * 4, precision, columns, depth }
    const losses = (await this.#channel.ask({ kind: 'pack', ...place, values: own }, [own])) as number
    return { isHeld: losses === 0 }
  }

  releaseRegion(region: number): void {
    this.#channel.tell({ kind: 'release', address: region })
  }

  createProgram(
    { ops, constants, arenaFloats }: EncodedPlan,
    region: number,
    { outputLengths, describeTimes }: ProgramFacts,
  ): ProgramBody {
    const [channel, threads] = [this.#channel, this.#threads]
    const program = channel.newProgram()
    const buffers = { ops: ops.buffer, constants: constants.buffer }
    channel.tell({ kind: 'compile', program, ...buffers, arenaFloats }, [buffers.ops, buffers.constants])
    const execute = async (
      pixels: Float32Array<ArrayBuffer>,
      batch: number,
      signal: AbortSignal | undefined,
      timed: boolean,
    ): Promise<Answer> => {
      const lengths = outputLengths.map((length) => length * batch)
      const request = {
        kind: 'run',
        program,
        weights: region,
        batch,
        pixels: pixels.buffer,
        outputLengths: lengths,
        timed,
      } as const
      let cancel = () => {}
      using _listening = onAbort(signal, () => cancel())
      try {
        return await channel.ask(request, [pixels.buffer], (id) => {
          cancel = () => channel.cancel(id)
        })
      } catch (error) {
        throw error instanceof Cancelled ? signal?.reason : error
      }
    }
    return {
      activationBytes: (batch) => arenaFloats * 4 * batch,
      run: async (pixels, batch, signal) =>
        ((await execute(pixels, batch, signal, false)) as readonly ArrayBuffer[]).map(
          (values) => new Float32Array(values),
        ),
      async profile(pixels, batch, signal) {
        const seconds = (await execute(pixels, batch, signal, true)) as Float64Array
        // Followers read no clock.
        return { threads, operations: describeTimes({ seconds, busySeconds: null }, batch) }
      },
      release: () => channel.tell({ kind: 'discard', program }),
    }
  }
}

function tooLarge(bytes: number, precision: string): EngineError {
  const advice =
    precision === 'int8'
      ? 'Take a smaller model.'
      : 'Store them narrower (precision float16, bfloat16 or int8), or take a smaller model.'
  return new EngineError(
    'out-of-memory',
    `The weights need ${megabytes(bytes)} in ${precision}; WebAssembly can address 4096 MB in all. ${advice}`,
  )
}
