/** Which engine runs a model in Node, and why. */
import { checkChoice } from '../../encoder/check-options.js'
import type { Engine, Precision } from '../../engine/engine.js'
import { EngineError } from '../../engine/engine-error.js'
import { createReferenceEngine } from '../../engine/reference/reference-engine.js'
import { portableResample, type Resample } from '../../kernels/resample-pillow.js'
import {
  ENGINE_CHOICES,
  type EngineChoiceName,
  PRECISION_CHOICES,
  type PrecisionChoice,
} from './engine-choices.js'
import {
  createNativeEngine,
  createNativeResample,
  type InstructionSet,
  nativeAvailability,
  nativePrecisions,
} from './native/index.js'
import { createWasmEngine, WASM_PRECISIONS } from './wasm/index.js'
import { createWebgpuEngine } from './webgpu/index.js'

export interface EngineOptions {
  /**
   * `auto` (default): native where it can run, else WebAssembly with a warning. `webgpu` needs the optional package of that name, and is
   * never chosen unasked.
   */
  readonly engine?: EngineChoiceName
  /** Forces one of the native engine's paths; default: the fastest that this processor has. */
  readonly instructionSet?: InstructionSet
  /** Threads of the native engine; default: the cores that this process may use. */
  readonly threads?: number
  /**
   * How products are computed. Embeddings of different precisions are close but not equal, and every result names its own.
   *
   * - `auto` (default): `high` where that is faster than `float32`, which is where the processor has matrix tiles (AMX).
   * - `float32`; `high`: operands as two bfloat16 each, as exact as float32 to about 1e-5.
   * - `bfloat16`: cosine with float64 at least 0.9995. `int8`: linear layers in bytes, cosine at least 0.995.
   * - `float16`: weights kept as halves, on a GPU multiplied as such where it can; of the engines `webgpu` and `wasm`.
   * - `float64`: the reference engine's sums.
   */
  readonly precision?: PrecisionChoice
  /** Told when something slower or other than expected was chosen; default: a warning of the process. */
  readonly onWarning?: (message: string) => void
}

export interface EngineChoice {
  /** It belongs to whoever asked: dispose of it when nothing runs on it any more. */
  readonly engine: Engine
  /** Resizes on the same path. */
  readonly resample: Resample
  readonly reason: string
}

/** Throws `EngineError`: `unavailable` for an engine asked for by name that cannot run, `unsupported` for a precision it lacks. */
export async function chooseEngine(options: EngineOptions = {}): Promise<EngineChoice> {
  checkChoice('engine', options.engine, ENGINE_CHOICES)
  checkChoice('precision', options.precision, PRECISION_CHOICES)
  const choice = await pick(options)
  const { precision = 'auto' } = options
  if (precision !== 'auto' && precision !== choice.engine.precision) {
    await choice.engine[Symbol.asyncDispose]()
    throw new EngineError(
      'unsupported',
      `The ${choice.engine.name} engine computes in ${choice.engine.precision}, not in ${precision}.`,
    )
  }
  return choice
}

async function pick({
  engine = 'auto',
  instructionSet,
  threads,
  precision = 'auto',
  onWarning = warn,
}: EngineOptions): Promise<EngineChoice> {
  if (engine === 'reference' || (engine === 'auto' && precision === 'float64')) {
    return { ...reference(), reason: 'asked for' }
  }
  const { available, reason = '' } = nativeAvailability()
  if (engine === 'webgpu') return { ...(await webgpu(precision)), reason: 'asked for' }
  if (engine === 'wasm') return { ...wasm(precision, threads), reason: 'asked for' }
  const native = {
    precision: nativePrecision(precision, instructionSet),
    ...(instructionSet === undefined ? {} : { instructionSet }),
    ...(threads === undefined ? {} : { threads }),
  }
  if (engine === 'native' || available) {
    return {
      engine: createNativeEngine(native),
      resample: createNativeResample(instructionSet),
      reason: engine === 'native' ? 'asked for' : 'the fastest engine here',
    }
  }
  onWarning(
    `The native engine cannot run (${reason}). Going on with WebAssembly, which is several times slower.`,
  )
  return { ...wasm(precision, threads), reason: `native cannot run: ${reason}` }
}

/** Other precisions are refused when the choice is checked. */
async function webgpu(precision: PrecisionChoice) {
  const kept = precision === 'float16' ? precision : 'float32'
  return { engine: await createWebgpuEngine({ precision: kept }), resample: portableResample }
}

/** The reference engine's precision is refused when the choice is checked. */
function wasm(precision: PrecisionChoice, threads: number | undefined) {
  const stored = precision === 'auto' || precision === 'float64' ? 'float32' : precision
  if (stored === 'high') {
    throw new EngineError(
      'unavailable',
      `The WebAssembly engine has no precision high; it has ${WASM_PRECISIONS.join(', ')}.`,
    )
  }
  const engine = createWasmEngine({ precision: stored, ...(threads === undefined ? {} : { threads }) })
  return { engine, resample: portableResample }
}

function reference() {
  return { engine: createReferenceEngine(), resample: portableResample }
}

/** What the native engine is asked for. One that it does not have is refused when the choice is checked. */
function nativePrecision(
  choice: PrecisionChoice,
  instructionSet: InstructionSet | undefined,
): Exclude<Precision, 'float64' | 'float16'> {
  if (choice === 'auto') return nativePrecisions(instructionSet).includes('high') ? 'high' : 'float32'
  return choice === 'float64' || choice === 'float16' ? 'float32' : choice
}

function warn(message: string): void {
  process.emitWarning(message, 'PlumageWarning')
}
