/** timm's vision transformers have Meta's block names, registers as `reg_token`, a packed gated feed-forward net and maybe a classifier. */
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { openClipTrunkOrNull } from '../families/open-clip-trunk.js'
import {
  countBranches,
  TIMM_LAYOUT,
  timmLayout,
  timmPositions,
  timmSource,
  timmTables,
} from '../families/timm-layout.js'
import { timmBias, timmFront, timmRule } from '../families/timm-places.js'
import { timmRotary } from '../families/timm-rotary.js'
import { timmShown } from '../families/timm-shown.js'
import { IMAGENET_STATS, type VitConfig } from '../vit-config.js'
import { configFileOf } from './config-file.js'
import type { Dialect, VitHints } from './dialect.js'
import { dinov2Config } from './dinov2-config.js'
import { sizeOrNull, storedSize } from './headers.js'
import { publishedNameOrNull } from './published-names.js'
import { timmArchitectures } from './timm-architectures.js'
import { readTimm } from './timm-config.js'
import { timmPooling } from './timm-pooling.js'
import type { TimmTold } from './timm-told.js'

export const timm: Dialect = {
  name: 'timm',
  recognises: (tensors) =>
    ['patch_embed.proj.weight', 'embeds.proj.weight'].some((tensor) => tensors.has(tensor)) &&
    ['attn.qkv', 'attn.q_proj', 'attns.0.attn.qkv', 'in_proj'].some((part) =>
      tensors.has(`blocks.0.${part}.weight`),
    ),
  readConfig,
  readPreparation: (checkpoint, hints) => toldOf(checkpoint, hints).preparation ?? null,
  assumptions,
  source: timmSource,
  positions: timmPositions,
  tables: timmTables,
  // Older files keep what follows from the grid.
  leftOver: (tensor) => (/\.relative_position_index$/.test(tensor) ? 'derived' : null),
}

function toldOf(checkpoint: Checkpoint, hints: VitHints): TimmTold {
  return readTimm(
    checkpoint,
    hints,
    openClipTrunkOrNull(checkpoint, hints) ?? configFileOf(checkpoint, hints, 'timm'),
  )
}

function readConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors } = checkpoint
  const told = toldOf(checkpoint, hints)
  refuseOtherModules(checkpoint)
  refuseOtherClasses(checkpoint, told)
  const layout = timmLayout(tensors)
  const has = (tensor: string) => tensors.has(tensor)
  const net = feedForwardOf(checkpoint)
  const classToken = has(layout.classToken)
  const prefix = (classToken ? 1 : 0) + (sizeOrNull(tensors, layout.registers, 1) ?? 0)
  const base = dinov2Config(
    {
      checkpoint,
      layout,
      gated: net.gated,
      hidden: net.hidden,
      rule: () => timmRule(told),
      heads: told.heads,
      headsHint,
      qkvBias: QKV_BIASES.some((bias) => has(`blocks.0.${bias}`)),
      epsilon: told.epsilon,
      activation: gatedActivation(told, net.gated),
      sizes: told.sizes,
      sizeFields: 'model_args.img_size, pretrained_cfg.input_size',
      front: timmFront(checkpoint, told, hints),
      special: told.noEmbedClass === true ? [0, prefix] : [prefix, 0],
      rgbStats: told.rgbStats ?? IMAGENET_STATS,
    },
    hints,
  )
  const preNorm = has('norm_pre.weight')
  const isParallel = has('blocks.0.in_proj.weight')
  const distilled = has('dist_token')
  const norm = normOf(checkpoint, told)
  const config: VitConfig = {
    ...base,
    classToken,
    norm,
    preNorm,
    // Where a norm follows, the convolution has no bias.
    stem: { kind: 'patchify', bias: !preNorm, norm: has('patch_embed.norm.weight') },
    block: isParallel ? 'parallel' : told.isPostNorm ? 'postNorm' : 'preNorm',
    branches: countBranches(tensors),
    mlp: net.mlp,
    layerScale: ['gamma_1', 'ls1.gamma', 'ls.gamma', 'attns.0.ls.gamma'].some((one) =>
      has(`blocks.0.${one}`),
    ),
    queryKeyNorm: ['attn.q_norm', 'q_norm', 'attns.0.attn.q_norm'].some((one) =>
      has(`blocks.0.${one}.weight`),
    ),
    attentionNorm: ['attn.norm', 'attns.0.attn.norm'].some((one) => has(`blocks.0.${one}.weight`)),
    rotary: timmRotary(told, checkpoint, base),
    bias: timmBias(checkpoint, base),
    ...timmPooling(checkpoint, told, { ...base, norm }, classToken),
    ...(distilled ? { pooling: { kind: 'special-mean', rows: [0, 1] } } : {}),
    classifier: classifierOf(checkpoint),
  }
  told.check(config, {
    mlpRows: told.class === 'VisionTransformer' ? net.rows : config.hidden,
    hasNorm: has('norm.weight') || has('fc_norm.weight'),
    hasPooledNorm: has('fc_norm.weight'),
    pooledRows: sizeOrNull(tensors, 'attn_pool.mlp.fc1.weight', 0),
    further: timmShown(checkpoint, config),
  })
  return config
}

/** The first that a class has tells of them all. */
const QKV_BIASES = [
  'attn.qkv.bias',
  'attn.q_bias',
  'attn.q_proj.bias',
  'attns.0.attn.qkv.bias',
  'in_proj.bias',
]

/** Tells the feed-forward net by its matrices. */
function feedForwardOf(checkpoint: Checkpoint): {
  readonly mlp: VitConfig['mlp']
  readonly gated: boolean
  /** Counts the rows of its first matrix, or of its first two side by side. */
  readonly rows: number
  readonly hidden: { readonly tensor: string; readonly axis: number }
} {
  const { tensors } = checkpoint
  const has = (part: string) => tensors.has(`blocks.0.${part}`)
  const last = has('in_proj.weight')
    ? 'mlp_out_proj'
    : has('attns.0.norm.weight')
      ? 'ffns.0.mlp.fc2'
      : 'mlp.fc2'
  const hidden = { tensor: `blocks.0.${last}.weight`, axis: 1 }
  const columns = storedSize(checkpoint, hidden.tensor, 1, TIMM_LAYOUT.dialect)
  const hasNorm = has('mlp.norm.weight')
  if (has('mlp.fc1_g.weight'))
    return { mlp: hasNorm ? 'normSwiglu' : 'swiglu', gated: true, rows: columns, hidden }
  // Only a packed gated net's second matrix reads half of what its first one gives.
  const rows =
    last === 'mlp.fc2' ? storedSize(checkpoint, 'blocks.0.mlp.fc1.weight', 0, TIMM_LAYOUT.dialect) : columns
  const gated = columns === rows / 2
  return {
    mlp: gated ? (hasNorm ? 'normSwiglu' : 'swiglu') : hasNorm ? 'normFfn' : 'ffn',
    gated,
    rows,
    hidden,
  }
}

/** Names what only some of timm's classes have, with the classes. */
const CLASS_TRACES: readonly (readonly [tensor: RegExp, classes: readonly TimmTold['class'][]])[] = [
  [/^embeds\./, ['NaFlexVit']],
  [/relative_position_bias_table$/, ['Beit']],
  [/(^|\.)(shared_)?rel_pos\./, ['VisionTransformerRelPos']],
  [/^rope\./, ['Eva']],
  [/^blocks\.0\.(gamma_1$|attn\.q_bias$|attn\.q_proj\.)/, ['Eva', 'Beit']],
]

/** Heads, rotary positions and order of norms stand in no tensor, so that a class other than the plain one must be named. */
function refuseOtherClasses({ label, tensors }: Checkpoint, told: TimmTold): void {
  const isNamed = told.class
  for (const [pattern, classes] of CLASS_TRACES) {
    const trace = [...tensors.keys()].find((name) => pattern.test(name))
    if (trace === undefined || classes.includes(isNamed)) continue
    throw new CheckpointError(
      'contradiction',
      `${label} is a network of timm's class ${classes.join(' or ')}, told by ${trace}, and its config.json or name is of ${isNamed === 'VisionTransformer' ? 'a plain vision transformer, or there is none' : `the class ${isNamed}`}: ` +
        'heads, rotary positions and the order of norms are in no tensor. Keep the config.json of its repository beside it.',
    )
  }
}

function headsHint(width: number): string {
  const counts = new Set(timmArchitectures().flatMap((one) => (one.width === width ? [one.heads] : [])))
  if (counts.size === 0) return ''
  return ` Of timm's own networks, those of its width ${width} have ${[...counts].toSorted((a, b) => a - b).join(' or ')}.`
}

/** An architecture without a gated net does not say what the gate of one is: timm's own gated networks all have SiLU. */
function gatedActivation({ activation }: TimmTold, gated: boolean): VitConfig['activation'] {
  return activation ?? (gated ? 'silu' : 'gelu')
}

/** Norms without a shift are root mean square norms, where nothing says otherwise. */
function normOf({ tensors, label }: Checkpoint, { rmsNorm }: TimmTold): VitConfig['norm'] {
  const shifted = ['norm1', 'norm2', 'in_norm', 'attns.0.norm'].some((part) =>
    tensors.has(`blocks.0.${part}.bias`),
  )
  if (rmsNorm === undefined || rmsNorm === !shifted) return shifted ? 'layerNorm' : 'rmsNorm'
  throw new CheckpointError(
    'contradiction',
    `${label}: its norms have ${shifted ? 'a' : 'no'} bias, and its config (norm_layer) or name is of a network with ${rmsNorm ? 'root mean square' : 'layer'} norms.`,
  )
}

function classifierOf(checkpoint: Checkpoint): VitConfig['classifier'] {
  const { tensors } = checkpoint
  if (!tensors.has('head.weight')) return null
  const classes = storedSize(checkpoint, 'head.weight', 0, TIMM_LAYOUT.dialect)
  const kind = tensors.has('dist_token') ? 'distilled' : 'linear'
  return { classes, kind, bias: tensors.has('head.bias') }
}

/** Names modules that timm's class may have and that are not computed here. */
const OTHER_MODULES: readonly (readonly [tensor: RegExp, what: string])[] = [
  [/^embeds\.(pos_embed_[xy]$|norm|conv)/, 'positions of its two axes apart, or norms on its patches'],
  [/^blocks\.0\.attn\.gate\./, 'a gate on its attention'],
  [/^blocks\.\d+\.(attn\.)?(lambda_|sub_norm)/, 'differential attention'],
  [/^blocks\.0\.out_proj\./, 'one matrix behind both halves of a block'],
  [/^attn_pool\.(q|k)_norm\./, 'an attention pooling with norms on queries and keys'],
]

function refuseOtherModules({ tensors, label }: Checkpoint): void {
  for (const name of tensors.keys()) {
    const found = OTHER_MODULES.find(([tensor]) => tensor.test(name))
    if (found === undefined) continue
    throw new CheckpointError(
      'unsupported-network',
      `${label} is a timm model with ${found[1]} (${name}), which is not computed yet.`,
    )
  }
}

function assumptions(checkpoint: Checkpoint, hints: VitHints): readonly string[] {
  const { label, tensors } = checkpoint
  const told = toldOf(checkpoint, hints)
  const found: string[] = []
  if (hints.configFile === undefined && openClipTrunkOrNull(checkpoint, hints) === null)
    found.push(byName(label, told, hints, tensors))
  const [height, width] = told.unsaidSize ?? [224, 224]
  if (hints.configFile !== undefined && (height !== 224 || width !== 224))
    found.push(
      `The config.json beside ${label} says no input_size, of which timm makes 224x224; images are made of the ${height}x${width} of img_size here. The option is size (--size).`,
    )
  if (told.pool === '')
    found.push(
      `${label}: timm gives all tokens (global_pool ''); the embedding here is ${tensors.has('cls_token') ? 'the class token' : 'the mean of the patches'}.`,
    )
  const rows = sizeOrNull(tensors, 'blocks.0.mlp.fc1.weight', 0) ?? 0
  if (sizeOrNull(tensors, 'blocks.0.mlp.fc2.weight', 1) === rows / 2 && told.activation === undefined)
    found.push(
      `${label} does not say the activation of its gated feed-forward net: SiLU is taken, which timm's own gated networks have.`,
    )
  return found
}

/** There is no config.json, so that the name tells some, and the rest is assumed. */
function byName(
  label: string,
  { name }: TimmTold,
  hints: VitHints,
  tensors: ReadonlyMap<string, TensorInfo>,
): string {
  const advice =
    'Keep its config.json beside it, or say it: normalisation and cropFraction (--normalisation, --crop-fraction).'
  if (name === null && publishedNameOrNull(label) !== null)
    return `There is no config.json beside ${label}, so it is taken for what its name says, with ImageNet's mean and deviation and the whole of each image. ${advice}`
  if (name === null) {
    const levels =
      hints.normalisation === undefined ? ", ImageNet's mean and deviation, the whole of each image" : ''
    const pool = tensors.has('fc_norm.weight') ? ', the mean of the patches as embedding' : ''
    return `There is no config.json beside ${label}, and its name is none of timm's, so it is taken for a plain vision transformer: GELU, epsilon 1e-6, blocks with their norms in front${pool}${levels}, positions resampled for other sizes as timm does (option positions, --positions). ${advice}`
  }
  const { input, found, architecture } = name
  const width = sizeOrNull(tensors, 'norm.weight', 0) ?? sizeOrNull(tensors, 'blocks.0.norm1.weight', 0)
  const heads =
    width === architecture.width || hints.heads !== undefined
      ? ''
      : `, and heads as wide as its ${architecture.width / architecture.heads}, since the width is another`
  const how =
    input === null
      ? `its name is timm's ${found} without the tag that says how its images are made: ImageNet's mean and deviation and the whole of each image are taken`
      : `its name is timm's ${found}: mean and deviation "${input.normalisation.name}" and a crop of ${input.preparation.cropFraction} are taken`
  return `There is no config.json beside ${label}; ${how}${heads}. ${advice}`
}
