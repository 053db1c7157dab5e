/** Writes transformers' DINOv3ViT. */
import { writtenSource } from '../../model/dialects/layout.js'
import { QKV_MODULES } from '../../model/dialects/transformers-names.js'
import { DINOV3_LAYOUT } from '../../model/families/hugging-face-dinov3.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { rotaryOfDinov3 } from './rotary-held.js'
import { ACTIVATIONS, commonFields, processorFile } from './transformers-files.js'
import { withoutKeyBias } from './without-key-bias.js'

const WITH_KEY_BIAS = writtenSource(DINOV3_LAYOUT)
const WITHOUT_KEY_BIAS = writtenSource(withoutKeyBias(DINOV3_LAYOUT, QKV_MODULES))

export const huggingFaceDinov3Writer: Writer = {
  library: 'hugging-face',
  class: 'DINOv3ViTModel',
  holds: {
    registers: 'any',
    epsilon: 'any',
    qkvBias: 'any',
    layerScale: [true],
    mlp: ['ffn', 'swiglu'],
    activation: ACTIVATIONS,
    rotary: rotaryOfDinov3,
  },
  source: (weight, shape, config) =>
    (config.keyBias ? WITH_KEY_BIAS : WITHOUT_KEY_BIAS)(weight, shape, config),
  further: ({ width, registers }) => [
    { tensor: 'embeddings.mask_token', shape: [1, 1, width] },
    ...(registers === 0 ? [{ tensor: DINOV3_LAYOUT.registers, shape: [1, 0, width] }] : []),
  ],
  files,
}

function files(network: WrittenNetwork): WrittenFiles {
  const { config, recipe } = network
  const processor = processorFile(recipe, 'DINOv3ViTImageProcessor')
  const { rotary } = config
  return {
    configFile: {
      ...commonFields(network, { modelType: 'dinov3_vit', architecture: 'DINOv3ViTModel' }),
      intermediate_size: config.hidden,
      num_register_tokens: config.registers,
      query_bias: config.qkvBias,
      key_bias: config.keyBias,
      value_bias: config.qkvBias,
      proj_bias: true,
      mlp_bias: true,
      use_gated_mlp: config.mlp === 'swiglu',
      ...(rotary?.bands.kind === 'temperature' ? { rope_theta: rotary.bands.temperature } : {}),
    },
    ...(processor === undefined ? {} : { preprocessorFile: processor }),
  }
}
