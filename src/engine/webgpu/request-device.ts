/** Asks for a device with what shaders can use of an adapter. */
import { EngineError } from '../engine-error.js'
import type { GpuDevice } from './gpu.js'
import { type MatrixInfo, matrixUnitsOf } from './matrix-unit.js'
import type { DeviceParts } from './shader-support.js'

/** This part of GPUAdapter is used. */
export interface Adapter {
  readonly features: { has(feature: string): boolean }
  readonly limits: object
  readonly info: MatrixInfo & {
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
const MATRICES = 'chromium-experimental-subgroup-matrix'
const SIZE_CONTROL = 'subgroup-size-control'
const FEATURES = ['subgroups', 'shader-f16', MATRICES, SIZE_CONTROL] as const

export function describeAdapter({ info }: Adapter): { readonly name: string; readonly software: boolean } {
  const { vendor, architecture, device, description, isFallbackAdapter = false } = info
  const name =
    [vendor, architecture].filter((part) => part !== '').join(' ') || description || device || 'unnamed'
  const software =
    isFallbackAdapter || /swiftshader|llvmpipe|lavapipe/i.test([name, device, description].join(' '))
  return { name, software }
}

function limitOf(limits: Readonly<Record<string, number>>, name: string): number {
  const limit = limits[name]
  if (limit === undefined) throw new EngineError('unavailable', `The GPU does not tell its limit ${name}.`)
  return limit
}

export async function deviceOf(adapter: Adapter): Promise<DeviceParts> {
  const { name } = describeAdapter(adapter)
  const { features, info } = adapter
  const matrixUnits = features.has(MATRICES) ? matrixUnitsOf(info, features.has(SIZE_CONTROL)) : []
  const has = adapter.limits as Readonly<Record<string, number>>
  try {
    const device = await adapter.requestDevice({
      label: 'plumage',
      requiredFeatures: FEATURES.filter((feature) => features.has(feature)) as never[],
      requiredLimits: Object.fromEntries(LIMITS.map((limit) => [limit, limitOf(has, limit)])),
    })
    return { device: device as GpuDevice, name, matrixUnits }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new EngineError('unavailable', `The GPU (${name}) gave no device: ${reason}`, { cause })
  }
}
