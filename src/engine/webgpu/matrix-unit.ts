/** Describes what shaders can use of a GPU's matrix units: Dawn's experimental subgroup matrices with sums in float32. */

/** A subgroup multiplies matrices [m, k] x [k, n] in one instruction. */
export interface MatrixUnit {
  /** Is what operands consist of; sums are float32. */
  readonly component: 'f16' | 'f32'
  readonly m: number
  readonly n: number
  readonly k: number
  readonly subgroupSize: number
  /** Subgroups must be told their size, since the device has several. */
  readonly sizeControl: boolean
}

/** This part of GPUAdapterInfo tells of them. */
export interface MatrixInfo {
  readonly subgroupMinSize?: number
  readonly subgroupMaxSize?: number
  readonly subgroupMatrixConfigs?: Iterable<{
    readonly componentType: string
    readonly resultComponentType: string
    readonly M: number
    readonly N: number
    readonly K: number
  }>
}

/** Lists those of a device that has them switched on, the largest matrices of a kind first. */
export function matrixUnitsOf(info: MatrixInfo, canControlSize: boolean): readonly MatrixUnit[] {
  const { subgroupMinSize = 0, subgroupMaxSize = 0, subgroupMatrixConfigs = [] } = info
  const isFixed = subgroupMinSize === subgroupMaxSize
  if (subgroupMaxSize === 0 || (!isFixed && !canControlSize)) return []
  return [...subgroupMatrixConfigs]
    .filter(({ resultComponentType }) => resultComponentType === 'f32')
    .flatMap(({ componentType, M, N, K }) =>
      componentType === 'f16' || componentType === 'f32'
        ? [
            {
              component: componentType,
              m: M,
              n: N,
              k: K,
              subgroupSize: subgroupMaxSize,
              sizeControl: !isFixed,
            } as const,
          ]
        : [],
    )
    .sort((a, b) => b.m * b.n * b.k - a.m * a.n * a.k)
}
