/** Runs plans on the C++ kernels: every pass is one job on the engine's own threads, off the event loop. */

import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { digestLength } from '../../kernels/digest-words.js'
import type { Engine, LoadingOptions, PackedBytes, PackedFile, StoredValues } from '../engine.js'
import { disposed, EngineError } from '../engine-error.js'
import { Arithmetic } from '../lowered/arithmetic.js'
import type { EncodedPlan } from '../lowered/encode-ops.js'
import {
  type Executor,
  loadLowered,
  onAbort,
  type Packed,
  type PackedWeight,
  type ProgramFacts,
  type WeightPlacement,
} from '../lowered/load-lowered.js'
import { OP_FIELDS } from '../lowered/lowered-op.js'
import { packingFactsOf } from '../lowered/packing-facts.js'
import { megabytes } from '../megabytes.js'
import { PRECISIONS, type ProductPrecision } from '../ops.js'
import type { ProgramBody } from '../owned-model.js'
import { type Addon, type Handle, type InstructionSet, type PackedPlace, STORED_TYPES } from './addon.js'
import { callAddon, engineErrorOf, isUnreadable, jobDone, settling } from './addon-error.js'
import { chooseSet } from './choose-set.js'

/** Says how the native engine computes. */
export interface NativeOptions {
  /** Forces a path. Default: the fastest that this processor has. */
  readonly instructionSet?: InstructionSet
  /**
   * Counts the thread that leads, too. Default, and the most that are started: the cores that affinity and container quota leave to this process.
   * The engine's description says how many there are.
   */
  readonly threads?: number
  /**
   * Says how products are computed. Default: `float32`. Sums, norms and softmax are float32 in all of them.
   *
   * - `high`: operands as two bfloat16 each, three products; as exact as float32 to about 1e-5. Only where there are matrix tiles (AMX).
   * - `bfloat16`: one product of operands rounded to bfloat16.
   * - `int8`: linear layers in bytes, with a scale for each output channel and each token; attention in bfloat16 or float32.
   */
  readonly precision?: ProductPrecision
}

const MOST_THREADS = 1024

/** Weights go into a file in pieces of 4 MiB. */
const PIECE_FLOATS = 2 ** 20

const LOADING_OPTIONS = { signal: true, packed: true } satisfies OptionNames<LoadingOptions>

/** Lists the precisions that an instruction set computes in (default: the fastest); none where the set cannot run. */
export function precisionsOf(addon: Addon, instructionSet?: InstructionSet): readonly ProductPrecision[] {
  const { instructionSets } = callAddon(() => addon.info())
  const chosen = instructionSets.find(({ name }) => name === (instructionSet ?? instructionSets[0]?.name))
  return chosen === undefined
    ? []
    : PRECISIONS.filter((_, index) => (chosen.precisions[index] ?? null) !== null)
}

/**
 * Throws `EngineError`: `unavailable` without the instruction set, `unsupported` for a number of threads that makes no sense. Threads start with the
 * first load, which rejects where the system refuses them.
 */
export function createNativeEngineOn(addon: Addon, options: NativeOptions = {}): Engine {
  const chosen = chooseSet(addon, options.instructionSet)
  const { precision = 'float32' } = options
  const precisions = precisionsOf(addon, chosen.name)
  if (!precisions.includes(precision)) {
    throw new EngineError(
      'unavailable',
      `The instruction set ${chosen.name} has no products for the precision ${precision}; it has ${precisions.join(', ')}.`,
    )
  }
  const most = Math.min(callAddon(() => addon.info()).cores, MOST_THREADS)
  const { threads: asked = most } = options
  if (!Number.isInteger(asked) || asked < 1 || asked > MOST_THREADS) {
    throw new EngineError(
      'unsupported',
      `The native engine runs on 1 to ${MOST_THREADS} threads, not on ${asked}.`,
    )
  }
  // More of them than can run would wait for each other, each with memory of its own.
  const threads = Math.min(asked, most)
  const arithmetic = new Arithmetic(precision, chosen.precisions)
  let engine: Handle<'engine'>
  try {
    engine = addon.createEngine(chosen.name, threads)
  } catch (error) {
    throw engineErrorOf(error)
  }
  const executor = new NativeExecutor(addon, engine, arithmetic, threads)
  return {
    name: 'native',
    precision,
    description: `${chosen.name}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    takesBytes: arithmetic.rowsFor(precision) === 'int8',
    packing: {
      instructionSet: chosen.name,
      factsOf: (plan) => packingFactsOf(executor, plan, chosen.name),
    },
    supports: () => true,
    async load(plan, weights, options = {}) {
      checkOptionNames(options, LOADING_OPTIONS)
      options.signal?.throwIfAborted()
      if (executor.isReleased) throw disposed('engine')
      const model = await loadLowered(executor, plan, weights, options)
      if (!executor.isReleased) return model
      model[Symbol.dispose]()
      throw disposed('engine')
    },
    [Symbol.asyncDispose]: () => executor.release(),
  }
}

type Region = Handle<'region'>

/**
 * Does by native means what lowered plans need: native memory, and jobs on the engine's own threads. These start with the first load, and end with
 * the engine: by disposal, or when nobody holds it or its models any more.
 */
class NativeExecutor implements Executor<Region> {
  readonly arithmetic: Arithmetic
  readonly #addon: Addon
  readonly #engine: Handle<'engine'>
  readonly #threads: number
  #release: Promise<void> | null = null

  /** Throws `unavailable` where the addon was built from another table of operations. */
  constructor(addon: Addon, engine: Handle<'engine'>, arithmetic: Arithmetic, threads: number) {
    const { opFields } = callAddon(() => addon.info())
    if (opFields !== OP_FIELDS) {
      throw new EngineError(
        'unavailable',
        `The native addon reads ${opFields} numbers of an operation, this library writes ${OP_FIELDS}. Build it anew: npm run build.`,
      )
    }
    this.arithmetic = arithmetic
    this.#addon = addon
    this.#engine = engine
    this.#threads = threads
  }

  get isReleased(): boolean {
    return this.#release !== null
  }

  packedFloats(precision: ProductPrecision, columns: number, depth: number): number {
    const product = PRECISIONS.indexOf(precision)
    return callAddon(() => this.#addon.packedFloats(this.#engine, product, columns, depth))
  }

  allocate(floats: number): Region {
    let region: Region | null
    try {
      region = this.#addon.allocate(floats)
    } catch (error) {
      throw engineErrorOf(error)
    }
    if (region !== null) return region
    throw new EngineError(
      'out-of-memory',
      `The packed weights need ${megabytes(floats * 4)}, which the system refuses.`,
    )
  }

  async pack(region: Region, weight: PackedWeight): Promise<Packed> {
    const place = this.#placeOf(region, weight)
    const losses = await jobDone(memoryForPacking, (callback) =>
      this.#addon.pack(...place, [callback, weight.values]),
    )
    return { isHeld: losses === 0 }
  }

  async packStored(region: Region, weight: WeightPlacement, values: StoredValues): Promise<Packed | null> {
    const place = this.#placeOf(region, weight)
    const { columns, depth, precision } = weight
    // Bytes find their scale by the depth of a matrix, and values that stay as they are have none.
    if (values.dtype === 'I8' && precision === null) return null
    const count = precision === null ? columns : columns * depth
    const states = new Int32Array(values.digested === undefined ? 0 : digestLength(count))
    const file: Parameters<Addon['packStored']>[6] = [
      values.descriptor,
      STORED_TYPES.indexOf(values.dtype),
      ...values.places.map(({ offset, scales = 0 }): [number, number] => [offset, scales]),
    ]
    let losses: number
    try {
      losses = await new Promise<number>((resolve, reject) => {
        const settle = settling(resolve, reject, { needed: memoryForPacking })
        this.#addon.packStored(...place, file, [settle, states])
      })
    } catch (error) {
      if (isUnreadable(error)) return null
      throw engineErrorOf(error)
    }
    values.digested?.(states)
    return { isHeld: losses === 0 }
  }

  /** The bytes are those of the file: nothing is copied, and whoever else runs on it shares them. */
  async takePacked(file: PackedFile, floats: number): Promise<Region | null> {
    let region: Region | null = null
    try {
      region = this.#addon.mapRegion(file.descriptor, file.offset, floats)
      if (file.accepts(await this.#digest(region, floats))) return region
    } catch (error) {
      if (region !== null) this.releaseRegion(region)
      const isLost = error instanceof EngineError && error.code === 'weights-lost'
      if (!isLost && !isUnreadable(error)) throw error
      file.accepts(null)
      return null
    }
    this.releaseRegion(region)
    return null
  }

  packedBytes(region: Region, floats: number): PackedBytes {
    const addon = this.#addon
    return {
      digest: () => this.#digest(region, floats),
      *pieces() {
        for (let from = 0; from < floats; from += PIECE_FLOATS) {
          const piece = new Float32Array(Math.min(PIECE_FLOATS, floats - from))
          callAddon(() => addon.readRegion(region, from, piece))
          yield new Uint8Array(piece.buffer)
        }
      },
    }
  }

  async #digest(region: Region, floats: number): Promise<Int32Array> {
    const states = new Int32Array(digestLength(floats))
    await jobDone(memoryForPacking, (callback) =>
      this.#addon.digestRegion(this.#engine, region, [callback, states]),
    )
    return states
  }

  #placeOf(region: Region, { offset, precision, columns, depth }: WeightPlacement): PackedPlace {
    const product = precision === null ? 0 : PRECISIONS.indexOf(precision)
    return [this.#engine, region, offset, product, columns, depth]
  }

  releaseRegion(region: Region): void {
    this.#addon.releaseRegion(region)
  }

  createProgram(
    { ops, constants, arenaFloats }: EncodedPlan,
    region: Region,
    { outputLengths, describeTimes }: ProgramFacts,
  ): ProgramBody {
    const [addon, engine, threads] = [this.#addon, this.#engine, this.#threads]
    const program = callAddon(() => addon.createProgram(engine, ops, constants, arenaFloats))
    if (program === null) {
      throw new EngineError(
        'out-of-memory',
        `The plan's constants need ${megabytes(constants.byteLength)}, which the system refuses.`,
      )
    }
    const execute = async (
      pixels: Float32Array,
      batch: number,
      signal: AbortSignal | undefined,
      times: Float64Array | null,
    ) => {
      const outputs = allocateOutputs(outputLengths, batch)
      const needed = (bytes: number) =>
        `The activations of a batch of ${batch} need ${megabytes(bytes)}, which the system refuses. Use a smaller batch.`
      let cancel = () => {}
      using _listening = onAbort(signal, () => cancel())
      try {
        await new Promise<number>((resolve, reject) => {
          const settle = settling(resolve, reject, { needed, signal })
          const job: Parameters<Addon['run']>[4] = [settle, pixels, ...outputs]
          const handle =
            times === null
              ? addon.run(engine, program, region, batch, job)
              : addon.profile(engine, program, region, batch, job, times)
          cancel = () => addon.cancel(handle)
        })
      } catch (error) {
        throw engineErrorOf(error)
      }
      return outputs
    }
    return {
      activationBytes: (batch) => callAddon(() => addon.programBytes(engine, program, batch)),
      run: (pixels, batch, signal) => execute(pixels, batch, signal, null),
      async profile(pixels, batch, signal) {
        const count = ops.length / OP_FIELDS
        const times = new Float64Array(2 * count)
        await execute(pixels, batch, signal, times)
        const measured = { seconds: times.subarray(0, count), busySeconds: times.subarray(count) }
        return { threads, operations: describeTimes(measured, batch) }
      },
      release: () => addon.releaseProgram(program),
    }
  }

  /**
   * Cancels runs and loads under way, which reject with `disposed`; resolves when the threads have ended. Models and programs are still to be
   * disposed of by those who hold them, for their weights.
   */
  async release(): Promise<void> {
    this.#release ??= new Promise<void>((resolve) => {
      this.#addon.releaseEngine(this.#engine, [() => resolve()])
    })
    try {
      await this.#release
    } catch (error) {
      // The addon has let go of nothing, so that it may be tried again.
      this.#release = null
      throw engineErrorOf(error)
    }
  }
}

function memoryForPacking(bytes: number): string {
  return `Packing weights needs ${megabytes(bytes)}, which the system refuses.`
}

function allocateOutputs(lengths: readonly number[], batch: number): readonly Float32Array[] {
  try {
    return lengths.map((length) => new Float32Array(batch * length))
  } catch (cause) {
    const bytes = 4 * batch * lengths.reduce((sum, length) => sum + length, 0)
    throw new EngineError(
      'out-of-memory',
      `The outputs of a batch of ${batch} need ${megabytes(bytes)}. Ask for fewer outputs or a smaller batch.`,
      { cause },
    )
  }
}
