/** Walks the parts of open_clip's file. */
import type { TensorInfo } from '../../src/checkpoint/checkpoint.js'
import {
  OPEN_CLIP_FILE,
  OPEN_CLIP_MODEL,
  OPEN_CLIP_PREPROCESS,
  OPEN_CLIP_VISION,
} from '../../src/model/families/open-clip.js'
import { OPEN_CLIP_TRUNK } from '../../src/model/families/open-clip-trunk.js'
import { readVit } from '../../src/model/read-vit.js'
import type { PlainRecord } from '../../src/plain-value.js'
import { elementCount, type Shape } from '../../src/tensor/shape.js'
import { resultOf, type Walk } from './walk.js'

const BLOCK: Readonly<Record<string, Shape>> = {
  'ln_1.weight': [4],
  'ln_1.bias': [4],
  'attn.in_proj_weight': [12, 4],
  'attn.in_proj_bias': [12],
  'attn.out_proj.weight': [4, 4],
  'attn.out_proj.bias': [4],
  'ln_2.weight': [4],
  'ln_2.bias': [4],
  'mlp.c_fc.weight': [8, 4],
  'mlp.c_fc.bias': [8],
  'mlp.c_proj.weight': [4, 8],
  'mlp.c_proj.bias': [4],
}

const SHAPES: Readonly<Record<string, Shape>> = {
  'visual.class_embedding': [4],
  'visual.positional_embedding': [5, 4],
  'visual.proj': [4, 6],
  'visual.conv1.weight': [4, 3, 2, 2],
  ...Object.fromEntries(
    ['ln_pre', 'ln_post'].flatMap((norm) => [
      [`visual.${norm}.weight`, [4]],
      [`visual.${norm}.bias`, [4]],
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(BLOCK).map(([name, shape]) => [`visual.transformer.resblocks.0.${name}`, shape]),
  ),
}

const VISION: PlainRecord = { image_size: 4, patch_size: 2, width: 4, layers: 1, head_width: 2, mlp_ratio: 2 }
const MODEL: PlainRecord = { embed_dim: 6, vision_cfg: VISION, text_cfg: {} }
const PREPROCESS: PlainRecord = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }
const FILE: PlainRecord = { model_cfg: MODEL, preprocess_cfg: PREPROCESS }

function read(openClipFile: PlainRecord, shapes = SHAPES, wrapping = ''): unknown {
  const tensors = Object.entries(shapes).map(([name, shape]): [string, TensorInfo] => [
    name,
    { dtype: 'F32', shape, byteLength: 4 * elementCount(shape) },
  ])
  const vit = readVit(
    {
      label: 'open_clip_model.safetensors',
      format: 'safetensors',
      wrapping,
      dropped: [],
      choice: null,
      metadata: {},
      tensors: new Map(tensors),
      read: () => Promise.reject(new Error('a walk reads no tensor')),
    },
    { openClipFile },
  )
  return resultOf(vit)
}

/** Is timm's vit_tiny_patch16_224. */
const TRUNK_SHAPES: Readonly<Record<string, Shape>> = {
  cls_token: [1, 1, 192],
  pos_embed: [1, 197, 192],
  'patch_embed.proj.weight': [192, 3, 16, 16],
  'patch_embed.proj.bias': [192],
  'norm.weight': [192],
  'norm.bias': [192],
  ...Object.fromEntries(
    Array.from({ length: 12 }, (_, block) =>
      Object.entries({
        'norm1.weight': [192],
        'norm1.bias': [192],
        'attn.qkv.weight': [576, 192],
        'attn.qkv.bias': [576],
        'attn.proj.weight': [192, 192],
        'attn.proj.bias': [192],
        'norm2.weight': [192],
        'norm2.bias': [192],
        'mlp.fc1.weight': [768, 192],
        'mlp.fc1.bias': [768],
        'mlp.fc2.weight': [192, 768],
        'mlp.fc2.bias': [192],
      }).map(([name, shape]) => [`blocks.${block}.${name}`, shape] as const),
    ).flat(),
  ),
}
const TRUNK: PlainRecord = { timm_model_name: 'vit_tiny_patch16_224', timm_pool: 'token', image_size: 224 }

export const OPEN_CLIP_WALKS: readonly Walk[] = [
  {
    table: OPEN_CLIP_FILE,
    base: FILE,
    read: (fields) => read(fields),
    others: {
      model_cfg: { model_cfg: { ...MODEL, quick_gelu: true } },
      preprocess_cfg: { preprocess_cfg: { ...PREPROCESS, mean: [0.4, 0.5, 0.5] } },
    },
  },
  {
    table: OPEN_CLIP_MODEL,
    base: MODEL,
    read: (model_cfg) => read({ ...FILE, model_cfg }),
    others: {
      embed_dim: { embed_dim: 7 },
      quick_gelu: { quick_gelu: true },
      vision_cfg: { vision_cfg: { ...VISION, head_width: 4 } },
    },
  },
  {
    table: OPEN_CLIP_VISION,
    base: VISION,
    read: (vision_cfg) => read({ ...FILE, model_cfg: { ...MODEL, vision_cfg } }),
    others: {
      patch_size: { patch_size: 4 },
      width: { width: 8 },
      layers: { layers: 2 },
      mlp_ratio: { mlp_ratio: 4 },
      image_size: { image_size: [2, 8] },
      head_width: { head_width: 4 },
      ls_init_value: { ls_init_value: 1e-5 },
      no_ln_pre: { no_ln_pre: true },
      pool_type: { pool_type: 'avg' },
      final_ln_after_pool: { final_ln_after_pool: true },
      norm_kwargs: { norm_kwargs: { eps: 1e-6 } },
      pos_embed_type: { pos_embed_type: 'none' },
    },
  },
  {
    table: OPEN_CLIP_TRUNK,
    base: TRUNK,
    read: (vision_cfg) =>
      read({ ...FILE, model_cfg: { ...MODEL, vision_cfg } }, TRUNK_SHAPES, 'visual.trunk.'),
    others: {
      timm_model_name: { timm_model_name: 'vit_of_mine' },
      timm_pool: { timm_pool: '' },
      image_size: { image_size: [112, 448] },
    },
  },
  {
    table: OPEN_CLIP_PREPROCESS,
    base: PREPROCESS,
    read: (preprocess_cfg) => read({ ...FILE, preprocess_cfg }),
    others: {
      mean: { mean: [0.4, 0.5, 0.5] },
      std: { std: [0.4, 0.5, 0.5] },
      interpolation: { interpolation: 'bilinear' },
      resize_mode: { resize_mode: 'squash' },
      size: { size: 8 },
    },
  },
]
