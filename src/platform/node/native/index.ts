/** The native engine: plans on C++ kernels, float32, on all cores. */
export type { InstructionSet } from './addon.js'
export {
  createNativeEngine,
  type NativeAvailability,
  type NativeOptions,
  nativeAvailability,
} from './native-engine.js'
