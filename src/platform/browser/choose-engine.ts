/** Which engine runs a model in a browser. */
import { checkChoice } from '../../encoder/check-options.js'
import { given } from '../../encoder/choose-recipe.js'
import type { Engine } from '../../engine/engine.js'
import { EngineError } from '../../engine/engine-error.js'
import { createReferenceEngine } from '../../engine/reference/reference-engine.js'
import { createWasmEngine, type WasmPrecision } from './wasm/index.js'

export const ENGINE_CHOICES = ['auto', 'wasm', 'reference'] as const
export const PRECISION_CHOICES = ['auto', 'float32', 'bfloat16', 'int8', 'float64'] as const

export interface EngineSettings {
  /** `auto` (default): the fastest that this browser can run; never the reference engine. */
  readonly engine?: (typeof ENGINE_CHOICES)[number]
  /** `auto` (default) is float32. With the WebAssembly engine `bfloat16` and `int8` are ways to store weights, products being float32. */
  readonly precision?: (typeof PRECISION_CHOICES)[number]
  /** Of the WebAssembly engine; default: the processors that the browser tells of, or one where the page is not cross-origin isolated. */
  readonly threads?: number
}

export function checkEngineSettings({ engine, precision }: EngineSettings): void {
  checkChoice('engine', engine, ENGINE_CHOICES)
  checkChoice('precision', precision, PRECISION_CHOICES)
}

/** Throws `EngineError`: `unavailable` for an engine that this browser cannot run, `unsupported` for a precision that the engine lacks. */
export async function chooseEngine(settings: EngineSettings): Promise<Engine & Partial<Disposable>> {
  const { engine = 'auto', precision = 'auto', threads } = settings
  if (engine === 'reference' || (engine === 'auto' && precision === 'float64')) {
    const reference = createReferenceEngine()
    if (precision === 'auto' || precision === reference.precision) return reference
    throw lacks('reference', precision, reference.precision)
  }
  if (precision === 'float64') throw lacks(engine, precision, 'float32, bfloat16 and int8')
  const stored: WasmPrecision = precision === 'auto' ? 'float32' : precision
  return createWasmEngine({ precision: stored, ...given({ threads }) })
}

function lacks(engine: string, precision: string, has: string): EngineError {
  return new EngineError('unsupported', `The ${engine} engine has no precision ${precision}; it has ${has}.`)
}
