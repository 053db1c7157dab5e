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
 * Adds the row `share` times to row `at` of the parts.
 *
 * @param keys numbers the token that each weight is for, -1 for none; null where they are all tokens in their order
 */
export function partWeights(
  weights: Float32Array, // [K]
  keys: readonly number[] | null,
  share: number,
  { classTokens, registers, patches }: PartSizes,
  { toClass, toRegisters, toPatches }: WeightParts,
  at: number,
): void {
  const special = classTokens + registers
  if (keys === null && share === 1) {
    toClass.set(weights.subarray(0, classTokens), at * classTokens)
    toRegisters.set(weights.subarray(classTokens, special), at * registers)
    toPatches.set(weights.subarray(special), at * patches)
    return
  }
  for (let k = 0; k < weights.length; k++) {
    const key = keys === null ? k : keys[k]
    const weight = share * weights[k]
    if (key >= special) toPatches[at * patches + key - special] += weight
    else if (key >= classTokens) toRegisters[at * registers + key - classTokens] += weight
    else if (key >= 0) toClass[at] += weight
  }
}
