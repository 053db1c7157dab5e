/** This file lists every fast engine that runs here, on every path and in every precision, for tests that compare it with the reference. */
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
import { LONG } from './long.js'

export interface EngineVariant {
  /** Reads like `native, avx2, int8`. */
  readonly name: string
  readonly precision: Exclude<Precision, 'float64'>
  /** Is null for all engines but the native one. */
  readonly instructionSet: InstructionSet | null
  /** Gives the same one each time: tests share it and leave it alone. */
  engine(): Promise<Engine>
  /** Makes one for the caller, who disposes of it. A GPU is not tried first, which would take seconds. */
  fresh(): Promise<Engine>
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
const ENGINES: (Engine & Partial<Disposable & AsyncDisposable>)[] = []
afterAll(async () => {
  for (const engine of ENGINES) {
    const end = engine[Symbol.asyncDispose]
    if (end === undefined) engine[Symbol.dispose]?.()
    else await end.call(engine)
  }
})

/** Says why there is no GPU, where there is none. */
const noGpu =
  GPU === null
    ? await createWebgpuEngine().then(
        (engine) => engine[Symbol.dispose](),
        (error: Error) => error.message,
      )
    : undefined

const webgpu = GPU_WAYS.map(({ name, precision, request }) =>
  variant(`webgpu, ${name}`, precision, null, ({ verify }) =>
    createWebgpuEngineOn(request, { precision, verify }),
  ),
)

export const ENGINE_VARIANTS: readonly EngineVariant[] = [...native, ...wasm, ...webgpu]

/**
 * Are those on which whole networks are tried: of the native engine the fastest path of each precision and the plainest one, of WebAssembly its threads, and every way of a GPU.
 * The long run takes all.
 */
export const NETWORK_VARIANTS: readonly EngineVariant[] = LONG
  ? ENGINE_VARIANTS
  : [
      ...native.filter(
        (one) =>
          one === native.find(({ precision }) => precision === one.precision) ||
          (one.instructionSet === 'generic' && one.precision === 'float32'),
      ),
      ...wasm.filter(({ name, precision }) => name.includes('2 threads') && /float32|int8/.test(precision)),
      ...webgpu,
    ]

/** Tells what this machine cannot try, a line each. */
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
  make: (options: { readonly verify: boolean }) => Engine | Promise<Engine>,
): EngineVariant {
  let made: Promise<Engine> | undefined
  const engine = async () => {
    made ??= Promise.resolve(make({ verify: true })).then((engine) => {
      ENGINES.push(engine)
      return engine
    })
    return await made
  }
  const fresh = async () => await make({ verify: false })
  return { name: `${path}, ${precision}`, precision, instructionSet, engine, fresh }
}
