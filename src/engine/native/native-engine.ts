/** Runs plans on the C++ kernels: every pass is one job on the engine's own threads, off the event loop. */

import type { Engine, EngineModel, WeightSource } from '../engine.js'
import { disposed, EngineError } from '../engine-error.js'
import { Arithmetic } from '../lowered/arithmetic.js'
import { loadLowered } from '../lowered/load-lowered.js'
import { PRECISIONS, type ProductPrecision } from '../ops.js'
import type { Plan } from '../plan.js'
import type { Addon, Handle, InstructionSet } from './addon.js'
import { callAddon } from './addon-error.js'
import { NativeExecutor } from './native-executor.js'

export interface NativeOptions {
  /** Forces a path. Default: the fastest that this processor has. */
  readonly instructionSet?: InstructionSet
  /** Counts the thread that leads, too. Default: the cores that affinity and container quota leave to this process. */
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
export function createNativeEngineOn(addon: Addon, options: NativeOptions = {}): Engine & AsyncDisposable {
  const { instructionSets, cores } = callAddon(() => addon.info())
  const chosen =
    options.instructionSet === undefined
      ? instructionSets[0]
      : instructionSets.find(({ name }) => name === options.instructionSet)
  if (chosen === undefined) {
    throw new EngineError(
      'unavailable',
      `This processor cannot run ${options.instructionSet}; it runs ${instructionSets.map(({ name }) => name).join(', ')}.`,
    )
  }
  const { precision = 'float32' } = options
  const precisions = precisionsOf(addon, chosen.name)
  if (!precisions.includes(precision)) {
    throw new EngineError(
      'unavailable',
      `The instruction set ${chosen.name} has no products for the precision ${precision}; it has ${precisions.join(', ')}.`,
    )
  }
  const threads = options.threads ?? Math.min(cores, 1024)
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024) {
    throw new EngineError('unsupported', `The native engine runs on 1 to 1024 threads, not on ${threads}.`)
  }
  return new NativeEngine(addon, chosen, threads, precision)
}

type ChosenSet = ReturnType<Addon['info']>['instructionSets'][number]

/** Owns its threads. They start with the first load, and end with the engine: by disposal, or when nobody holds it or its models any more. */
class NativeEngine implements Engine, AsyncDisposable {
  readonly name = 'native'
  readonly precision: ProductPrecision
  readonly description: string
  readonly #addon: Addon
  readonly #engine: Handle<'engine'>
  readonly #executor: NativeExecutor
  #disposal: Promise<void> | null = null

  constructor(addon: Addon, chosen: ChosenSet, threads: number, precision: ProductPrecision) {
    this.precision = precision
    this.description = `${chosen.name}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
    this.#addon = addon
    this.#engine = callAddon(() => addon.createEngine(chosen.name, threads))
    this.#executor = new NativeExecutor(addon, this.#engine, new Arithmetic(precision, chosen.precisions))
  }

  supports(): boolean {
    return true
  }

  /** Rejects with `out-of-memory` or `unavailable` where the system refuses memory or threads, and with `disposed` after disposal. */
  async load(
    plan: Plan,
    source: WeightSource,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<EngineModel> {
    signal?.throwIfAborted()
    if (this.#disposal !== null) throw disposed('engine')
    const model = await loadLowered(this.#executor, plan, source, signal)
    if (this.#disposal === null) return model
    model[Symbol.dispose]()
    throw disposed('engine')
  }

  /**
   * Runs and loads under way are cancelled and reject with `disposed`; resolves when the threads have ended. Models and programs are still to be
   * disposed of by those who hold them, for their weights.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#release()
    await this.#disposal
  }

  async #release(): Promise<void> {
    try {
      await new Promise<void>((resolve) => {
        callAddon(() => this.#addon.releaseEngine(this.#engine, [() => resolve()]))
      })
    } catch (error) {
      // The addon has let go of nothing, so that it may be tried again.
      this.#disposal = null
      throw error
    }
  }
}
