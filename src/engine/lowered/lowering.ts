/** Is what a step is lowered with. */
import type { Plan } from '../plan.js'
import type { Arithmetic } from './arithmetic.js'
import type { SlotSizes } from './slot-sizes.js'

export interface Lowering {
  readonly plan: Plan
  /** Temporary slots are added to it. */
  readonly sizes: SlotSizes
  readonly arithmetic: Arithmetic
}
