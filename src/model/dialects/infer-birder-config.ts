/**
 * Infers Birder's settings of a bare state dict from names and shapes, as far as they show there. A size whose tensor is missing is null, as if the
 * config did not have it.
 */
import type { TensorInfo } from '../../checkpoint/checkpoint.js'
import type { PlainRecord } from '../../plain-value.js'
import { namedAsVit } from './birder-classes.js'
import { countBlocks, sizeOrNull, squareSideOrNull } from './headers.js'

/** `size` is that of the input, where the file or the caller says it. */
export function inferBirderConfig(
  stored: ReadonlyMap<string, TensorInfo>,
  inputSize: readonly [height: number, width: number] | null,
): PlainRecord {
  const tensors = namedAsVit(stored)
  const size = (name: string, axis: number) => sizeOrNull(tensors, name, axis)
  const block = (part: string) => `encoder.block.0.${part}`
  const hmlp = tensors.has('conv_proj.0.weight')
  const probe = tensors.has('attn_pool.v.weight')
  const patchSize = hmlp ? 16 : size('conv_proj.weight', 2)
  return {
    patch_size: patchSize,
    stem_type: hmlp ? 'hmlp' : 'patchify',
    stem_norm_layer_type: tensors.has('conv_proj.1.running_mean') ? 'BatchNorm2d' : null,
    num_parallel: countBlocks(stored, 'encoder.block.0.attn_blocks.') || null,
    num_layers: countBlocks(tensors, 'encoder.block.'),
    hidden_dim: size(block('norm1.weight'), 0),
    mlp_dim: size(block('mlp.0.weight'), 0) ?? size(block('mlp.fc1_g.weight'), 0),
    class_token: tensors.has('class_token'),
    num_reg_tokens: size('reg_tokens', 1),
    abs_pos_embed: tensors.has('pos_embedding'),
    pos_embed_special_tokens: hasSpecialRows(tableRows(stored), patchSize, inputSize),
    layer_scale_init_value: tensors.has(block('layer_scale_1.gamma')) ? 1e-5 : null,
    pre_norm: tensors.has('encoder.pre_block.0.weight'),
    post_norm: tensors.has('norm.weight') || tensors.has('embedding_norm.weight'),
    norm_after_pool: tensors.has('embedding_norm.weight'),
    qkv_bias: tensors.has(block('attn.qkv.bias')),
    qk_norm: tensors.has(block('attn.q_norm.weight')),
    attn_norm: tensors.has(block('attn.norm.weight')),
    norm_layer_type: tensors.has(block('norm1.bias')) ? 'LayerNorm' : 'RMSNorm',
    ...mlpConfig(tensors),
    attn_pool_head: tensors.has('attn_pool.latent') || probe,
    attn_pool_type: probe ? 'EfficientProbing' : 'MultiHeadAttentionPool',
    mlp_head: tensors.has('classifier.3.weight'),
  }
}

/** A table that is not learnt has no axis for a batch in front. */
function tableRows(tensors: ReadonlyMap<string, TensorInfo>): number | null {
  const shape = tensors.get('pos_embedding')?.shape ?? []
  return shape[shape.length - 2] ?? null
}

/** The table has a row for each patch; where it has more, the special tokens have rows, too. */
function hasSpecialRows(
  rows: number | null,
  patch: number | null,
  size: readonly [height: number, width: number] | null,
): boolean {
  if (rows === null) return true
  if (size === null || patch === null || patch === 0) return squareSideOrNull(rows) === null
  return rows !== Math.floor(size[0] / patch) * Math.floor(size[1] / patch)
}

function mlpConfig(tensors: ReadonlyMap<string, TensorInfo>): PlainRecord {
  const last = `encoder.block.${countBlocks(tensors, 'encoder.block.') - 1}.mlp`
  const embeds = `${last}.slot_embeds`
  if (tensors.has(embeds)) {
    return {
      mlp_layer_type: 'SoftMoE_FFN',
      soft_moe_num_experts: sizeOrNull(tensors, embeds, 0),
      soft_moe_num_slots: sizeOrNull(tensors, embeds, 1),
    }
  }
  if (!tensors.has(`${last}.fc1_g.weight`)) return { mlp_layer_type: 'FFN' }
  return { mlp_layer_type: tensors.has(`${last}.norm.weight`) ? 'Norm_SwiGLU_FFN' : 'SwiGLU_FFN' }
}
