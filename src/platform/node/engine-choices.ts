/** Says what of the options for loading Node has; apart from the engines, so that a list of options loads none of them. */
import type { EngineChoiceName, LoadOffer, PrecisionChoice } from '../../encoder/load-options.js'
import type { InstructionSet } from '../../engine/native/addon.js'

export const ENGINE_CHOICES: readonly EngineChoiceName[] = ['auto', 'native', 'webgpu', 'wasm', 'reference']

export const PRECISION_CHOICES: readonly PrecisionChoice[] = [
  'auto',
  'float32',
  'high',
  'bfloat16',
  'float16',
  'int8',
  'float64',
]

/** Has each of the native engine's paths, so that the compiler names one that is missing; its own list would bring the engine into every help. */
const INSTRUCTION_SETS: Readonly<Record<InstructionSet, true>> = {
  amx: true,
  'avx512-bf16': true,
  'avx512-vnni': true,
  avx512: true,
  'avx2-vnni': true,
  avx2: true,
  generic: true,
}
export const INSTRUCTION_SET_CHOICES: readonly string[] = Object.keys(INSTRUCTION_SETS)

export const NODE: LoadOffer = {
  platform: 'Node',
  engines: ENGINE_CHOICES,
  precisions: PRECISION_CHOICES,
  instead: {
    sha256:
      'published weights are checked by their own sha256, and a file on disk is taken as it is (downloadFile fetches an address and checks it).',
  },
}
