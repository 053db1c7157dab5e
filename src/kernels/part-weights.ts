/** Takes a row of attention weights apart by what its keys are: class token, registers, patches, in this order. */
export interface WeightParts {
  readonly toClass: Float32Array // [rows, 0 or 1]
  readonly toRegisters: Float32Array // [rows, R]
  readonly toPatches: Float32Array // [rows, G]
}

export interface PartSizes {
  /** Counts the class tokens, 0 or 1. */
  readonly classTokens: number
  readonly registers: number
  readonly patches: number
}

/**
 * Takes rows apart whose keys are all tokens in their order. Whole matrices are large, so that the part of the patches moves together where it is, in the memory of the
 * rows, which hold nothing else afterwards.
 */
export function partRows(
  weights: Float32Array, // [rows, T]
  { classTokens, registers, patches }: PartSizes,
): WeightParts {
  const special = classTokens + registers
  const width = special + patches
  const rows = weights.length / width
  const toClass = new Float32Array(rows * classTokens)
  const toRegisters = new Float32Array(rows * registers)
  for (let row = 0; row < rows; row++) {
    const from = row * width
    for (let c = 0; c < classTokens; c++) toClass[row * classTokens + c] = weights[from + c]
    for (let r = 0; r < registers; r++) toRegisters[row * registers + r] = weights[from + classTokens + r]
    weights.copyWithin(row * patches, from + special, from + width)
  }
  return { toClass, toRegisters, toPatches: weights.subarray(0, rows * patches) }
}

/**
 * Adds a row `share` times to row `at` of the parts.
 *
 * @param keys numbers the token that each weight is for, -1 for none; null where they are all tokens in their order
 */
export function addParts(
  weights: Float32Array, // [K]
  keys: readonly number[] | null,
  share: number,
  { classTokens, registers, patches }: PartSizes,
  { toClass, toRegisters, toPatches }: WeightParts,
  at: number,
): void {
  const special = classTokens + registers
  for (let k = 0; k < weights.length; k++) {
    const key = keys === null ? k : keys[k]
    const weight = share * weights[k]
    if (key >= special) toPatches[at * patches + key - special] += weight
    else if (key >= classTokens) toRegisters[at * registers + key - classTokens] += weight
    else if (key >= 0) toClass[at] += weight
  }
}
