/** Lists the ways in which shaders can compute a precision on a device, with what they may count on. */
import type { GpuDevice } from './gpu.js'
import type { MatrixUnit } from './matrix-unit.js'
import { matrixTiles } from './shaders/matrix.js'

export interface ShaderSupport {
  readonly subgroups: boolean
  /** [bytes] of workgroup memory are there. */
  readonly memory: number
  /** Operands of linear layers are rounded to halves; sums, norms and attention never are. */
  readonly half: boolean
  /** Is null where there is none that the precision can use. */
  readonly matrix: MatrixUnit | null
  /** Is the number of the tile that products take whatever their size, while each of them is checked; else null. */
  readonly onlyTile: number | null
}

/** A platform gives a device with these. */
export interface DeviceParts {
  readonly device: GpuDevice
  /** Reads like `nvidia ampere`. */
  readonly name: string
  readonly matrixUnits: readonly MatrixUnit[]
}

/** There is one at least. */
export type Supports = readonly [ShaderSupport, ...ShaderSupport[]]

/** Lists the fastest first; the last one needs nothing that a device may lack. */
export function supportsOf({ device, matrixUnits }: DeviceParts, halfWeights: boolean): Supports {
  const memory = device.limits.maxComputeWorkgroupStorageSize
  const plain = {
    subgroups: device.features.has('subgroups'),
    memory,
    half: false,
    matrix: null,
    onlyTile: null,
  }
  const units = matrixUnits.filter((unit) => matrixTiles(unit, memory).length > 0)
  const floats = units.find(({ component }) => component === 'f32')
  if (!halfWeights) return floats === undefined ? [plain] : [{ ...plain, matrix: floats }, plain]
  const hasHalves = device.features.has('shader-f16')
  const halves = hasHalves ? units.find(({ component }) => component === 'f16') : undefined
  const best = halves ?? floats
  const slower: Supports = hasHalves ? [{ ...plain, half: true }, plain] : [plain]
  return best === undefined ? slower : [{ ...plain, half: best === halves, matrix: best }, ...slower]
}

/** Says what a person needs to compare two timings; empty where there is nothing to tell. */
export function describeSupport({ half, matrix }: ShaderSupport): string {
  if (matrix !== null) return `${matrix.component} matrices ${matrix.m} x ${matrix.n} x ${matrix.k}`
  return half ? 'operands in halves' : ''
}
