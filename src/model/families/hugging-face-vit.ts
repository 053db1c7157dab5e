/**
 * Reads transformers' ViT (Dosovitskiy et al. 2020) and the networks that are the same but for tokens and pooling: DeiT with its distillation token, the
 * encoder of ViTMAE, and I-JEPA without a class token (models/vit, deit, vit_mae and ijepa of transformers 5.24).
 */
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import type { PlainRecord } from '../../plain-value.js'
import { agree } from '../dialects/agree.js'
import type { ConfigReader } from '../dialects/config-reader.js'
import type { Dialect, VitHints } from '../dialects/dialect.js'
import { storedSize } from '../dialects/headers.js'
import { layoutSource } from '../dialects/layout.js'
import { OF_EVERY_CONFIG } from '../dialects/transformers-fields.js'
import { counts, each, type FieldTable, nothing } from '../fields.js'
import type { VitConfig } from '../vit-config.js'
import {
  activationOf,
  agreeOnShape,
  gridOf,
  headsOf,
  levelsOf,
  preparationOf,
  processorAssumption,
  transformersFile,
} from './transformers-file.js'
import {
  classifierOf,
  hasLayout,
  type TransformersLayout,
  teacherSource,
  transformersLayouts,
} from './transformers-layout.js'
import { patchSizeOf, trunkOf } from './trunk-of.js'

export const VIT_CONFIG: FieldTable = {
  title: 'transformers: config.json of a ViTConfig, DeiTConfig, ViTMAEConfig or IJepaConfig',
  source: 'transformers 5.24.0: models/vit, models/deit, models/vit_mae, models/ijepa',
  isBeside: true,
  prefix: '',
  fields: {
    ...OF_EVERY_CONFIG,
    model_type: counts('which network it is: vit, deit, vit_mae or ijepa'),
    ...each(
      ['hidden_size', 'num_hidden_layers', 'intermediate_size', 'num_channels', 'patch_size', 'qkv_bias'],
      counts('a size or a part of the network; the weights must agree'),
    ),
    num_attention_heads: counts('the heads'),
    image_size: counts('the trained size: the grid of the position table'),
    hidden_act: counts('the activation of the feed-forward net'),
    layer_norm_eps: counts('the epsilon of every norm'),
    pooler_act: counts('the activation behind the pooler, where there is one'),
    pooler_output_size: counts('the width of what the pooler gives; it must be that of the network'),
    ...each(
      ['hidden_dropout_prob', 'attention_probs_dropout_prob', 'initializer_range'],
      nothing('it acts while training only'),
    ),
    ...each(
      [
        'encoder_stride',
        'decoder_hidden_size',
        'decoder_intermediate_size',
        'decoder_num_attention_heads',
        'decoder_num_hidden_layers',
        'norm_pix_loss',
      ],
      nothing('it is about the decoder of a pretraining, which is left aside'),
    ),
    mask_ratio: nothing('it leaves patches out by chance; features here are those of whole images'),
  },
}

/** Is what ViTImageProcessor does where its file says nothing. */
const PROCESSOR: PlainRecord = { image_processor_type: 'ViTImageProcessor' }

/** Is what DeiTImageProcessor does where its file says nothing. */
const DEIT_PROCESSOR: PlainRecord = { image_processor_type: 'DeiTImageProcessor' }

type Kind = 'ViT' | 'DeiT' | 'I-JEPA'

const TYPES: Readonly<Record<Kind, readonly string[]>> = {
  ViT: ['vit', 'vit_mae'],
  DeiT: ['deit'],
  'I-JEPA': ['ijepa'],
}

export const huggingFaceVit: readonly Dialect[] = transformersLayouts(['', 'vit.', 'deit.', 'ijepa.']).map(
  dialectOf,
)

function dialectOf(layout: TransformersLayout): Dialect {
  const source = layoutSource(layout)
  return {
    name: 'hugging-face',
    isCertain: true,
    recognises: (tensors) => hasLayout(layout, tensors) && !isBeit(layout, tensors),
    readConfig: (checkpoint, hints) => readConfig(layout, checkpoint, hints),
    readPreparation: (checkpoint, hints) =>
      preparationOf(
        checkpoint,
        hints,
        kindOf(layout, checkpoint.tensors) === 'DeiT' ? DEIT_PROCESSOR : PROCESSOR,
      ),
    assumptions: (checkpoint, hints) => assumptions(layout, checkpoint, hints),
    source: (weight, shape, config, tensors) =>
      teacherSource(weight, shape) ?? source(weight, shape, config, tensors),
    positions: ({ classToken, registers }) => ({
      tensor: layout.positions,
      special: registers + (classToken ? 1 : 0),
    }),
    // A decoder rebuilds pixels in a pretraining, and a mask token stands in for patches there.
    leftOver: (tensor) =>
      tensor === `${layout.prefix}embeddings.mask_token` || tensor.startsWith('decoder.') ? 'training' : null,
  }
}

/** BEiT and its like have the same names: each of these is there in some of them, and none in a ViT. */
export function isBeit(layout: TransformersLayout, tensors: ReadonlyMap<string, TensorInfo>): boolean {
  const block = `${layout.blocks}0.`
  const [query, key] = layout.qkv
  return (
    tensors.has(`${block}lambda_1`) ||
    tensors.has(`${block}${layout.bias}`) ||
    tensors.has(layout.sharedBias) ||
    tensors.has(`${layout.prefix}pooler.layernorm.weight`) ||
    (tensors.has(`${block}${query}.bias`) && !tensors.has(`${block}${key}.bias`))
  )
}

function kindOf(layout: TransformersLayout, tensors: ReadonlyMap<string, TensorInfo>): Kind {
  if (tensors.has(layout.registers)) return 'DeiT'
  return tensors.has(layout.classToken) ? 'ViT' : 'I-JEPA'
}

function fileOf(layout: TransformersLayout, checkpoint: Checkpoint, hints: VitHints): ConfigReader {
  const family = kindOf(layout, checkpoint.tensors)
  return transformersFile(checkpoint, hints, { family, types: TYPES[family], table: VIT_CONFIG })
}

function readConfig(layout: TransformersLayout, checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors } = checkpoint
  const reader = fileOf(layout, checkpoint, hints)
  const size = (tensor: string, axis: number) => storedSize(checkpoint, tensor, axis, 'hugging-face')
  const block = `${layout.blocks}0.`
  const classToken = tensors.has(layout.classToken)
  const registers = tensors.has(layout.registers) ? 1 : 0
  const special = registers + (classToken ? 1 : 0)
  const grid = gridOf(checkpoint, reader, hints, {
    table: { tensor: layout.positions, axis: 1 },
    rowsOf: ({ rows, columns }) => rows * columns + special,
    patchSize: patchSizeOf(checkpoint, layout),
    fallback: 224,
  })
  const classifier = classifierOf(tensors)
  const hasPooler = classifier === null && tensors.has(`${layout.prefix}pooler.dense.weight`)
  const config: VitConfig = {
    ...trunkOf(checkpoint, layout, grid),
    heads: headsOf(reader, hints, 12),
    hidden: size(`${block}${layout.parts['mlp.0']}.weight`, 0),
    classToken,
    registers,
    epsilon: reader.number('layer_norm_eps', 1e-12),
    qkvBias: tensors.has(`${block}${layout.qkv[0]}.bias`),
    layerScale: false,
    mlp: 'ffn',
    activation: activationOf(reader, 'hidden_act', 'gelu'),
    pooling: { kind: classToken ? 'class' : 'mean' },
    pooler: hasPooler ? activationOf(reader, 'pooler_act', 'tanh') : null,
    classifier,
    // The pooler is of the task that the network was trained on; what stands for an image is the token.
    ...(classToken ? { embedding: 'class' as const } : {}),
    // transformers takes every table for a square, so that one of a rectangle serves its own grid alone.
    positions: { ...grid, specialRows: classToken, rule: grid.rows === grid.columns ? 'bicubic' : 'fixed' },
    rgbStats: levelsOf(checkpoint, hints, PROCESSOR),
  }
  agreeOnShape(reader, config)
  agree(reader, 'qkv_bias', config.qkvBias)
  if (hasPooler) agree(reader, 'pooler_output_size', config.width)
  return config
}

function assumptions(layout: TransformersLayout, checkpoint: Checkpoint, hints: VitHints): readonly string[] {
  const reader = fileOf(layout, checkpoint, hints)
  const isMasked = reader.text('model_type', '') === 'vit_mae' && reader.number('mask_ratio', 0.75) > 0
  const masked = `${checkpoint.label} is a masked autoencoder: its config.json has transformers leave patches out by chance (mask_ratio), and features here are those of whole images, as with mask_ratio 0.`
  return [
    ...processorAssumption(checkpoint, hints, kindOf(layout, checkpoint.tensors)),
    ...(isMasked ? [masked] : []),
  ]
}
