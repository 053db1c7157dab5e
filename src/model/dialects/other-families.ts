/**
 * Tells networks that look like one that is read, or stand in the same libraries, and compute something else: by every trace that they leave in names of
 * tensors, and by what a config calls them. They are refused by name, which says more than a list of tensors, with what of their kind is read.
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { isRecord, type PlainValue } from '../../plain-value.js'
import type { VitHints } from './dialect.js'

interface OtherFamily {
  /** Ends the sentence "This is …". */
  readonly name: string
  /** Is matched against what the config.json calls it: a `model_type` of transformers, or an architecture of timm. */
  readonly types?: RegExp
  /** Is matched against what such models are called where they are published, without the owner and in small letters: it says that they are of this kind whatever their files have. */
  readonly called?: RegExp
  /** Holds, of which one is enough, lists of what must all be found among the names; empty for what its config alone tells. */
  readonly traces: readonly (readonly RegExp[])[]
  /** Must not be found among the names. */
  readonly lacks?: RegExp
  /** Is how many axes a tensor of the trace has. */
  readonly rank?: number
  /** Says that the trace is what was left aside when the network was found in its file. */
  readonly isBeside?: true
  /** Says in a sentence what of this kind is read. */
  readonly read: string
}

const NO_VIT = 'It is no vision transformer, and not run.'

/** Lists networks whose types and traces no network that is read has. The first that fits counts, types before traces. */
const FOREIGN: readonly OtherFamily[] = [
  {
    // facebookresearch/capi, model.py.
    name: 'CAPI, whose attention turns all of a head by learnt angles',
    types: /^capi/,
    called: /^capi[-_]/,
    traces: [[/(^|\.)blocks\.0\.residual1\./]],
    read: 'It is not run yet; of the same makers DINOv2 and DINOv3 are.',
  },
  {
    name: 'a network of videos such as V-JEPA 2 or VideoMAE, whose patches reach through time',
    types: /^(vjepa2|videomae)/,
    called: /^(v-?jepa-?2|videomae)/,
    traces: [[/(^|\.)patch_embed(dings)?\.(proj|projection)\.weight$/]],
    rank: 5,
    read: 'It is not run; of networks of images I-JEPA and MAE are.',
  },
  {
    // theia/models/rvfm.py and feature_translators.py.
    name: 'Theia, which is a DeiT with translators to the features of others',
    types: /^theia/i,
    called: /^theia-/,
    traces: [[/(^|\.)translator\.(translator_(heads|stem)|backbone_adapter)\./]],
    isBeside: true,
    read: 'It is not run yet; DeiT itself is (facebook/deit-*).',
  },
  {
    // models/sapiens2 of transformers 5.24, in its makers' names and in its own.
    name: 'Sapiens 2, whose queries share keys and values between heads',
    types: /^sapiens2/,
    called: /^sapiens2/,
    traces: [
      [/(^|\.)blocks\.0\.attn\.wq\.weight$/],
      [/(^|\.)layer\.0\.attention\.q_norm\.weight$/, /(^|\.)layer\.0\.layer_scale1\.lambda1$/],
    ],
    read: 'It is not run yet; DINOv3, whose blocks are similar, is.',
  },
  {
    name: "a ConvNeXt, such as DINOv3's",
    types: /convnext/,
    called: /^((dinov3|clip)-)?convnext/,
    traces: [
      [/(^|\.)stages\.0\.layers\.0\.depthwise_conv\./],
      [/(^|\.)stages\.0\.0\.dwconv\./],
      [/(^|\.)stages\.0\.blocks\.0\.conv_dw\./],
    ],
    read: `${NO_VIT} DINOv3's vision transformers are.`,
  },
  {
    name: 'MobileCLIP, or another network that mixes tokens by convolutions',
    types: /^(mobileclip|mobilevit|fastvit|vit_base_mci)/,
    called: /^(mobileclip|mobilevit|fastvit|vit_base_mci)/,
    traces: [[/(^|\.)image_encoder\.model\./], [/(^|\.)token_mixer\./]],
    read: 'It is mostly convolutions, and not run; CLIP, SigLIP and TinyCLIP with vision transformers are.',
  },
  {
    name: "AIMv2 in Apple's own layout or beside its text tower",
    types: /^aimv2$/,
    traces: [],
    read: "The image tower of transformers (aimv2_vision_model) is run, and timm's (timm/aimv2_large_patch14_224.apple_pt and others).",
  },
  {
    name: 'DPT or Depth Anything, which tells the depth of places by a head behind a network that was trained on with it',
    types: /^(dpt|depth_anything|zoedepth)$/,
    called: /^(dpt-|depth-anything|zoedepth)/,
    traces: [],
    read: 'It is not run.',
  },
]

/** Lists networks that may be taken for one that is read, where nothing else tells which. The first that fits counts. */
const ALIKE: readonly OtherFamily[] = [
  {
    name: "DINOv3, which has rotary positions, in a layout that is none of Meta's own or timm's",
    traces: [[/(^|\.)rope_embed\.periods$/], [/(^|\.)storage_tokens$/], [/attn\.qkv\.bias_mask$/]],
    read: "Meta's files are read where they have rope_embed.periods, blocks.0.attn.qkv.weight and no pos_embed, besides those of transformers and timm.",
  },
  {
    name: "SAM's image encoder, whose attention works in windows",
    traces: [[/attn\.rel_pos_[hw]$/]],
    lacks: /^body\.0\.attn\.rel_pos_h$/,
    read: "It is read as Birder lays it out (ViT_SAM, vit_sam_b16_sam-sa1b), not in Meta's layout or that of transformers.",
  },
  {
    name: 'a hybrid of a convolutional network and a vision transformer',
    traces: [[/^patch_embed\.(backbone|proj\.conv|proj\.\d)/]],
    read: "It is not run, MobileCLIP-B among them; vision transformers whose patches are one convolution's are.",
  },
  {
    name: 'a ViT with differential attention',
    traces: [[/attn\.(lambda_|sub_norm)/]],
    read: "It is not run yet; timm's other vision transformers are.",
  },
  {
    name: "dino.txt's head on the image's side",
    traces: [[/^block_list\.0\.attn\.qkv\.weight$/, /^ln_final\.weight$/]],
    read: 'It stands on a network: give the backbone as the model, and this file as its head (option head where a program loads it, --head on the command line).',
  },
  {
    name: "a linear classifier, such as DINO's and DINOv2's, without the network that it stands on",
    traces: [[/^(linear\.)?weight$/, /^(linear\.)?bias$/]],
    read: 'Give the backbone as the model, and this file as its head (option head where a program loads it, --head on the command line).',
  },
  {
    name: "dino.txt's text tower",
    traces: [[/^token_embedding\.weight$/, /^blocks\.0\.attention_norm\.weight$/]],
    read: 'Images alone are embedded here: give the backbone as the model, and the vision head as its head (option head, --head).',
  },
  {
    name: 'a masked autoencoder with its decoder',
    traces: [[/^decoder_(blocks|embed|pos_embed)/]],
    read: "Its encoder alone is read: Meta's mae_pretrain_vit_*.pth, or ViTMAE of transformers (facebook/vit-mae-large).",
  },
  {
    name: 'CLIP with a ResNet',
    called: /^rn(50|101)(x\d+)?([-_.]|$)/,
    traces: [[/^visual\.layer1\./]],
    read: `${NO_VIT} CLIP's vision transformers are.`,
  },
  {
    name: "CLIP in a layout that is none of open_clip's, or a part of it",
    traces: [[/^visual\.(conv1|class_embedding)/]],
    read: "open_clip's vision transformers are read where visual.conv1, visual.class_embedding, visual.transformer.resblocks and visual.ln_post are all there.",
  },
  {
    name: 'a Swin Transformer',
    called: /^swin/,
    traces: [[/^layers\.0\.(blocks|downsample)\./], [/(^|\.)encoder\.layers\.0\.blocks\./]],
    read: 'It has stages and is not run; vision transformers of one resolution are.',
  },
]

/** Lists what is refused by name, each with what of its kind is read, in whole sentences. */
export function refusedNetworks(): readonly Pick<OtherFamily, 'name' | 'read'>[] {
  return [...FOREIGN, ...ALIKE].map(({ name, read }) => ({ name, read }))
}

/** Makes the error for a model that nobody can look into here, and whose name says that it is a network that is not run; null where the name says nothing. */
export function refusedByNameOrNull(model: string): CheckpointError | null {
  const name = model.slice(model.lastIndexOf('/') + 1).toLowerCase()
  const family = [...FOREIGN, ...ALIKE].find(({ called }) => called?.test(name))
  return family === undefined ? null : refusal({ label: model }, family, 'its name tells it')
}

/** Throws `unsupported-network` that names the network, for what no file that is read has, in its tensors or in the config.json beside them. */
export function refuseForeignNetworks(checkpoint: Checkpoint, hints: VitHints): void {
  const type = typeOf(hints)
  const named = FOREIGN.find(({ types }) => type !== null && types?.test(type))
  if (named !== undefined) throw refusal(checkpoint, named, `the config.json beside it calls it ${type}`)
  refuseTraced(FOREIGN, checkpoint, hints)
}

/** Throws `unsupported-network` for what its config.json alone, before any weights are here, calls a network that is not run. */
export function refuseForeignConfig(label: string, configFile: PlainValue): void {
  const type = typeOf({ configFile })
  const named = FOREIGN.find(({ types }) => type !== null && types?.test(type))
  if (named !== undefined) throw refusal({ label }, named, `its config.json calls it ${type}`)
}

/** Throws `unsupported-network` that names the network where a trace is found of one that may be taken for another. */
export function refuseAlikeNetworks(checkpoint: Checkpoint, hints: VitHints): void {
  refuseTraced(ALIKE, checkpoint, hints)
}

function refuseTraced(families: readonly OtherFamily[], checkpoint: Checkpoint, hints: VitHints): void {
  const type = typeOf(hints)
  const said = type === null ? '' : `; the config.json beside it calls it ${type}`
  for (const family of families) {
    const found = traceOf(family, checkpoint)
    if (found !== undefined) throw refusal(checkpoint, family, `told by ${found.join(' and ')}${said}`)
  }
}

function refusal(
  { label }: Pick<Checkpoint, 'label'>,
  { name, read }: OtherFamily,
  why: string,
): CheckpointError {
  return new CheckpointError('unsupported-network', `${label} is ${name}: ${why}. ${read}`)
}

function traceOf(
  { traces, lacks, rank, isBeside }: OtherFamily,
  { tensors, dropped }: Checkpoint,
): readonly string[] | undefined {
  const names = isBeside ? [...tensors.keys(), ...dropped] : [...tensors.keys()]
  if (lacks !== undefined && names.some((name) => lacks.test(name))) return undefined
  const has = (pattern: RegExp) =>
    names.find(
      (name) => pattern.test(name) && (rank === undefined || tensors.get(name)?.shape.length === rank),
    )
  return traces
    .map((all) => all.map(has).filter((name) => name !== undefined))
    .find((found, at) => found.length === traces[at]?.length)
}

/** Gives what the config.json calls its network, in transformers' words or timm's; null where nothing says it. */
function typeOf({ configFile }: VitHints): string | null {
  const type = isRecord(configFile) ? (configFile.model_type ?? configFile.architecture) : undefined
  return typeof type === 'string' ? type : null
}
