/** The native engine in Node: the compiled kernels are found here, and handed to the engine that runs plans on them. */

import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import type { Engine } from '../../../engine/engine.js'
import type { InstructionSet } from '../../../engine/native/addon.js'
import { callAddon } from '../../../engine/native/addon-error.js'
import {
  createNativeEngineOn,
  type NativeOptions,
  precisionsOf,
} from '../../../engine/native/native-engine.js'
import { createNativeResampleOn } from '../../../engine/native/native-resample.js'
import type { ProductPrecision } from '../../../engine/ops.js'
import type { Resample } from '../../../kernels/resample-pillow.js'
import { addonOrReason, loadAddon } from './load-addon.js'

export { INSTRUCTION_SETS, type InstructionSet } from '../../../engine/native/addon.js'
export type { NativeOptions } from '../../../engine/native/native-engine.js'

/** Says whether the native engine can run here. */
export interface NativeAvailability {
  /** Tells whether it can. */
  readonly available: boolean
  /** Says why not, in one line. */
  readonly reason?: string
  /** Lists the paths that can run here, fastest first. */
  readonly instructionSets: readonly InstructionSet[]
}

/** Says whether the native engine can run here, and on which paths. It throws nothing: `reason` says why not. */
export function nativeAvailability(): NativeAvailability {
  const addon = addonOrReason()
  if (typeof addon === 'string') return { available: false, reason: addon, instructionSets: [] }
  const { instructionSets } = callAddon(() => addon.info())
  return { available: true, instructionSets: instructionSets.map(({ name }) => name) }
}

/** Lists the precisions that an instruction set computes in (default: the fastest); none where the engine or the set cannot run. */
export function nativePrecisions(instructionSet?: InstructionSet): readonly ProductPrecision[] {
  const addon = addonOrReason()
  return typeof addon === 'string' ? [] : precisionsOf(addon, instructionSet)
}

const NATIVE_OPTIONS = {
  instructionSet: true,
  threads: true,
  precision: true,
} satisfies OptionNames<NativeOptions>

/**
 * Makes the engine that computes in C++, on threads of its own. Throws `EngineError`: `unavailable` without an addon or the instruction set,
 * `unsupported` for a number of threads that makes no sense. Dispose of it when it is no longer needed: its threads live as long as it does.
 */
export function createNativeEngine(options: NativeOptions = {}): Engine & AsyncDisposable {
  checkOptionNames(options, NATIVE_OPTIONS)
  return createNativeEngineOn(loadAddon(), options)
}

/**
 * @param instructionSet forces a path. Default: the fastest that this processor has
 * @throws `EngineError` `unavailable` without an addon or the instruction set; a resize may reject with `out-of-memory`
 */
export function createNativeResample(instructionSet?: InstructionSet): Resample {
  return createNativeResampleOn(loadAddon(), instructionSet)
}
