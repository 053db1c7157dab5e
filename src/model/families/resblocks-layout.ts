/** Says where OpenAI's CLIP keeps an image tower's weights, and all that took their names over: open_clip, Meta's Perception Encoder. */

import { type Shape, sizeAt } from '../../tensor/shape.js'
import type { Dialect } from '../dialects/dialect.js'
import { type Layout, layoutSource, type Places } from '../dialects/layout.js'
import { rowsOf, type StoredWeight } from '../dialects/stored-weight.js'

const PARTS: Places = {
  norm1: 'ln_1',
  'attn.qkv': { weight: 'attn.in_proj_weight', bias: 'attn.in_proj_bias' },
  'attn.proj': 'attn.out_proj',
  layer_scale_1: 'ls_1',
  norm2: 'ln_2',
  'mlp.0': 'mlp.c_fc',
  'mlp.3': 'mlp.c_proj',
  layer_scale_2: 'ls_2',
}

/** @param prefix stands in front of the image tower's names, as `visual.` does beside a text tower */
export function resblocksLayout(dialect: string, prefix: string): Layout {
  return {
    dialect,
    classToken: `${prefix}class_embedding`,
    tokenAxes: 1,
    registers: '',
    positions: `${prefix}positional_embedding`,
    hasFlatPositions: true,
    blocks: `${prefix}transformer.resblocks.`,
    scale: 'gamma',
    modules: {
      conv_proj: `${prefix}conv1`,
      'encoder.pre_block.0': `${prefix}ln_pre`,
      norm: `${prefix}ln_post`,
      embedding_norm: `${prefix}ln_post`,
      'attn_pool.latent': `${prefix}attn_pool.probe`,
      'attn_pool.proj': `${prefix}attn_pool.attn.out_proj`,
      'attn_pool.norm': `${prefix}attn_pool.layernorm`,
      'attn_pool.mlp.0': `${prefix}attn_pool.mlp.c_fc`,
      'attn_pool.mlp.3': `${prefix}attn_pool.mlp.c_proj`,
    },
    parts: PARTS,
  }
}

/** Names the projection, which lies [D, columns], the other way round than every other matrix. */
export function projectionName(prefix: string): string {
  return `${prefix}proj`
}

export function resblocksSource(layout: Layout, prefix: string): Dialect['source'] {
  const usual = layoutSource(layout)
  return (weight, shape, config, tensors) => {
    if (weight === 'projection.weight') return turned(projectionName(prefix), shape)
    // PyTorch's MultiheadAttention keeps q, k and v in one matrix; here the query has one of its own.
    const [, part, vector] = /^attn_pool\.(q|kv)\.(weight|bias)$/.exec(weight) ?? []
    if (part === undefined) return usual(weight, shape, config, tensors)
    const { width } = config
    return rowsOf(`${prefix}attn_pool.attn.in_proj_${vector}`, shape, part === 'q' ? 0 : width, 3 * width)
  }
}

/** The file has columns where the matrix has rows. */
function turned(tensor: string, shape: Shape): StoredWeight {
  const [rows, columns] = [sizeAt(shape, 0), sizeAt(shape, 1)]
  return {
    parts: [{ tensor, shape: [columns, rows] }],
    combine: (values: Float32Array) => {
      const out = new Float32Array(values.length)
      for (let at = 0; at < values.length; at++) {
        out[at] = values[(at % columns) * rows + Math.floor(at / columns)] ?? Number.NaN
      }
      return out
    },
    put(weight, into) {
      for (let at = 0; at < weight.length; at++) {
        into[(at % columns) * rows + Math.floor(at / columns)] = weight[at] ?? Number.NaN
      }
    },
  }
}

/** Tells what stands beside an image tower that is called `visual`: text tower and scale of the scores. */
export function isOfTextTower(tensor: string): boolean {
  return /^(text\.|transformer\.|token_embedding\.|ln_final\.|(positional_embedding|text_projection(\.weight|\.bias)?|attn_mask|logit_scale|logit_bias)$)/.test(
    tensor,
  )
}
