/**
 * Reads the image tower of AIMv2 (Fini et al. 2024) as transformers writes it alone: RMS norms, gated feed-forward nets, a norm on the patches before they get
 * positions, and a head whose learnt query attends to all tokens (models/aimv2 of transformers 5.24).
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import type { PlainRecord } from '../../plain-value.js'
import { agree } from '../dialects/agree.js'
import type { Dialect, VitHints } from '../dialects/dialect.js'
import { storedSize } from '../dialects/headers.js'
import { type Layout, layoutSource } from '../dialects/layout.js'
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
import { patchSizeOf, trunkOf } from './trunk-of.js'

export const AIMV2_CONFIG: FieldTable = {
  title: 'transformers: config.json of an Aimv2VisionConfig',
  source: 'transformers 5.24.0: models/aimv2',
  isBeside: true,
  prefix: '',
  fields: {
    ...OF_EVERY_CONFIG,
    model_type: counts('which network it is: aimv2_vision_model'),
    ...each(
      [
        'hidden_size',
        'num_hidden_layers',
        'intermediate_size',
        'num_channels',
        'patch_size',
        'qkv_bias',
        'mlp_bias',
        'use_head',
        'is_native',
      ],
      counts('a size or a part of the network; the weights must agree'),
    ),
    num_attention_heads: counts('the heads'),
    image_size: counts('the trained size: the grid of the position table'),
    hidden_act: counts('the activation of the gates'),
    rms_norm_eps: counts('the epsilon of every norm'),
    ...each(['attention_dropout', 'initializer_range'], nothing('it acts while training only')),
  },
}

const KIND = { family: 'AIMv2', types: ['aimv2_vision_model'], table: AIMV2_CONFIG } as const

export const AIMV2_LAYOUT: Layout = {
  dialect: 'hugging-face',
  classToken: '',
  registers: '',
  positions: 'embeddings.position_embedding.weight',
  hasFlatPositions: true,
  blocks: 'encoder.layers.',
  scale: null,
  modules: {
    conv_proj: 'embeddings.patch_embed',
    stem_norm: 'embeddings.rms_norm',
    norm: 'rms_norm',
    'attn_pool.latent': 'head.cls_token',
    'attn_pool.kv': { pieces: ['head.k_proj', 'head.v_proj'] },
    'attn_pool.proj': 'head.output_proj',
  },
  parts: {
    norm1: 'rms_norm1',
    'attn.qkv': { pieces: ['attention.q_proj', 'attention.k_proj', 'attention.v_proj'] },
    'attn.proj': 'attention.out_proj',
    norm2: 'rms_norm2',
    'mlp.fc1_g': 'ffn.gate_proj',
    'mlp.fc1_x': 'ffn.up_proj',
    'mlp.fc2': 'ffn.down_proj',
  },
  optional: [/\.attention\.out_proj\.bias$/, /\.ffn\.(gate|up|down)_proj\.bias$/, /^head\.[kv]_proj\.bias$/],
}

/** Is what CLIPImageProcessor does, which AIMv2 is published with. */
const PROCESSOR: PlainRecord = { image_processor_type: 'CLIPImageProcessor' }

export const huggingFaceAimv2: Dialect = {
  name: 'hugging-face',
  isCertain: true,
  recognises: (tensors) =>
    tensors.has('embeddings.patch_embed.weight') &&
    tensors.has('embeddings.rms_norm.weight') &&
    tensors.has('encoder.layers.0.rms_norm1.weight'),
  readConfig,
  readPreparation: (checkpoint, hints) => preparationOf(checkpoint, hints, PROCESSOR),
  assumptions: (checkpoint, hints) => [
    ...processorAssumption(checkpoint, hints, KIND.family),
    ...(hasHead(checkpoint)
      ? []
      : [
          `${checkpoint.label} has no pooling head, so that transformers gives tokens alone; the mean of its patches stands for an image here.`,
        ]),
  ],
  source: layoutSource(AIMV2_LAYOUT),
  positions: ({ positions }) =>
    positions === null ? null : { tensor: AIMV2_LAYOUT.positions, special: 0, isFlat: true },
}

function hasHead({ tensors }: Checkpoint): boolean {
  return tensors.has('head.cls_token')
}

function readConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors } = checkpoint
  const reader = transformersFile(checkpoint, hints, KIND)
  const size = (tensor: string, axis: number) => storedSize(checkpoint, tensor, axis, 'hugging-face')
  const isNative = !tensors.has(AIMV2_LAYOUT.positions)
  const grid = gridOf(checkpoint, reader, hints, {
    table: isNative ? null : { tensor: AIMV2_LAYOUT.positions, axis: 0 },
    rowsOf: ({ rows, columns }) => rows * columns,
    patchSize: patchSizeOf(checkpoint, AIMV2_LAYOUT),
    fallback: 224,
  })
  const heads = headsOf(reader, hints, 8)
  const epsilon = reader.number('rms_norm_eps', 1e-5)
  const activation = activationOf(reader, 'hidden_act', 'silu')
  const config: VitConfig = {
    ...trunkOf(checkpoint, AIMV2_LAYOUT, grid),
    heads,
    hidden: size(`${AIMV2_LAYOUT.blocks}0.ffn.gate_proj.weight`, 0),
    classToken: false,
    registers: 0,
    norm: 'rmsNorm',
    epsilon,
    qkvBias: tensors.has(`${AIMV2_LAYOUT.blocks}0.attention.q_proj.bias`),
    layerScale: false,
    mlp: 'swiglu',
    activation,
    stem: { kind: 'patchify', bias: true, norm: true },
    pooling: hasHead(checkpoint)
      ? { kind: 'attention', heads, specialTokens: false, epsilon, hidden: null, activation }
      : { kind: 'mean' },
    // transformers has no way to another grid than that of the table.
    positions: isNative ? null : { ...grid, specialRows: false, rule: 'fixed' },
    sines: isNative ? { temperature: 10000 } : null,
    rgbStats: levelsOf(checkpoint, hints, PROCESSOR),
  }
  agreeOnShape(reader, config)
  agree(reader, 'is_native', isNative)
  agree(reader, 'use_head', hasHead(checkpoint))
  agree(reader, 'qkv_bias', config.qkvBias)
  agree(reader, 'mlp_bias', tensors.has(`${AIMV2_LAYOUT.blocks}0.ffn.gate_proj.bias`))
  return config
}
