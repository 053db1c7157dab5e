/**
 * Finds the GPUs that Dawn has here, and every way to compute on them: emulations, where scripts/test.mjs has named their drivers. The one that comes
 * first runs everything; a further one is only looked for where the first cannot multiply halves.
 */
import { afterAll, vi } from 'vitest'
import { type Adapter, describeAdapter, deviceOf } from '../../src/engine/webgpu/request-device.js'
import {
  type DeviceParts,
  describeSupport,
  type ShaderSupport,
  supportsOf,
} from '../../src/engine/webgpu/shader-support.js'
import { DAWN_OPTIONS } from '../../src/platform/node/webgpu/index.js'
import { LastingGpu, overriding, type TestGpu } from './lasting-gpu.js'

/**
 * Dawn asks for news at every turn of the event loop. On an emulation that takes a third of all processor time away from what it waits for: here it asks
 * once a millisecond. Its callbacks are told by their text, as no program of JavaScript.
 */
const { setImmediate: soon } = globalThis
vi.stubGlobal('setImmediate', (callback: (...given: unknown[]) => void, ...given: unknown[]) =>
  /\[native code\]/.test(String(callback)) ? setTimeout(callback, 1) : soon(callback, ...given),
)

type Dawn = { requestAdapter(): Promise<Adapter | null> }

const dawn = await import('webgpu').then(
  ({ create }) => create as unknown as (options: readonly string[]) => Dawn,
  () => null,
)
/** These are kept, since a device whose Dawn is collected is lost. */
const dawns = new Map<string, Dawn>()

async function adapterOrNull(named: string): Promise<Adapter | null> {
  if (dawn === null) return null
  const options = [...DAWN_OPTIONS, ...(named === '' ? [] : [`adapter=${named}`])]
  const made = dawns.get(named) ?? dawn(options)
  dawns.set(named, made)
  return await made.requestAdapter().catch(() => null)
}

async function gpuOrNull(named: string): Promise<(TestGpu & { readonly hasHalves: boolean }) | null> {
  const found = await adapterOrNull(named)
  if (found === null) return null
  return {
    name: describeAdapter(found).name,
    hasHalves: found.features.has('shader-f16'),
    async request() {
      // An adapter gives one device only.
      const adapter = await adapterOrNull(named)
      if (adapter === null) throw new Error(`the GPU ${named} is gone`)
      return await deviceOf(adapter)
    },
  }
}

const first = await gpuOrNull('')
const second = first === null || first.hasHalves ? null : await gpuOrNull('llvmpipe')

/** Is null where there is none. */
export const GPU: TestGpu | null = first
/** Multiplies halves; null where there is none. */
export const HALF_GPU: TestGpu | null = first?.hasHalves ? first : second?.hasHalves ? second : null

/** Gives the first one's device again and again, for all that does not end it; null where there is none. */
export const LASTING_GPU = first === null ? null : lastingOf(first)

/** Computes in one way on the lasting device of its GPU. */
export interface GpuWay extends TestGpu {
  readonly precision: 'float32' | 'float16'
}

/** Shows each way to compute as a GPU that has no faster one; on the second GPU those alone that the first lacks. */
export const GPU_WAYS: readonly GpuWay[] = [
  ...(first === null || LASTING_GPU === null ? [] : await waysOf(first, LASTING_GPU, () => true)),
  ...(second === null
    ? []
    : await waysOf(second, lastingOf(second), ({ half, matrix }) => half || matrix !== null)),
]

async function waysOf(
  { name: gpu }: TestGpu,
  lasting: LastingGpu,
  isWanted: (support: ShaderSupport) => boolean,
): Promise<readonly GpuWay[]> {
  const parts = await lasting.request()
  return (['float32', 'float16'] as const).flatMap((precision) =>
    supportsOf(parts, precision === 'float16')
      .filter(isWanted)
      .map((support) => {
        const text = describeSupport(support)
        return {
          name: text === '' ? gpu : `${gpu}, ${text}`,
          precision,
          request: async () => without(await lasting.request(), support),
        }
      }),
  )
}

function lastingOf(gpu: TestGpu): LastingGpu {
  const lasting = new LastingGpu(gpu)
  afterAll(() => lasting[Symbol.dispose]())
  return lasting
}

/** Takes from a device what is faster than a way to compute. */
function without(parts: DeviceParts, { half, matrix }: ShaderSupport): DeviceParts {
  if (matrix !== null) return { ...parts, matrixUnits: [matrix] }
  const has = (feature: string) => (half || feature !== 'shader-f16') && parts.device.features.has(feature)
  return { ...parts, matrixUnits: [], device: overriding(parts.device, { features: { has } }) }
}
