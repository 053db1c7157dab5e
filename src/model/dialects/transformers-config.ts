/** Reads the config.json of a transformers network: what the tensors do not tell, and whether the two agree on the rest. */
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { ActivationKind } from '../../engine/plan.js'
import type { PlainRecord } from '../../plain-value.js'
import { judgeFields } from '../fields.js'
import type { PositionRule } from '../position-rule.js'
import type { Tap, VitConfig } from '../vit-config.js'
import { agree, agreeOnMlp, agreeOnSizes } from './agree.js'
import { ConfigReader } from './config-reader.js'
import { TRANSFORMERS_CONFIG } from './transformers-fields.js'
import { tapsOf } from './transformers-taps.js'

const WITH_REGISTERS = 'dinov2_with_registers'
const MODEL_TYPES = ['dinov2', WITH_REGISTERS]

/** transformers' names of activations (activations.py, ACT2CLS) for those that are computed here. Its ways to write the tanh GELU are one. */
export const TRANSFORMERS_ACTIVATIONS: ReadonlyMap<string, ActivationKind> = new Map([
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
  /** Is undefined where the file does not say which of the two networks it is, so that registers tell. */
  readonly rule: PositionRule | undefined
  /** Throws `contradiction` where the file says something else about the network than its tensors. */
  readonly check: (config: VitConfig) => void
  /** Gives the layers that a backbone of so many blocks hands out; null where the file names none. */
  readonly tapsOf: (depth: number) => readonly Tap[] | null
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
    activation: reader.has('hidden_act')
      ? reader.choice('hidden_act', TRANSFORMERS_ACTIVATIONS, 'gelu')
      : undefined,
    size: imageSize(reader, where),
    rule: reader.has('model_type') ? ruleOf(reader) : undefined,
    tapsOf: (depth) => tapsOf(reader, depth, () => reader.flag('apply_layernorm', true)),
    check: (config) => {
      agreeOnType(reader, where, config.registers)
      agreeOnSizes(reader, config)
      agree(reader, 'num_register_tokens', config.registers)
      agree(reader, 'qkv_bias', config.qkvBias)
      agreeOnMlp(reader, config)
    },
  }
}

/** The two networks resample positions in two ways, whatever the number of registers. */
function ruleOf(reader: ConfigReader): PositionRule {
  return reader.text('model_type', '') === WITH_REGISTERS ? 'antialias' : 'bicubic'
}

/** transformers leaves stored registers out where the type has none, and adds empty ones where it has and none are stored. */
function agreeOnType(reader: ConfigReader, where: string, registers: number): void {
  const type = reader.text('model_type', '')
  const none = reader.numberOrNull('num_register_tokens') === 0
  if (type === '' || none || (type === WITH_REGISTERS) === registers > 0) return
  throw new CheckpointError(
    'contradiction',
    `${where}: its model_type is ${JSON.stringify(type)}, and the weights have ${registers === 0 ? 'no' : registers} registers. The config belongs to another network than the weights.`,
  )
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
  if (type === undefined || type === null || (typeof type === 'string' && MODEL_TYPES.includes(type))) return
  throw new CheckpointError(
    'unsupported-network',
    `${where} says model_type ${JSON.stringify(type)}, and the tensors are those of a DINOv2 (${MODEL_TYPES.join(', ')}). The config belongs to another network than the weights.`,
  )
}
