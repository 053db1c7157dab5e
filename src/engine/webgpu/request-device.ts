/** A device with what shaders can use of an adapter. */
import { EngineError } from '../engine-error.js'
import type { GpuDevice } from './gpu.js'

/** The part of GPUAdapter that is used. */
export interface Adapter {
  readonly features: { has(feature: string): boolean }
  readonly limits: object
  readonly info: {
    readonly vendor: string
    readonly architecture: string
    readonly device: string
    readonly description: string
    readonly isFallbackAdapter?: boolean
  }
  requestDevice(descriptor: {
    label: string
    requiredFeatures: never[]
    requiredLimits: Record<string, number>
  }): Promise<object>
}

/** Whatever the adapter has of these is asked for: the defaults are those of the weakest device. */
const LIMITS = ['maxBufferSize', 'maxStorageBufferBindingSize', 'maxComputeWorkgroupStorageSize'] as const
const FEATURES = ['subgroups'] as const

export function describeAdapter({ info }: Adapter): { readonly name: string; readonly software: boolean } {
  const { vendor, architecture, device, description, isFallbackAdapter = false } = info
  const name =
    [vendor, architecture].filter((part) => part !== '').join(' ') || description || device || 'unnamed'
  const software =
    isFallbackAdapter || /swiftshader|llvmpipe|lavapipe/i.test([name, device, description].join(' '))
  return { name, software }
}

export async function deviceOf(
  adapter: Adapter,
): Promise<{ readonly device: GpuDevice; readonly name: string }> {
  const { name } = describeAdapter(adapter)
  const has = adapter.limits as Readonly<Record<string, number>>
  try {
    const device = await adapter.requestDevice({
      label: 'plumage',
      requiredFeatures: FEATURES.filter((feature) => adapter.features.has(feature)) as never[],
      requiredLimits: Object.fromEntries(LIMITS.map((limit) => [limit, has[limit]])),
    })
    return { device: device as GpuDevice, name }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new EngineError('unavailable', `The GPU (${name}) gave no device: ${reason}`, { cause })
  }
}
