/**
 * Tells networks that look like a plain vision transformer, or stand in the same libraries, and compute something else: by every trace that they
 * leave in names of tensors, and by what a config calls them. They are refused by name, which says more than a list of tensors.
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { isRecord } from '../../plain-value.js'
import type { VitHints } from './dialect.js'

interface OtherFamily {
  /** Ends the sentence "This is …". */
  readonly name: string
  /** Holds, of which one is enough, lists of what must all be found among the names. */
  readonly traces: readonly (readonly RegExp[])[]
  /** Must not be found among the names. */
  readonly lacks?: RegExp
}

const DINOV3 = 'DINOv3, which has rotary positions'

/** The first that fits counts. */
const FAMILIES: readonly OtherFamily[] = [
  {
    name: DINOV3,
    traces: [[/(^|\.)rope_embed\.periods$/], [/(^|\.)storage_tokens$/], [/attn\.qkv\.bias_mask$/]],
  },
  {
    name: DINOV3,
    traces: [
      [/(^|\.)layer\.\d+\.attention\.q_proj\./, /(^|\.)embeddings\.register_tokens$/],
      [/(^|\.)layer\.\d+\.attention\.q_proj\./, /(^|\.)embeddings\.patch_embeddings\.weight$/],
    ],
    lacks: /(^|\.)(pos_embed|position_embeddings)$|encoder\.layer\./,
  },
  {
    name: "DINOv3 in timm's layout, or another network of timm's class Eva with rotary positions",
    traces: [[/^blocks\.0\.gamma_1$/, /^reg_token$/]],
    lacks: /^pos_embed$/,
  },
  { name: 'an EVA network with rotary positions', traces: [[/^(rope|blocks\.\d+\.attn\.rope)\./]] },
  {
    name: 'a network with relative positions (BEiT, Data2Vec or such)',
    traces: [
      [/relative_position_bias_table$/],
      [/relative_position_index$/],
      [/(^|\.)(shared_)?rel_pos(_bias)?\./],
    ],
  },
  { name: "SAM's image encoder, whose attention works in windows", traces: [[/attn\.rel_pos_[hw]$/]] },
  {
    name: 'a BEiT or EVA network',
    traces: [[/attn\.[qv]_bias$/], [/^blocks\.\d+\.gamma_[12]$/], [/\.lambda_[12]$/]],
  },
  {
    name: 'a distilled DeiT, which has two class tokens',
    traces: [[/(^|\.)(dist_token|distillation_token)$/], [/^head_dist\./]],
    lacks: /^encoder\.block\./,
  },
  {
    name: 'a hybrid of a convolutional network and a vision transformer',
    traces: [[/^patch_embed\.(backbone|proj\.conv|proj\.\d)/]],
  },
  {
    name: 'a ViT of several branches side by side',
    traces: [[/^blocks\.0\.(attns|ffns)\./]],
  },
  {
    name: "a ViT of Birder's with routed experts (ViT_MoE, RoPE_ViT_MoE)",
    traces: [[/^encoder\.block\.\d+\.mlp\.(router|routed_experts|shared_experts)\./]],
  },
  {
    name: 'a ViT whose attention and feed-forward net share one projection',
    traces: [[/^blocks\.0\.(in_proj|attn_out_proj|mlp_out_proj)\./]],
  },
  { name: 'a ViT with differential attention', traces: [[/attn\.(lambda_|sub_norm)/]] },
  { name: "C-RADIO in its makers' layout", traces: [[/^(radio_model|input_conditioner)\./]] },
  {
    name: 'a masked autoencoder with its decoder',
    traces: [[/(^|\.)decoder_(blocks|embed|pos_embed)/], [/^decoder\.decoder_/]],
  },
  {
    name: 'CLIP',
    traces: [
      [/(^|\.)vision_model\.embeddings\.class_embedding$/],
      [/^visual\.(conv1|class_embedding)/],
      [/^embeddings\.class_embedding$/],
    ],
  },
  {
    name: 'SigLIP',
    traces: [[/(^|\.)vision_model\.embeddings\.patch_embedding\./], [/^embeddings\.patch_embedding\./]],
  },
  {
    name: "a network of transformers' that is built as its ViT (ViT, DeiT, BEiT, ViTMAE, I-JEPA)",
    traces: [[/encoder\.layer\.0\.layernorm_before\./]],
  },
  {
    name: "a network of transformers' that is built as its ViT (ViT, DeiT, BEiT, ViTMAE, I-JEPA)",
    traces: [[/(^|\.)layers\.0\.layernorm_before\./]],
  },
  {
    name: 'a Swin Transformer',
    traces: [[/^layers\.0\.(blocks|downsample)\./], [/(^|\.)encoder\.layers\.0\.blocks\./]],
  },
]

/** transformers' `model_type`, in its beginning, of networks whose names people know. */
const MODEL_TYPES: readonly (readonly [type: RegExp, family: string])[] = [
  [/^dinov3/, DINOV3],
  [/^(vit|deit)$/, 'a ViT or DeiT of transformers'],
  [/^(beit|data2vec)/, 'a network with relative positions'],
  [/^(clip|chinese_clip|metaclip)/, 'CLIP'],
  [/^siglip/, 'SigLIP'],
  [/^vit_mae/, 'a masked autoencoder'],
]

/** Gives what follows a model_type in a refusal: that it is such a network, or nothing. */
export function familyOfModelType(type: string): string {
  const found = MODEL_TYPES.find(([pattern]) => pattern.test(type))
  return found === undefined ? '' : `, which is ${found[1]} and is not run yet`
}

/** Throws `unsupported-network` that names the network where a trace of another family is found. */
export function refuseOtherFamilies({ tensors, label }: Checkpoint, { configFile }: VitHints): void {
  const names = [...tensors.keys()]
  const has = (pattern: RegExp) => names.find((name) => pattern.test(name))
  const type = isRecord(configFile) ? (configFile.model_type ?? configFile.architecture) : undefined
  const said = typeof type === 'string' ? `; the config.json beside it calls it ${type}` : ''
  for (const { name, traces, lacks } of FAMILIES) {
    if (lacks !== undefined && has(lacks) !== undefined) continue
    const found = traces
      .map((all) => all.map((trace) => has(trace)))
      .find((all) => all.every((one) => one !== undefined))
    if (found === undefined) continue
    throw new CheckpointError(
      'unsupported-network',
      `${label} is ${name}, told by ${found.join(' and ')}${said}. That network is not run yet: DINOv2 and plain vision transformers are.`,
    )
  }
}
