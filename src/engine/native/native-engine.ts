/** Plans on the C++ kernels: every pass one job on the engine's own threads, off the event loop. */

import type { Shape } from '../../tensor/shape.js'
import type { Engine, EngineModel, WeightSource } from '../engine.js'
import { EngineError } from '../engine-error.js'
import { Arithmetic } from '../lowered/arithmetic.js'
import { layOutWeights, packWeights, type WeightPlace } from '../lowered/weight-layout.js'
import { PRECISIONS, type ProductPrecision } from '../ops.js'
import type { Plan } from '../plan.js'
import type { Addon, Handle, InstructionSet } from './addon.js'
import { megabytes, NativeModel } from './native-model.js'

export interface NativeOptions {
  /** Forces a path; default: the fastest that this processor has. */
  readonly instructionSet?: InstructionSet
  /** Threads, the one that leads included; default: the cores that affinity and container quota leave to this process. */
  readonly threads?: number
  /**
   * How products are computed; default: `float32`. Sums, norms and softmax are float32 in all of them.
   *
   * - `high`: operands as two bfloat16 each, three products; as exact as float32 to about 1e-5. Only where there are matrix tiles (AMX).
   * - `bfloat16`: one product of operands rounded to bfloat16.
   * - `int8`: linear layers in bytes, with a scale for each output channel and each token; attention in bfloat16 or float32.
   */
  readonly precision?: ProductPrecision
}

/** The precisions that an instruction set computes in (default: the fastest); none where the set cannot run. */
export function precisionsOf(addon: Addon, instructionSet?: InstructionSet): readonly ProductPrecision[] {
  const { instructionSets } = addon.info()
  const chosen = instructionSets.find(({ name }) => name === (instructionSet ?? instructionSets[0]?.name))
  return chosen === undefined
    ? []
    : PRECISIONS.filter((_, index) => (chosen.precisions[index] ?? null) !== null)
}

/** Throws `EngineError`: `unavailable` without the instruction set, `unsupported` for a number of threads that makes no sense. */
export function createNativeEngineOn(addon: Addon, options: NativeOptions = {}): Engine {
  const { instructionSets, cores } = addon.info()
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
  const engine = addon.createEngine(chosen.name, threads)
  const arithmetic = new Arithmetic(precision, chosen.precisions)
  return {
    name: 'native',
    precision,
    description: `${chosen.name}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    supports: () => true,
    load: (plan, weights, { signal } = {}) => load(addon, engine, arithmetic, plan, weights, signal),
    [Symbol.asyncDispose]: async () => {},
  }
}

async function load(
  addon: Addon,
  engine: Handle<'engine'>,
  arithmetic: Arithmetic,
  plan: Plan,
  source: WeightSource,
  signal: AbortSignal | undefined,
): Promise<EngineModel> {
  signal?.throwIfAborted()
  const layout = layOutWeights(plan, arithmetic, (precision, columns, depth) =>
    addon.packedFloats(engine, PRECISIONS.indexOf(precision), columns, depth),
  )
  const region = addon.allocate(layout.floats)
  if (region === null) {
    throw new EngineError(
      'out-of-memory',
      `The packed weights need ${megabytes(layout.floats * 4)}, which the system refuses.`,
    )
  }
  try {
    const packInto = (place: WeightPlace, shape: Shape, values: Float32Array) =>
      pack(addon, engine, region, place, shape, values)
    await packWeights(plan, layout, source, packInto, signal)
  } catch (error) {
    addon.releaseRegion(region)
    throw error
  }
  return new NativeModel(addon, engine, region, layout, arithmetic)
}

function pack(
  addon: Addon,
  engine: Handle<'engine'>,
  region: Handle<'region'>,
  { offset, form }: WeightPlace,
  shape: Shape,
  values: Float32Array,
): Promise<void> {
  const [columns, depth] = form === 'rows' ? [values.length, 0] : shape
  const precision = form === 'rows' ? 0 : PRECISIONS.indexOf(form)
  return new Promise((resolve, reject) => {
    addon.pack(engine, region, offset, precision, columns, depth, [
      (status) => {
        if (status === 0) resolve()
        else reject(new EngineError('disposed', 'The engine ended while weights were being packed.'))
      },
      values,
    ])
  })
}
