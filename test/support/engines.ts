/** Every fast engine that runs here, on every path and in every precision: what tests compare with the reference. */
import { afterAll } from 'vitest'
import type { Engine, Precision } from '../../src/engine/engine.js'
import { createWebgpuEngineOn } from '../../src/engine/webgpu/webgpu-engine.js'
import {
  createNativeEngine,
  INSTRUCTION_SETS,
  type InstructionSet,
  nativePrecisions,
} from '../../src/platform/node/native/index.js'
import { createWasmEngine, hasRelaxedSimd, WASM_PRECISIONS } from '../../src/platform/node/wasm/index.js'
import { createWebgpuEngine } from '../../src/platform/node/webgpu/index.js'
import { GPU, GPU_WAYS, HALF_GPU } from './gpus.js'

export interface EngineVariant {
  /** Such as `native, avx2, int8`. */
  readonly name: string
  readonly precision: Exclude<Precision, 'float64'>
  /** Only of the native engine. */
  readonly instructionSet: InstructionSet | null
  /** The same one each time. */
  engine(): Promise<Engine>
}

const native = INSTRUCTION_SETS.flatMap((instructionSet) =>
  nativePrecisions(instructionSet).map((precision) =>
    variant(`native, ${instructionSet}`, precision, instructionSet, () =>
      createNativeEngine({ instructionSet, precision }),
    ),
  ),
)

const WASM_PATHS = [
  { name: 'SIMD, alone', options: { shared: false, relaxed: false } },
  { name: 'SIMD, 2 threads', options: { threads: 2, relaxed: false } },
  { name: 'relaxed SIMD, 3 threads', options: { threads: 3, relaxed: true } },
] as const

const wasm = WASM_PATHS.filter(({ options }) => !options.relaxed || hasRelaxedSimd()).flatMap(
  ({ name, options }) =>
    WASM_PRECISIONS.map((precision) =>
      variant(`wasm, ${name}`, precision, null, () => createWasmEngine({ ...options, precision })),
    ),
)

/** A GPU's device keeps a process alive. */
const ENGINES: (Engine & Partial<Disposable>)[] = []
afterAll(() => {
  for (const engine of ENGINES) engine[Symbol.dispose]?.()
})

/** Why there is none, where there is none. */
const noGpu =
  GPU === null
    ? await createWebgpuEngine().then(
        (engine) => engine[Symbol.dispose](),
        (error: Error) => error.message,
      )
    : undefined

const webgpu = GPU_WAYS.map(({ name, precision, request }) =>
  variant(`webgpu, ${name}`, precision, null, () => createWebgpuEngineOn(request, { precision })),
)

export const ENGINE_VARIANTS: readonly EngineVariant[] = [...native, ...wasm, ...webgpu]

/** What this machine cannot try, a line each. */
export const NOT_TRIED: readonly string[] = [
  ...INSTRUCTION_SETS.filter((set) => nativePrecisions(set).length === 0).map(
    (set) => `native, ${set}: this processor lacks it, or there is no compiler`,
  ),
  ...(noGpu === undefined ? [] : [`webgpu: ${noGpu}`]),
  ...(HALF_GPU === null ? ['webgpu, operands in halves: no GPU here has them'] : []),
  ...(GPU_WAYS.some(({ name }) => name.includes('matrices'))
    ? []
    : ['webgpu, matrix units: no GPU here has them']),
  ...(hasRelaxedSimd() ? [] : [`wasm, relaxed SIMD: Node ${process.versions.node} lacks it`]),
]

function variant(
  path: string,
  precision: EngineVariant['precision'],
  instructionSet: InstructionSet | null,
  make: () => Engine | Promise<Engine>,
): EngineVariant {
  let made: Promise<Engine> | undefined
  const engine = async () => {
    made ??= Promise.resolve(make()).then((engine) => {
      ENGINES.push(engine)
      return engine
    })
    return await made
  }
  return { name: `${path}, ${precision}`, precision, instructionSet, engine }
}
