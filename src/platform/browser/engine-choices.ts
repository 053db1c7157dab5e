/** Says what of the options for loading a browser has; apart from the engines, so that a page's own thread loads none of them. */
import type { EngineChoiceName, LoadOffer, PrecisionChoice } from '../../encoder/load-options.js'

const ENGINE_CHOICES: readonly EngineChoiceName[] = ['auto', 'webgpu', 'wasm', 'reference']

const PRECISION_CHOICES: readonly PrecisionChoice[] = [
  'auto',
  'float32',
  'float16',
  'bfloat16',
  'int8',
  'float64',
]

export const BROWSER: LoadOffer = {
  platform: 'a browser',
  engines: ENGINE_CHOICES,
  precisions: PRECISION_CHOICES,
  instead: {
    instructionSet:
      'it is the native engine’s; the engines webgpu and wasm take what the browser gives them.',
    decode: 'a browser decodes every image whole.',
    allowPrivateAddresses: 'the browser decides what a page may reach.',
    offline:
      'a model that is stored here is used without the network (listStoredModels names them), and any other is fetched.',
  },
}
