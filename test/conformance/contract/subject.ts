/** Says on which engines the contract is tried, and what its cases share. */
import type { Engine, EngineModel, Program } from '../../../src/engine/engine.js'
import type { SlotName } from '../../../src/engine/plan.js'
import { inputLength } from '../../../src/engine/plan-lookup.js'
import { createReferenceEngine } from '../../../src/engine/reference/reference-engine.js'
import { ENGINE_VARIANTS, type EngineVariant } from '../../support/engines.js'
import { outputOf, pseudoRandom, type StepPlan, tower, weights } from '../one-step.js'

export interface Subject {
  /** Reads like `reference` or `native, avx2, int8`: exceptions match its beginning. */
  readonly name: string
  /** Is the largest relative error that a few products may have, against float64 sums. */
  readonly tolerance: number
  /** Computes long enough to be interrupted, some ten milliseconds at least. */
  readonly long: StepPlan
  /** Gives the same engine each time, which nobody disposes of. */
  engine(): Promise<Engine>
  /** Makes an engine for one case, which disposes of it. */
  fresh(): Promise<Engine>
}

export interface ContractCase {
  /** Is a claim about every engine. */
  readonly name: string
  readonly run: (subject: Subject) => Promise<void>
}

const TOLERANCES = { float32: 2e-6, high: 1e-4, bfloat16: 0.03, float16: 0.004, int8: 0.06 } as const

function subjectOf({ name, precision, engine, fresh }: EngineVariant): Subject {
  // A GPU is emulated here: the time goes into starting a dispatch, not into its products.
  const long = name.startsWith('webgpu') ? tower(30, 32, 64) : tower(50, 100, 256)
  return { name, tolerance: TOLERANCES[precision], long, engine, fresh }
}

const reference: Engine = createReferenceEngine()

/** How weights are stored changes nothing of the contract on WebAssembly and GPUs; on the native engine each precision has code of its own. */
export const SUBJECTS: readonly Subject[] = [
  {
    name: 'reference',
    tolerance: 1e-6,
    long: tower(30, 8, 16),
    engine: async () => reference,
    fresh: async () => createReferenceEngine(),
  },
  ...ENGINE_VARIANTS.filter(
    ({ name, precision }) => name.startsWith('native') || precision === 'float32',
  ).map(subjectOf),
]

export interface Loaded extends Disposable {
  readonly model: EngineModel
  readonly program: Program
  /** Belongs to a batch of one, the same each time. */
  readonly pixels: Float32Array<ArrayBuffer>
  readonly output: SlotName
  /** Runs the program on its pixels and returns its output. */
  values(): Promise<Float32Array>
}

/** Loads a plan and compiles it for its last output. */
export async function loaded(engine: Engine, { plan, output }: StepPlan): Promise<Loaded> {
  const model = await engine.load(plan, weights)
  const program = model.compile(plan, [output])
  const pixels = pixelsOf({ plan, output }, 1)
  return {
    model,
    program,
    pixels,
    output,
    values: async () => outputOf(await program.run(pixels), output),
    [Symbol.dispose]() {
      program[Symbol.dispose]()
      model[Symbol.dispose]()
    },
  }
}

export function pixelsOf({ plan }: StepPlan, batch: number): Float32Array<ArrayBuffer> {
  return pseudoRandom(batch * inputLength(plan), 9)
}

/** Lets whatever is under way get on. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2))
}

/** Rejects where an action throws at once or rejects: the contract asks for the error, not for its way. */
export async function attempt<T>(action: () => T | Promise<T>): Promise<T> {
  return await action()
}
