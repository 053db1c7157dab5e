/**
 * Birder's config of a bare state dict, from names and shapes. What leaves no trace in them is filled in with the value that Birder's
 * registered networks of that width have (heads, epsilon), and can be overridden by the caller.
 */
import type { PlainValue, TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { countBlocks, squareSideOrNull } from './dialect.js'

/** Heads by width (Birder net/_vit_configs.py); others are taken as 64 wide. */
const HEADS: Readonly<Record<number, number>> = { 896: 16, 1152: 16, 1280: 16, 1408: 16, 1664: 16, 1792: 16 }

export function inferBirderConfig(
  tensors: ReadonlyMap<string, TensorInfo>,
  label: string,
): { readonly [key: string]: PlainValue } {
  const shape = (name: string) => tensors.get(name)?.shape ?? []
  const block = (part: string) => `encoder.block.0.${part}`
  const width = shape(block('norm1.weight'))[0] ?? 0
  const table = shape('pos_embedding')
  if (table.length === 0) {
    throw new CheckpointError(
      'unsupported-network',
      `${label} has no position table and its name is no known network's, so it may use rotary positions, which leave no trace. ` +
        'Say which network it is (option network).',
    )
  }
  const registers = shape('reg_tokens')[1] ?? 0
  const classToken = tensors.has('class_token')
  const preNorm = tensors.has('encoder.pre_block.0.weight')
  const hmlp = tensors.has('conv_proj.0.weight')
  const probe = tensors.has('attn_pool.v.weight')
  return {
    patch_size: hmlp ? 16 : (shape('conv_proj.weight')[2] ?? 0),
    stem_type: hmlp ? 'hmlp' : 'patchify',
    stem_norm_layer_type: tensors.has('conv_proj.1.running_mean') ? 'BatchNorm2d' : null,
    num_layers: countBlocks(tensors, 'encoder.block.'),
    num_heads: HEADS[width] ?? Math.max(1, Math.floor(width / 64)),
    hidden_dim: width,
    mlp_dim: (tensors.get(block('mlp.0.weight')) ?? tensors.get(block('mlp.fc1_g.weight')))?.shape[0] ?? 0,
    class_token: classToken,
    num_reg_tokens: registers,
    pos_embed_special_tokens: squareSideOrNull(table[1]) === null,
    layer_scale_init_value: tensors.has(block('layer_scale_1.gamma')) ? 1e-5 : null,
    pre_norm: preNorm,
    post_norm: tensors.has('norm.weight') || tensors.has('embedding_norm.weight'),
    norm_after_pool: tensors.has('embedding_norm.weight'),
    qkv_bias: tensors.has(block('attn.qkv.bias')),
    qk_norm: tensors.has(block('attn.q_norm.weight')),
    attn_norm: tensors.has(block('attn.norm.weight')),
    norm_layer_type: tensors.has(block('norm1.bias')) ? 'LayerNorm' : 'RMSNorm',
    norm_layer_eps: preNorm ? 1e-5 : 1e-6,
    ...mlpConfig(tensors),
    attn_pool_head: tensors.has('attn_pool.latent'),
    attn_pool_type: probe ? 'EfficientProbing' : 'MultiHeadAttentionPool',
    mlp_head: tensors.has('classifier.3.weight'),
  }
}

function mlpConfig(tensors: ReadonlyMap<string, TensorInfo>): { readonly [key: string]: PlainValue } {
  const last = `encoder.block.${countBlocks(tensors, 'encoder.block.') - 1}.mlp`
  const slots = tensors.get(`${last}.slot_embeds`)?.shape
  if (slots !== undefined) {
    return { mlp_layer_type: 'SoftMoE_FFN', soft_moe_num_experts: slots[0], soft_moe_num_slots: slots[1] }
  }
  if (!tensors.has(`${last}.fc1_g.weight`)) return { mlp_layer_type: 'FFN' }
  return { mlp_layer_type: tensors.has(`${last}.norm.weight`) ? 'Norm_SwiGLU_FFN' : 'SwiGLU_FFN' }
}
