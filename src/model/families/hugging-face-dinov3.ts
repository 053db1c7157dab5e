/**
 * Reads DINOv3 (Siméoni et al. 2025) as Hugging Face transformers writes it: a vision transformer with registers and without a position table, whose
 * queries and keys are turned by rotary positions (models/dinov3_vit of transformers 5.24).
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { isRecord, type PlainRecord } from '../../plain-value.js'
import { agree } from '../dialects/agree.js'
import { configFileOf } from '../dialects/config-file.js'
import type { ConfigReader } from '../dialects/config-reader.js'
import type { Dialect, VitHints } from '../dialects/dialect.js'
import { countBlocks, sizeOrNull, storedSize } from '../dialects/headers.js'
import { type Layout, layoutSource } from '../dialects/layout.js'
import { NORMED_LAYERS, OF_BACKBONES, OF_EVERY_CONFIG } from '../dialects/transformers-fields.js'
import { ATTENTION_PARTS, DINOV2_PARTS, GATED_PARTS, QKV_MODULES } from '../dialects/transformers-names.js'
import { tapsOf } from '../dialects/transformers-taps.js'
import { counts, each, type FieldTable, nothing } from '../fields.js'
import { PLAIN, type VitConfig } from '../vit-config.js'
import {
  activationOf,
  agreeOnShape,
  levelsOf,
  preparationOf,
  processorAssumption,
  transformersFile,
} from './transformers-file.js'

export const DINOV3_CONFIG: FieldTable = {
  title: 'transformers: config.json of a DINOv3ViTConfig',
  source: 'transformers 5.24.0: models/dinov3_vit',
  isBeside: true,
  prefix: '',
  fields: {
    ...OF_EVERY_CONFIG,
    ...OF_BACKBONES,
    apply_layernorm: NORMED_LAYERS,
    model_type: counts('which network it is: dinov3_vit'),
    ...each(
      [
        'hidden_size',
        'num_hidden_layers',
        'intermediate_size',
        'num_channels',
        'patch_size',
        'num_register_tokens',
        'query_bias',
        'key_bias',
        'value_bias',
        'proj_bias',
        'mlp_bias',
        'use_gated_mlp',
      ],
      counts('a size or a part of the network; the weights must agree'),
    ),
    num_attention_heads: counts('the heads'),
    image_size: counts('the trained size'),
    hidden_act: counts('the activation of the feed-forward net, or of its gate'),
    layer_norm_eps: counts('the epsilon of every norm'),
    rope_theta: counts('the base of the rotary positions'),
    rope_parameters: counts('rope_theta in newer files, with rope_type default'),
    ...each(
      ['attention_dropout', 'drop_path_rate', 'initializer_range', 'layerscale_value'],
      nothing('it acts while training only'),
    ),
    ...each(
      ['pos_embed_shift', 'pos_embed_jitter', 'pos_embed_rescale'],
      nothing('it moves coordinates while training only'),
    ),
  },
}

const KIND = { family: 'DINOv3', types: ['dinov3_vit'], table: DINOV3_CONFIG } as const

/** Files have a block's number behind `layer.`, and what transformers 5 has in memory behind `model.layer.`, which a state dict shows. */
const BLOCKS = ['layer.', 'model.layer.'] as const

/** Is the layout of files. */
export const DINOV3_LAYOUT: Layout = layoutOf(BLOCKS[0])

function layoutOf(blocks: string): Layout {
  return {
    dialect: 'hugging-face',
    classToken: 'embeddings.cls_token',
    registers: 'embeddings.register_tokens',
    positions: '',
    blocks,
    scale: 'lambda1',
    modules: { conv_proj: 'embeddings.patch_embeddings', norm: 'norm' },
    parts: {
      ...DINOV2_PARTS,
      ...ATTENTION_PARTS,
      ...GATED_PARTS,
      'mlp.0': GATED_PARTS['mlp.fc1_x'],
      'mlp.3': GATED_PARTS['mlp.fc2'],
    },
    optional: [/\.attention\.[qkvo]_proj\.bias$/, /\.mlp\.(gate|up|down)_proj\.bias$/],
  }
}

/** Is what DINOv3ViTImageProcessorFast does where its file says nothing. */
const PROCESSOR: PlainRecord = { image_processor_type: 'DINOv3ViTImageProcessor' }

export const huggingFaceDinov3: readonly Dialect[] = BLOCKS.map((blocks) => dialectOf(layoutOf(blocks)))

function dialectOf(layout: Layout): Dialect {
  return {
    name: 'hugging-face',
    isCertain: true,
    recognises: (tensors) =>
      tensors.has(layout.classToken) &&
      tensors.has(`${layout.blocks}0.attention.q_proj.weight`) &&
      tensors.has('embeddings.patch_embeddings.weight') &&
      !tensors.has('embeddings.position_embeddings'),
    readConfig: (checkpoint, hints) => readConfig(layout, checkpoint, hints),
    readPreparation: (checkpoint, hints) => preparationOf(checkpoint, hints, PROCESSOR),
    assumptions: (checkpoint, hints) => processorAssumption(checkpoint, hints, KIND.family),
    source: layoutSource(layout),
    positions: () => null,
    leftOver(tensor, tensors) {
      if (tensor === 'embeddings.mask_token') return 'training'
      // A network without registers is saved with a tensor of no rows.
      return tensor === layout.registers && sizeOrNull(tensors, tensor, 1) === 0 ? 'derived' : null
    },
  }
}

function readConfig(layout: Layout, checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors } = checkpoint
  const reader = transformersFile(checkpoint, hints, KIND)
  const size = (tensor: string, axis: number) => storedSize(checkpoint, tensor, axis, 'DINOv3')
  const kernel = 'embeddings.patch_embeddings.weight'
  const depth = countBlocks(tensors, layout.blocks)
  const gated = tensors.has(`${layout.blocks}0.mlp.gate_proj.weight`)
  const config: VitConfig = {
    ...PLAIN,
    network: null,
    size: hints.size ?? reader.sides('image_size', [224, 224]),
    channels: size(kernel, 1),
    patchSize: size(kernel, 2),
    width: size(kernel, 0),
    depth,
    heads: hints.heads ?? reader.positive('num_attention_heads'),
    hidden: size(`${layout.blocks}0.mlp.up_proj.weight`, 0),
    classToken: true,
    registers: sizeOrNull(tensors, layout.registers, 1) ?? 0,
    epsilon: reader.number('layer_norm_eps', 1e-5),
    // Where only some have a bias, that of the others is zeros.
    qkvBias: QKV_MODULES.some((module) => tensors.has(`${layout.blocks}0.${module}.bias`)),
    layerScale: tensors.has(`${layout.blocks}0.layer_scale1.lambda1`),
    mlp: gated ? 'swiglu' : 'ffn',
    activation: activationOf(reader, 'hidden_act', 'gelu'),
    pooling: { kind: 'class' },
    positions: null,
    rotary: {
      coordinates: { kind: 'centred' },
      bands: { kind: 'temperature', temperature: ropeTheta(checkpoint, hints, reader) },
      firstAxis: 'rows',
      spread: 'tiled',
      pairs: 'halves',
      registers: null,
    },
    // A backbone always norms the last layer, whatever apply_layernorm says.
    taps: tapsOf(reader, depth, (layer) => layer === depth || reader.flag('apply_layernorm', true)),
    rgbStats: levelsOf(checkpoint, hints, PROCESSOR),
  }
  agreeOnShape(reader, config)
  agree(reader, 'num_register_tokens', config.registers)
  agree(reader, 'use_gated_mlp', gated)
  for (const [key, module] of Object.entries(BIASES)) {
    agree(reader, key, tensors.has(`${layout.blocks}0.${module}.bias`))
  }
  return config
}

/** Newer files have the base in a record of its own, which counts as it does in transformers. */
function ropeTheta(checkpoint: Checkpoint, hints: VitHints, reader: ConfigReader): number {
  const theta = reader.number('rope_theta', 100)
  const parameters = configFileOf(checkpoint, hints, 'transformers')?.rope_parameters
  if (!isRecord(parameters)) return theta
  const { rope_theta: inner = theta, rope_type: type = 'default', ...others } = parameters
  const isKnown = type === 'default' && Object.keys(others).length === 0 && typeof inner === 'number'
  if (isKnown && inner > 0 && (!reader.has('rope_theta') || inner === theta)) return inner
  throw reader.refuse(
    'rope_parameters',
    'rope_type "default" and a rope_theta that no other field contradicts',
  )
}

/** Holds what the file says against a network that other files describe. Throws `contradiction` where they differ. */
export function agreeOnDinov3(checkpoint: Checkpoint, hints: VitHints, config: VitConfig): void {
  const reader = transformersFile(checkpoint, hints, KIND)
  agreeOnShape(reader, config)
  agree(reader, 'num_attention_heads', config.heads)
  agree(reader, 'num_register_tokens', config.registers)
  agree(reader, 'layer_norm_eps', config.epsilon)
  const activation = activationOf(reader, 'hidden_act', config.activation)
  if (activation !== config.activation) throw reader.refuse('hidden_act', config.activation)
}

/** Names the fields of the file that tell of a bias, with the module that has it. */
const BIASES = {
  query_bias: 'attention.q_proj',
  key_bias: 'attention.k_proj',
  value_bias: 'attention.v_proj',
  proj_bias: 'attention.o_proj',
  mlp_bias: 'mlp.up_proj',
} as const
