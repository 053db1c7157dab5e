/** The native engine: plans on C++ kernels, on all cores. */
export { INSTRUCTION_SETS, type InstructionSet } from './addon.js'
export {
  createNativeEngine,
  type NativeAvailability,
  type NativeOptions,
  nativeAvailability,
  nativePrecisions,
} from './native-engine.js'
export { createNativeResample } from './native-resample.js'
