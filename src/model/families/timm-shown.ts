/** Says what the weights show of arguments that only some of timm's classes have. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { sizeOrNull } from '../dialects/headers.js'
import type { VitConfig } from '../vit-config.js'
import { SHARED_BIAS, SHARED_NET } from './timm-layout.js'
import { OWN_BIAS, OWN_NET } from './timm-places.js'

export function timmShown(
  { tensors }: Checkpoint,
  config: VitConfig,
): Readonly<Record<string, number | boolean>> {
  const has = (tensor: string) => tensors.has(tensor)
  const hasOne = (parts: readonly string[]) => parts.some((part) => has(`blocks.0.${part}`))
  const offsets =
    sizeOrNull(tensors, `${SHARED_NET}.fc1.weight`, 0) ?? sizeOrNull(tensors, `${OWN_NET}.fc1.weight`, 0)
  // Relative positions have a column, or a row, for each head.
  const heads =
    sizeOrNull(tensors, SHARED_BIAS, 1) ??
    sizeOrNull(tensors, OWN_BIAS, 1) ??
    sizeOrNull(tensors, `${SHARED_NET}.fc2.weight`, 0) ??
    sizeOrNull(tensors, `${OWN_NET}.fc2.weight`, 0)
  return {
    ...(heads === null ? {} : { num_heads: heads }),
    proj_bias: hasOne(['attn.proj.bias', 'attns.0.attn.proj.bias', 'attn_out_proj.bias']),
    swiglu_mlp: config.mlp === 'swiglu' || config.mlp === 'normSwiglu',
    qkv_fused: !hasOne(['attn.q_proj.weight']),
    use_rel_pos_bias: has(OWN_BIAS),
    use_shared_rel_pos_bias: has(SHARED_BIAS),
    shared_rel_pos: has(`${SHARED_NET}.fc1.weight`),
    ...(offsets === null ? {} : { rel_pos_dim: offsets }),
  }
}
