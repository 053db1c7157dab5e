/** Chooses the engine that runs a model in Node, and says why. */
import { checkEngineOptions, type EngineOptions, precisionAmong } from '../../encoder/load-options.js'
import type { Engine } from '../../engine/engine.js'
import { createNativeEngineOn, precisionsOf } from '../../engine/native/native-engine.js'
import { createNativeResampleOn } from '../../engine/native/native-resample.js'
import type { ProductPrecision } from '../../engine/ops.js'
import { createReferenceEngine } from '../../engine/reference/reference-engine.js'
import { portableResample, type Resample } from '../../kernels/resample-pillow.js'
import { NODE } from './engine-choices.js'
import { addonOrReason, loadAddon } from './native/load-addon.js'
import { createWasmEngine, WASM_PRECISIONS } from './wasm/index.js'
import { createWebgpuEngine, WEBGPU_PRECISIONS } from './webgpu/index.js'

export interface EngineChoice {
  /** Belongs to whoever asked: dispose of it when nothing runs on it any more. */
  readonly engine: Engine
  /** Resizes on the same path. */
  readonly resample: Resample
  readonly reason: string
}

const NATIVE_PRECISIONS = [
  'float32',
  'high',
  'bfloat16',
  'int8',
] as const satisfies readonly ProductPrecision[]

/**
 * Takes the native engine where it can run, else WebAssembly with a warning, unless another one is asked for.
 *
 * @throws `EngineError`: `unavailable` for an engine asked for by name that cannot run, `unsupported` for a precision that it lacks
 */
export async function chooseEngine(options: EngineOptions = {}): Promise<EngineChoice> {
  checkEngineOptions(options, NODE)
  const { engine = 'auto', precision = 'auto', instructionSet, threads, onWarning = warn } = options
  const counted = threads === undefined ? {} : { threads }
  const asked = { reason: 'asked for', resample: portableResample }
  if (engine === 'reference' || (engine === 'auto' && precision === 'float64')) {
    precisionAmong('reference', precision, ['float64'])
    return { ...asked, engine: createReferenceEngine() }
  }
  if (engine === 'webgpu') {
    const kept = precisionAmong('webgpu', precision, WEBGPU_PRECISIONS) ?? 'float32'
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

/** Warns where nobody has said how: in the way of Node's own warnings. */
export function warn(message: string): void {
  process.emitWarning(message, 'PlumageWarning')
}
