/** Says what a case of the conformance is, and which errors there are to allow. */
import type { StepPlan } from './one-step.js'

export interface Case {
  readonly name: string
  readonly make: () => StepPlan
  readonly tolerance: number
}

/** Values are copied: not one bit may differ. */
export const EXACT = 0
/** Each value is rounded once or twice, by 6e-8. */
export const ROUNDED = 2e-7
/** A function is off by a few units in the last place, see functions.ts. */
export const FUNCTION = 4e-7
/** In sums in float32, rounding errors of up to 4096 products, of random signs, stay near the square root of their number. */
export const SUMMED = 2e-6
/** Between two products stands a softmax, whose exponents carry the first one's error. */
export const ATTENDED = 3e-6
