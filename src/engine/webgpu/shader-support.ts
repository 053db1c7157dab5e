/** The ways in which shaders can compute a precision on a device: what they may count on. */
import type { GpuDevice } from './gpu.js'
import type { MatrixUnit } from './matrix-unit.js'
import { canMultiply, matrixLinearMemory, SUBGROUPS } from './shaders/matrix.js'

export interface ShaderSupport {
  readonly subgroups: boolean
  /** Bytes of workgroup memory. */
  readonly memory: number
  /** Operands of products are rounded to halves; sums, norms and softmax never are. */
  readonly half: boolean
  /** Null where there is none that the precision can use. */
  readonly matrix: MatrixUnit | null
}

/** A device as a platform gives it. */
export interface DeviceParts {
  readonly device: GpuDevice
  /** Such as `nvidia ampere`. */
  readonly name: string
  readonly matrixUnits: readonly MatrixUnit[]
}

/** Threads that every device lets a workgroup have. */
const MOST_THREADS = 256

/** The fastest first; the last one needs nothing that a device may lack. */
export function supportsOf(
  { device, matrixUnits }: DeviceParts,
  halfWeights: boolean,
): readonly ShaderSupport[] {
  const memory = device.limits.maxComputeWorkgroupStorageSize
  const plain = { subgroups: device.features.has('subgroups'), memory, half: false, matrix: null }
  const units = matrixUnits.filter(
    (unit) =>
      canMultiply(unit) &&
      matrixLinearMemory(unit) <= memory &&
      SUBGROUPS * unit.subgroupSize <= MOST_THREADS,
  )
  const floats = units.find(({ component }) => component === 'f32')
  if (!halfWeights) return floats === undefined ? [plain] : [{ ...plain, matrix: floats }, plain]
  const hasHalves = device.features.has('shader-f16')
  const halves = hasHalves ? units.find(({ component }) => component === 'f16') : undefined
  const best = halves ?? floats
  return [
    ...(best === undefined ? [] : [{ ...plain, half: best === halves, matrix: best }]),
    ...(hasHalves ? [{ ...plain, half: true }] : []),
    plain,
  ]
}

/** What a person needs to compare two timings; empty where there is nothing to tell. */
export function describeSupport({ half, matrix }: ShaderSupport): string {
  if (matrix !== null) return `${matrix.component} matrices ${matrix.m} x ${matrix.n} x ${matrix.k}`
  return half ? 'operands in halves' : ''
}
