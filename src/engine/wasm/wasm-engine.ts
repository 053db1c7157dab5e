/** Plans on the WebAssembly kernels: in workers, off the calling thread, with shared memory and several threads where there can be. */

import type { Shape } from '../../tensor/shape.js'
import { elementCount } from '../../tensor/shape.js'
import { assertBatch } from '../assert-batch.js'
import type { Engine, EngineModel, Program, WeightSource } from '../engine.js'
import { disposed, EngineError } from '../engine-error.js'
import { Arithmetic, type PrecisionInfo } from '../lowered/arithmetic.js'
import { encodePlan } from '../lowered/encode-ops.js'
import { lowerPlan } from '../lowered/lower-plan.js'
import {
  layOutWeights,
  offsetOf,
  packWeights,
  type WeightLayout,
  type WeightPlace,
} from '../lowered/weight-layout.js'
import { PRECISIONS } from '../ops.js'
import type { Plan, SlotName } from '../plan.js'
import { Cancelled, Channel, type WasmWorkers } from './channel.js'
import { MOST_BYTES } from './heap.js'
import { packedBytes } from './kernels.js'

/**
 * How weights are stored: `float16` and `bfloat16` take half of the memory, `int8` a quarter. Products are float32; of int8, where there is relaxed SIMD, they are
 * of integers, with activations in 14 bits, which is less than the weights lose and faster.
 */
export const WASM_PRECISIONS = ['float32', 'float16', 'bfloat16', 'int8'] as const
export type WasmPrecision = (typeof WASM_PRECISIONS)[number]

/** An engine on the threads and in the memory of another one, which gives both back. */
export type BorrowedEngine = Omit<Engine, keyof AsyncDisposable>

/**
 * Owns its threads and their memory: models loaded on it are gone with it. `using` starts to give them back and does not wait, `await using`
 * waits until the threads have ended.
 */
export interface WasmEngine extends Engine, Disposable {
  /** Whether its threads have ended by themselves, or it was disposed of: every call fails. */
  readonly isLost: boolean
  /** Floating-point operations a second of multiply-adds in registers alone: of one thread, times their number. */
  measurePeak(): Promise<number>
  /** The same threads and memory, for weights that are stored otherwise. */
  withPrecision(precision: WasmPrecision): BorrowedEngine
}

/** Rows are float32 in every precision; `high` there is none. */
const ROWS: PrecisionInfo = { rows: 0, attention: 0, between: 0 }
const PRECISION_INFO: readonly PrecisionInfo[] = [ROWS, null, ROWS, ROWS, ROWS]

/** What activations of one image need at least beside the weights. */
const LEAST_REST = 64 * 2 ** 20

export function createWasmEngineOn(workers: WasmWorkers, precision: WasmPrecision = 'float32'): WasmEngine {
  const channel = new Channel(workers)
  const withPrecision = (precision: WasmPrecision): BorrowedEngine => {
    const arithmetic = new Arithmetic(precision, PRECISION_INFO)
    return {
      name: 'wasm',
      precision,
      description: workers.description,
      supports: () => true,
      load: (plan, weights, { signal } = {}) => load(channel, arithmetic, plan, weights, signal),
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
/** Of a repetition: 12 vectors of 4, a product and a sum each. */
const PEAK_FLOP = 96

async function measurePeak(channel: Channel, threads: number): Promise<number> {
  let best = 0
  for (let turn = 0; turn < PEAK_TURNS; turn++) {
    const seconds = (await channel.ask({ kind: 'peak', repetitions: PEAK_REPETITIONS })) as number
    best = Math.max(best, (PEAK_FLOP * PEAK_REPETITIONS) / seconds)
  }
  return best * threads
}

async function load(
  channel: Channel,
  arithmetic: Arithmetic,
  plan: Plan,
  source: WeightSource,
  signal: AbortSignal | undefined,
): Promise<EngineModel> {
  signal?.throwIfAborted()
  const layout = layOutWeights(
    plan,
    arithmetic,
    (precision, columns, depth) => packedBytes(PRECISIONS.indexOf(precision), columns, depth) / 4,
  )
  const bytes = layout.floats * 4
  if (bytes + LEAST_REST > MOST_BYTES) throw tooLarge(bytes, arithmetic.precision)
  const region = (await channel.ask({ kind: 'allocate', bytes })) as number
  try {
    const pack = async ({ offset, form }: WeightPlace, shape: Shape, values: Float32Array) => {
      const [columns, depth] = form === 'rows' ? [values.length, 0] : shape
      const precision = form === 'rows' ? -1 : PRECISIONS.indexOf(form)
      // A copy of its own: the caller may keep the array, and a weight may be packed twice.
      const own = new Float32Array(values)
      await channel.ask(
        { kind: 'pack', address: region + offset * 4, precision, columns, depth, values: own },
        [own.buffer],
      )
    }
    await packWeights(plan, layout, source, pack, signal)
  } catch (error) {
    channel.tell({ kind: 'release', address: region })
    throw error
  }
  return new WasmModel(channel, arithmetic, layout, region)
}

function tooLarge(bytes: number, precision: string): EngineError {
  const advice =
    precision === 'int8'
      ? 'Take a smaller model.'
      : 'Store them narrower (precision float16, bfloat16 or int8), or take a smaller model.'
  return new EngineError(
    'out-of-memory',
    `The weights need ${Math.ceil(bytes / 2 ** 20)} MB in ${precision}; WebAssembly can address 4096 MB in all. ${advice}`,
  )
}

class WasmModel implements EngineModel {
  readonly byteLength: number
  readonly #channel: Channel
  readonly #arithmetic: Arithmetic
  readonly #layout: WeightLayout
  #region: number | null

  constructor(channel: Channel, arithmetic: Arithmetic, layout: WeightLayout, region: number) {
    this.#channel = channel
    this.#arithmetic = arithmetic
    this.#layout = layout
    this.#region = region
    this.byteLength = layout.floats * 4
  }

  compile(plan: Plan, outputs: readonly SlotName[]): Program {
    this.weights()
    const slots = [...new Set(outputs)]
    const lowered = lowerPlan(plan, slots, this.#arithmetic)
    const { ops, constants, arenaFloats } = encodePlan(lowered, plan, (ref) => offsetOf(this.#layout, ref))
    const program = this.#channel.newProgram()
    this.#channel.tell({ kind: 'compile', program, ops, constants, arenaFloats })
    const lengths = new Map(slots.map((slot) => [slot, elementCount(plan.slots.get(slot) ?? [])]))
    return new WasmProgram(this.#channel, this, program, lowered.inputLength, lengths, arenaFloats)
  }

  /** Throws `disposed`. */
  weights(): number {
    if (this.#region === null) throw disposed('model')
    return this.#region
  }

  /** Runs that were asked for before finish first: requests are handled in order. */
  [Symbol.dispose](): void {
    if (this.#region !== null) this.#channel.tell({ kind: 'release', address: this.#region })
    this.#region = null
  }
}

class WasmProgram implements Program {
  readonly #channel: Channel
  readonly #model: WasmModel
  readonly #inputLength: number
  /** Values of each output for one image. */
  readonly #outputs: ReadonlyMap<SlotName, number>
  readonly #arenaFloats: number
  #program: number | null

  constructor(
    channel: Channel,
    model: WasmModel,
    program: number,
    inputLength: number,
    outputs: ReadonlyMap<SlotName, number>,
    arenaFloats: number,
  ) {
    this.#channel = channel
    this.#model = model
    this.#program = program
    this.#inputLength = inputLength
    this.#outputs = outputs
    this.#arenaFloats = arenaFloats
  }

  activationBytes(batch: number): number {
    if (this.#program === null) throw disposed('program')
    return this.#arenaFloats * 4 * batch
  }

  async run(
    pixels: Float32Array,
    { batch = 1, signal }: { batch?: number; signal?: AbortSignal } = {},
  ): Promise<ReadonlyMap<SlotName, Float32Array>> {
    signal?.throwIfAborted()
    const program = this.#program
    if (program === null) throw disposed('program')
    const weights = this.#model.weights()
    assertBatch(pixels, batch, this.#inputLength)
    const input = new Float32Array(pixels)
    const outputLengths = [...this.#outputs.values()].map((length) => length * batch)
    let abort = () => {}
    try {
      const answer = await this.#channel.ask(
        { kind: 'run', program, weights, batch, pixels: input, outputLengths },
        [input.buffer],
        (id) => {
          abort = () => this.#channel.cancel(id)
          signal?.addEventListener('abort', abort, { once: true })
        },
      )
      const arrays = answer as readonly Float32Array[]
      return new Map([...this.#outputs.keys()].map((slot, index) => [slot, arrays[index]]))
    } catch (error) {
      throw error instanceof Cancelled ? signal?.reason : error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  [Symbol.dispose](): void {
    if (this.#program !== null) this.#channel.tell({ kind: 'discard', program: this.#program })
    this.#program = null
  }
}
