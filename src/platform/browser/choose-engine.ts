/** Which engine runs a model in a browser, and why. */
import { checkChoice } from '../../encoder/check-options.js'
import type { Engine } from '../../engine/engine.js'
import { EngineError } from '../../engine/engine-error.js'
import { createReferenceEngine } from '../../engine/reference/reference-engine.js'
import { WASM_PRECISIONS, type WasmPrecision } from './wasm/index.js'
import { sharedWasmEngine } from './wasm/shared-wasm-engine.js'
import { createWebgpuEngine, hasFastGpu, WEBGPU_PRECISIONS, type WebgpuPrecision } from './webgpu/index.js'

export const ENGINE_CHOICES = ['auto', 'webgpu', 'wasm', 'reference'] as const
export const PRECISION_CHOICES = ['auto', 'float32', 'float16', 'bfloat16', 'int8', 'float64'] as const
type PrecisionChoice = (typeof PRECISION_CHOICES)[number]

export interface EngineSettings {
  /** `auto` (default): WebGPU on a real GPU, else WebAssembly; never the reference engine. */
  readonly engine?: (typeof ENGINE_CHOICES)[number]
  /**
   * `auto` (default) is float32. Narrower ones keep weights small: `float16`; of the WebAssembly engine also `bfloat16` and `int8`, which is its
   * fastest where the processor multiplies bytes (VNNI) and the browser has relaxed SIMD. A GPU multiplies halves as such where it can.
   */
  readonly precision?: PrecisionChoice
  /** Of the WebAssembly engine, shared by all encoders with the same number; default: the processors that the browser tells of, or one where the page is not cross-origin isolated. */
  readonly threads?: number
}

export function checkEngineSettings({ engine, precision }: EngineSettings): void {
  checkChoice('engine', engine, ENGINE_CHOICES)
  checkChoice('precision', precision, PRECISION_CHOICES)
}

/** An engine that is the caller's own; lost where its threads have ended. */
export type ChosenEngine = Engine & { readonly isLost?: boolean }

/**
 * @param onWarning told where `auto` had to leave a GPU aside
 * @throws `EngineError`: `unavailable` for an engine asked for by name that this browser cannot run, `unsupported` for a precision that it lacks
 */
export async function chooseEngine(
  settings: EngineSettings,
  onWarning: (message: string) => void,
): Promise<ChosenEngine> {
  const { engine = 'auto', precision = 'auto', threads } = settings
  if (engine === 'reference' || (engine === 'auto' && precision === 'float64')) {
    assertHas('reference', precision, ['float64'])
    return createReferenceEngine()
  }
  const onGpu = WEBGPU_PRECISIONS.find((name) => name === precision) ?? 'float32'
  if (engine === 'webgpu') {
    assertHas('webgpu', precision, WEBGPU_PRECISIONS)
    return await createWebgpuEngine({ precision: onGpu })
  }
  if (engine === 'auto' && ['auto', ...WEBGPU_PRECISIONS].includes(precision) && (await hasFastGpu())) {
    const made = await webgpuOrNull(onGpu, onWarning)
    if (made !== null) return made
  }
  assertHas('wasm', precision, WASM_PRECISIONS)
  const stored: WasmPrecision = WASM_PRECISIONS.find((name) => name === precision) ?? 'float32'
  return await sharedWasmEngine(stored, threads)
}

async function webgpuOrNull(
  precision: WebgpuPrecision,
  onWarning: (message: string) => void,
): Promise<Engine | null> {
  try {
    return await createWebgpuEngine({ precision })
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    onWarning(`${error.message} Going on with WebAssembly.`)
    return null
  }
}

function assertHas(engine: string, precision: PrecisionChoice, has: readonly string[]): void {
  if (precision === 'auto' || has.includes(precision)) return
  throw new EngineError(
    'unsupported',
    `The ${engine} engine has no precision ${precision}; it has ${has.join(', ')}.`,
  )
}
