/**
 * Infers Birder's config of a bare state dict from names and shapes. What leaves no trace in them is filled in with the value that
 * Birder's registered networks of that width have (heads, epsilon), and can be overridden by the caller. A size whose tensor is
 * missing is null, as if the config did not have it.
 */
import type { PlainRecord, TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { countBlocks, sizeOrNull, squareSideOrNull } from './headers.js'

/** Networks of these widths have 16 heads (Birder net/_vit_configs.py); in others a head is 64 wide. */
const WIDTHS_OF_16_HEADS = [896, 1152, 1280, 1408, 1664, 1792]

export function inferBirderConfig(tensors: ReadonlyMap<string, TensorInfo>, label: string): PlainRecord {
  const size = (name: string, axis: number) => sizeOrNull(tensors, name, axis)
  const block = (part: string) => `encoder.block.0.${part}`
  const width = size(block('norm1.weight'), 0)
  if (!tensors.has('pos_embedding')) {
    throw new CheckpointError(
      'unsupported-network',
      `${label} has no position table and its name is no known network's, so it may use rotary positions, which leave no trace. ` +
        'Say which network it is (option network).',
    )
  }
  const positions = size('pos_embedding', 1)
  const preNorm = tensors.has('encoder.pre_block.0.weight')
  const hmlp = tensors.has('conv_proj.0.weight')
  const probe = tensors.has('attn_pool.v.weight')
  return {
    patch_size: hmlp ? 16 : size('conv_proj.weight', 2),
    stem_type: hmlp ? 'hmlp' : 'patchify',
    stem_norm_layer_type: tensors.has('conv_proj.1.running_mean') ? 'BatchNorm2d' : null,
    num_layers: countBlocks(tensors, 'encoder.block.'),
    num_heads: width === null ? null : headsOf(width),
    hidden_dim: width,
    mlp_dim: size(block('mlp.0.weight'), 0) ?? size(block('mlp.fc1_g.weight'), 0),
    class_token: tensors.has('class_token'),
    num_reg_tokens: size('reg_tokens', 1),
    pos_embed_special_tokens: positions === null || squareSideOrNull(positions) === null,
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

function headsOf(width: number): number {
  return WIDTHS_OF_16_HEADS.includes(width) ? 16 : Math.max(1, Math.floor(width / 64))
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
