/**
 * Reads the first DINO (Caron et al. 2021) and iBOT (Zhou et al. 2022) in their makers' own files: plain vision transformers whose tables are resampled by a scale, which
 * timm, whose tensors have the same names, does in another way. So a file is taken for theirs only where something beside the tensors says so.
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import type { Dialect, VitHints } from '../dialects/dialect.js'
import { dinov2Config } from '../dialects/dinov2-config.js'
import { type Layout, layoutSource } from '../dialects/layout.js'
import { META_MODULES, META_PARTS, metaLeftOver } from '../dialects/meta-names.js'
import { IMAGENET_STATS, type VitConfig } from '../vit-config.js'

const LAYOUT: Layout = {
  dialect: 'facebook',
  classToken: 'cls_token',
  registers: '',
  positions: 'pos_embed',
  blocks: 'blocks.',
  scale: null,
  modules: { ...META_MODULES, embedding_norm: 'fc_norm' },
  parts: { ...META_PARTS, layer_scale_1: 'gamma_1', layer_scale_2: 'gamma_2' },
}

/** Tells iBOT's own token in place of what is masked. */
const MASKED = 'masked_embed'

/** Are the heads of published networks by their width (vision_transformer.py of both). */
const PUBLISHED_HEADS: { readonly [width: number]: number } = { 192: 3, 384: 6, 768: 12, 1024: 16 }

export const facebookDino: Dialect = {
  name: 'facebook',
  isCertain: true,
  recognises: (tensors) =>
    ['cls_token', 'pos_embed', 'patch_embed.proj.weight', 'blocks.0.attn.qkv.weight'].every((name) =>
      tensors.has(name),
    ) &&
    !['mask_token', 'register_tokens', 'reg_token', 'norm_pre.weight', 'blocks.0.attn.q_bias'].some((name) =>
      tensors.has(name),
    ),
  claims: (checkpoint, hints) => hints.configFile === undefined && speaksOfDino(checkpoint),
  readConfig,
  source: layoutSource(LAYOUT),
  positions: () => ({ tensor: LAYOUT.positions, special: 1 }),
  leftOver: (tensor) => (tensor === MASKED ? 'training' : metaLeftOver(tensor)),
}

/**
 * Both train a teacher and keep its network as `backbone`; iBOT publishes `checkpoint_teacher.pth`. The files that DINO publishes bare are known by their names
 * (published-names.ts), and without layer scales they are what timm reads.
 */
function speaksOfDino({ tensors, metadata, wrapping, label }: Checkpoint): boolean {
  const file = label.toLowerCase().split(/[/\\]/).at(-1) ?? ''
  return (
    tensors.has(MASKED) ||
    ['dino_loss', 'ibot_loss'].some((entry) => metadata[entry] !== undefined) ||
    wrapping === 'teacher/backbone.' ||
    (wrapping === 'state_dict' && file === 'checkpoint_teacher.pth') ||
    (tensors.has('blocks.0.gamma_1') && /^(dino|ibot)[_-]/.test(file))
  )
}

function readConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors } = checkpoint
  const config = dinov2Config(
    {
      checkpoint,
      layout: LAYOUT,
      gated: false,
      hidden: { tensor: 'blocks.0.mlp.fc1.weight', axis: 0 },
      rule: () => 'bicubic-offset',
      heads: (width) => PUBLISHED_HEADS[width] ?? null,
      qkvBias: tensors.has('blocks.0.attn.qkv.bias'),
      sizes: [],
      sizeFields: '',
      special: [1],
      rgbStats: IMAGENET_STATS,
    },
    hints,
  )
  // With use_mean_pooling iBOT has no norm on tokens, and one on their mean.
  return tensors.has('fc_norm.weight')
    ? { ...config, finalNorm: 'pooled', pooling: { kind: 'mean' } }
    : config
}
