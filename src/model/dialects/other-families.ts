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
    name: "SAM's image encoder, whose attention works in windows",
    traces: [[/attn\.rel_pos_[hw]$/]],
    lacks: /^body\.0\.attn\.rel_pos_h$/,
  },
  {
    name: 'a distilled DeiT, which has two class tokens',
    traces: [[/(^|\.)(dist_token|distillation_token)$/], [/^head_dist\./]],
    lacks: /^(blocks\.0\.attn\.qkv|encoder\.block)\./,
  },
  {
    name: 'a hybrid of a convolutional network and a vision transformer',
    traces: [[/^patch_embed\.(backbone|proj\.conv|proj\.\d)/]],
  },
  { name: 'a ViT with differential attention', traces: [[/attn\.(lambda_|sub_norm)/]] },
  {
    name: 'a masked autoencoder with its decoder',
    traces: [[/^decoder_(blocks|embed|pos_embed)/]],
  },
  {
    name: 'CLIP',
    traces: [[/^visual\.(conv1|class_embedding)/]],
  },
  {
    name: 'a Swin Transformer',
    traces: [[/^layers\.0\.(blocks|downsample)\./], [/(^|\.)encoder\.layers\.0\.blocks\./]],
  },
]

/** Lists values of transformers' `model_type` of networks that people look for here and that are no plain vision transformers, or not run alone. */
const OTHER_TYPES: readonly (readonly [type: RegExp, name: string])[] = [
  [/^dinov3_convnext$/, "DINOv3's ConvNeXt, which is a convolutional network"],
  [/^vjepa2/, 'V-JEPA 2, which reads videos'],
  [/^aimv2$/, 'AIMv2 beside its text tower, of which the image tower alone can be run (aimv2_vision_model)'],
  [/^(mobileclip|mobilevit|fastvit)/, 'MobileCLIP or another network that is mostly convolutions'],
  [/^theia/i, 'Theia, which is a DeiT with heads of its own'],
  [/^sapiens/, 'Sapiens, which attends in windows'],
  [/^capi/, 'CAPI'],
]

/** Throws `unsupported-network` for a config.json of one of these. */
function refuseOtherTypes({ label }: Pick<Checkpoint, 'label'>, type: unknown): void {
  const found = OTHER_TYPES.find(([pattern]) => typeof type === 'string' && pattern.test(type))
  if (found === undefined) return
  throw new CheckpointError(
    'unsupported-network',
    `${label} is ${found[1]}: the config.json beside it says model_type ${JSON.stringify(type)}. That network is not run.`,
  )
}

/** Throws `unsupported-network` that names the network where a trace of another family is found. */
export function refuseOtherFamilies({ tensors, label }: Checkpoint, { configFile }: VitHints): void {
  const names = [...tensors.keys()]
  const has = (pattern: RegExp) => names.find((name) => pattern.test(name))
  const type = isRecord(configFile) ? (configFile.model_type ?? configFile.architecture) : undefined
  refuseOtherTypes({ label }, type)
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
