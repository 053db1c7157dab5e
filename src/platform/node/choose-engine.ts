/** Which engine runs a model in Node, and why. */
import { checkChoice } from '../../encoder/check-options.js'
import type { Engine } from '../../engine/engine.js'
import { EngineError } from '../../engine/engine-error.js'
import { createReferenceEngine } from '../../engine/reference/reference-engine.js'
import { createNativeEngine, type InstructionSet, nativeAvailability } from './native/index.js'

export interface EngineOptions {
  /** `auto` (default): native where it can run, else the slow reference engine with a warning. */
  readonly engine?: 'auto' | 'native' | 'reference'
  /** Forces one of the native engine's paths; default: the fastest that this processor has. */
  readonly instructionSet?: InstructionSet
  /** Threads of the native engine; default: the cores that this process may use. */
  readonly threads?: number
  /** `float32` is what the native engine computes in so far; `float64` sums are the reference engine's. */
  readonly precision?: 'float32' | 'float64'
  /** Told when something slower or other than expected was chosen; default: a warning of the process. */
  readonly onWarning?: (message: string) => void
}

export interface EngineChoice {
  readonly engine: Engine
  readonly reason: string
}

/** Throws `EngineError`: `unavailable` for an engine asked for by name that cannot run, `unsupported` for a precision it lacks. */
export function chooseEngine(options: EngineOptions = {}): EngineChoice {
  checkChoice('engine', options.engine, ['auto', 'native', 'reference'])
  checkChoice('precision', options.precision, ['float32', 'float64'])
  const choice = pick(options)
  if (options.precision !== undefined && options.precision !== choice.engine.precision) {
    throw new EngineError(
      'unsupported',
      `The ${choice.engine.name} engine computes in ${choice.engine.precision}, not in ${options.precision}.`,
    )
  }
  return choice
}

function pick({
  engine = 'auto',
  instructionSet,
  threads,
  precision,
  onWarning = warn,
}: EngineOptions): EngineChoice {
  if (engine === 'reference' || (engine === 'auto' && precision === 'float64')) {
    return { engine: createReferenceEngine(), reason: 'asked for' }
  }
  const native = {
    ...(instructionSet === undefined ? {} : { instructionSet }),
    ...(threads === undefined ? {} : { threads }),
  }
  if (engine === 'native') return { engine: createNativeEngine(native), reason: 'asked for' }
  const { available, reason = '' } = nativeAvailability()
  if (available) return { engine: createNativeEngine(native), reason: 'the fastest engine here' }
  onWarning(
    `The native engine cannot run (${reason}). Going on with the reference engine, which is right but hundreds of times slower.`,
  )
  return { engine: createReferenceEngine(), reason: `native cannot run: ${reason}` }
}

function warn(message: string): void {
  process.emitWarning(message, 'PlumageWarning')
}
