/** Chooses the engine that runs a model in Node, and says why. */
import { checkOptionNames } from '../../check-option-names.js'
import {
  checkEngineOptions,
  ENGINE_OPTIONS,
  type EngineOptions,
  precisionAmong,
} from '../../encoder/load-options.js'
import type { Engine } from '../../engine/engine.js'
import { createNativeEngineOn, precisionsOf } from '../../engine/native/native-engine.js'
import { createNativeResampleOn } from '../../engine/native/native-resample.js'
import type { ProductPrecision } from '../../engine/ops.js'
import { WEBGPU_PRECISIONS } from '../../engine/webgpu/webgpu-precisions.js'
import { portableResample, type Resample } from '../../kernels/resample-pillow.js'
import { NODE } from './engine-choices.js'
import { addonOrReason, loadAddon } from './native/load-addon.js'

/** Is an engine that was chosen, and why. */
export interface EngineChoice {
  /** Belongs to whoever asked: dispose of it when nothing runs on it any more. */
  readonly engine: Engine
  /** Resizes on the same path. */
  readonly resample: Resample
  /** Says in a few words why it is this one. */
  readonly reason: string
}

const NATIVE_PRECISIONS = [
  'float32',
  'high',
  'bfloat16',
  'int8',
] as const satisfies readonly ProductPrecision[]

/**
 * Makes the engine that suits this machine: the native one where it can run, else WebAssembly with a warning, unless another one is asked for.
 *
 * @throws `EngineError`: `unavailable` for an engine asked for by name that cannot run, `unsupported` for a precision that it lacks
 */
export async function chooseEngine(options: EngineOptions = {}): Promise<EngineChoice> {
  checkOptionNames(options, ENGINE_OPTIONS)
  checkEngineOptions(options, NODE)
  checkMeans(options)
  const { engine = 'auto', precision = 'auto', instructionSet, threads, onWarning = warn } = options
  const counted = threads === undefined ? {} : { threads }
  const asked = { reason: 'asked for', resample: portableResample }
  if (engine === 'reference' || (engine === 'auto' && precision === 'float64')) {
    precisionAmong('reference', precision, ['float64'])
    const { createReferenceEngine } = await import('../../engine/reference/reference-engine.js')
    return { ...asked, engine: createReferenceEngine() }
  }
  if (engine === 'webgpu') {
    const kept = precisionAmong('webgpu', precision, WEBGPU_PRECISIONS) ?? 'float32'
    const { createWebgpuEngine } = await import('./webgpu/index.js')
    return { ...asked, engine: await createWebgpuEngine({ precision: kept }) }
  }
  const addon = engine === 'native' ? loadAddon() : engine === 'auto' ? addonOrReason() : null
  if (addon !== null && typeof addon !== 'string') {
    const fastest = precisionsOf(addon, instructionSet).includes('high') ? 'high' : 'float32'
    const native = {
      precision: precisionAmong('native', precision, NATIVE_PRECISIONS) ?? fastest,
      ...(instructionSet === undefined ? {} : { instructionSet }),
      ...counted,
    }
    return {
      engine: createNativeEngineOn(addon, native),
      resample: createNativeResampleOn(addon, instructionSet),
      reason: engine === 'native' ? 'asked for' : 'the fastest engine here',
    }
  }
  const { createWasmEngine, WASM_PRECISIONS } = await import('./wasm/index.js')
  const stored = {
    precision: precisionAmong('wasm', precision, WASM_PRECISIONS) ?? 'float32',
    ...counted,
  } as const
  if (addon === null) return { ...asked, engine: createWasmEngine(stored) }
  onWarning(
    `The native engine cannot run (${addon}). Going on with WebAssembly, which is several times slower.`,
  )
  return { ...asked, engine: createWasmEngine(stored), reason: `native cannot run: ${addon}` }
}

/** Says which engines an option means something to; one that is asked for and has no use for it is not given it. */
const MEANT_FOR = { threads: ['native', 'wasm'], instructionSet: ['native'] } as const

/** Throws RangeError for an option that the engine asked for would ignore. */
function checkMeans(options: EngineOptions): void {
  const { engine = 'auto' } = options
  for (const [option, engines] of Object.entries(MEANT_FOR)) {
    const isGiven = options[option as keyof typeof MEANT_FOR] !== undefined
    if (!isGiven || engine === 'auto' || (engines as readonly string[]).includes(engine)) continue
    throw new RangeError(
      `The option ${option} is for ${engines.join(' and ')}; the engine ${engine} has none: leave it out.`,
    )
  }
}

/** Warns where nobody has said how: in the way of Node's own warnings. */
export function warn(message: string): void {
  process.emitWarning(message, 'PlumageWarning')
}
