/** Tells which steps there are operations for, so that an engine that runs operations can say that it lacks one before anything is loaded. */
import type { Step } from '../plan.js'

export function canLower(step: Step): boolean {
  return step.op !== 'gatherRows'
}
