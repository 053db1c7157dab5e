/** Reads the config.json of a transformers network: what the tensors do not tell, and whether the two agree on the rest. */
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { ActivationKind } from '../../engine/plan.js'
import type { PlainRecord } from '../../plain-value.js'
import { judgeFields } from '../fields.js'
import type { VitConfig } from '../vit-config.js'
import { agree } from './agree.js'
import { ConfigReader } from './config-reader.js'
import { familyOfModelType } from './other-families.js'
import { TRANSFORMERS_CONFIG } from './transformers-fields.js'

const MODEL_TYPES = ['dinov2', 'dinov2_with_registers']

/** transformers' names of activations (activations.py, ACT2CLS) for those that are computed here. Its ways to write the tanh GELU are one. */
const ACTIVATIONS: ReadonlyMap<string, ActivationKind> = new Map([
  ['gelu', 'gelu'],
  ['gelu_python', 'gelu'],
  ['gelu_new', 'gelu_tanh'],
  ['gelu_fast', 'gelu_tanh'],
  ['gelu_accurate', 'gelu_tanh'],
  ['gelu_pytorch_tanh', 'gelu_tanh'],
  ['gelu_python_tanh', 'gelu_tanh'],
  ['quick_gelu', 'quick_gelu'],
  ['relu', 'relu'],
  ['relu6', 'relu6'],
  ['leaky_relu', 'leaky_relu'],
  ['silu', 'silu'],
  ['swish', 'silu'],
  ['mish', 'mish'],
  ['sigmoid', 'sigmoid'],
  ['tanh', 'tanh'],
  ['hardswish', 'hard_swish'],
  ['linear', 'identity'],
])

/** Is what Dinov2Config has where the file does not say, whatever the width. */
const DEFAULT_HEADS = 12

export interface TransformersConfig {
  readonly heads: number
  readonly epsilon: number | undefined
  /** Is the feed-forward net's where it is not gated. */
  readonly activation: ActivationKind | undefined
  readonly size: readonly [height: number, width: number] | undefined
  /** Throws `contradiction` where the file says something else about the network than its tensors. */
  readonly check: (config: VitConfig) => void
}

/** Throws `CheckpointError` by the field's name. */
export function readTransformersConfig(
  file: PlainRecord,
  label: string,
  ignored: readonly string[] | undefined,
): TransformersConfig {
  const where = `${label}: the config.json beside it`
  refuseOtherTypes(file, where)
  judgeFields(file, TRANSFORMERS_CONFIG, { label: where, ignored })
  const reader = new ConfigReader(file, where)
  const number = (key: string) => (reader.has(key) ? reader.number(key, 0) : undefined)
  return {
    heads: reader.has('num_attention_heads') ? reader.positive('num_attention_heads') : DEFAULT_HEADS,
    epsilon: number('layer_norm_eps'),
    activation: reader.has('hidden_act') ? reader.choice('hidden_act', ACTIVATIONS, 'gelu') : undefined,
    size: imageSize(reader, where),
    check: (config) => {
      const gated = config.mlp === 'swiglu'
      agree(reader, 'hidden_size', config.width)
      agree(reader, 'num_hidden_layers', config.depth)
      agree(reader, 'num_channels', config.channels)
      agree(reader, 'num_register_tokens', config.registers)
      agree(reader, 'qkv_bias', config.qkvBias)
      agree(reader, 'use_swiglu_ffn', gated)
      const [patch, ...others] = reader.numbersOrNull('patch_size', true) ?? [config.patchSize]
      if (patch !== config.patchSize || others.some((side) => side !== patch))
        throw reader.contradicts('patch_size', config.patchSize)
      if (!reader.has('mlp_ratio')) return
      const hidden = Math.trunc(config.width * reader.number('mlp_ratio', 4))
      // A gated net has two thirds of the width, rounded up to eights (Dinov2SwiGLUFFN).
      const kept = gated ? Math.floor((Math.trunc((hidden * 2) / 3) + 7) / 8) * 8 : hidden
      if (kept !== config.hidden) throw reader.contradicts('mlp_ratio', config.hidden / config.width)
    },
  }
}

/** transformers takes a table for a square whatever the config says, so a rectangle could not be run as it does. */
function imageSize(reader: ConfigReader, where: string): readonly [number, number] | undefined {
  const sides = reader.numbersOrNull('image_size', true)
  if (sides === null) return undefined
  const [height, width = height, ...others] = sides
  if (height !== undefined && width === height && others.length === 0 && height > 0) return [height, height]
  throw new CheckpointError(
    'unsupported-field',
    `${where}: image_size is ${JSON.stringify(sides)}; transformers reads every position table of DINOv2 as a square, so a square is expected.`,
  )
}

function refuseOtherTypes({ model_type: type }: PlainRecord, where: string): void {
  if (type === undefined || type === null || MODEL_TYPES.includes(String(type))) return
  throw new CheckpointError(
    'unsupported-network',
    `${where} says model_type ${JSON.stringify(type)}${familyOfModelType(String(type))}; of Hugging Face transformers, ${MODEL_TYPES.join(' and ')} can be run.`,
  )
}
