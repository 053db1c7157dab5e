/** timm's vision transformers have Meta's block names, registers as `reg_token`, a packed gated feed-forward net and maybe a classifier. */
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { IMAGENET_STATS, type Pooling, specialTokens, type VitConfig } from '../vit-config.js'
import { configFileOf } from './config-file.js'
import type { Dialect, VitHints } from './dialect.js'
import { dinov2Config } from './dinov2-config.js'
import { sizeOrNull, storedSize } from './headers.js'
import { type Layout, layoutSource } from './layout.js'
import { META_MODULES, META_PARTS } from './meta-names.js'
import { publishedNameOrNull } from './published-names.js'
import { timmArchitectures } from './timm-architectures.js'
import { readTimm } from './timm-config.js'
import type { TimmTold } from './timm-told.js'

const LAYOUT: Layout = {
  dialect: 'timm',
  classToken: 'cls_token',
  registers: 'reg_token',
  positions: 'pos_embed',
  placesRegisters: true,
  blocks: 'blocks.',
  scale: 'gamma',
  modules: {
    ...META_MODULES,
    'encoder.pre_block.0': 'norm_pre',
    embedding_norm: 'fc_norm',
    classifier: 'head',
    'attn_pool.q': 'attn_pool.q',
    'attn_pool.kv': 'attn_pool.kv',
    'attn_pool.proj': 'attn_pool.proj',
    'attn_pool.norm': 'attn_pool.norm',
    'attn_pool.mlp.0': 'attn_pool.mlp.fc1',
    'attn_pool.mlp.3': 'attn_pool.mlp.fc2',
  },
  parts: {
    ...META_PARTS,
    'attn.q_norm': 'attn.q_norm',
    'attn.k_norm': 'attn.k_norm',
    'attn.norm': 'attn.norm',
    // The gate is the first half (timm layers/mlp.py: SwiGLUPacked, gate_last=False).
    'mlp.fc1_g': { half: 0, of: 'mlp.fc1' },
    'mlp.fc1_x': { half: 1, of: 'mlp.fc1' },
    'mlp.fc2': 'mlp.fc2',
  },
}

export const timm: Dialect = {
  name: 'timm',
  recognises: (tensors) => tensors.has('blocks.0.attn.qkv.weight') && tensors.has('patch_embed.proj.weight'),
  readConfig,
  readPreparation: (checkpoint, hints) => toldOf(checkpoint, hints).preparation ?? null,
  assumptions,
  source: layoutSource(LAYOUT),
  // Registers have positions where the class token has one.
  positions: (config) => ({
    tensor: LAYOUT.positions,
    special: config.positions?.specialRows ? specialTokens(config) : 0,
  }),
  ignores: () => false,
}

function toldOf(checkpoint: Checkpoint, hints: VitHints): TimmTold {
  return readTimm(checkpoint, hints, configFileOf(checkpoint, hints, 'timm'))
}

function readConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors } = checkpoint
  const told = toldOf(checkpoint, hints)
  refuseOtherModules(checkpoint)
  const has = (tensor: string) => tensors.has(tensor)
  // Only a gated net's second matrix reads half of what its first one gives.
  const rows = storedSize(checkpoint, 'blocks.0.mlp.fc1.weight', 0, LAYOUT.dialect)
  const gated = sizeOrNull(tensors, 'blocks.0.mlp.fc2.weight', 1) === rows / 2
  const classToken = has('cls_token')
  const prefix = (classToken ? 1 : 0) + (sizeOrNull(tensors, 'reg_token', 1) ?? 0)
  const base = dinov2Config(
    {
      checkpoint,
      layout: LAYOUT,
      gated,
      hidden: gated
        ? { tensor: 'blocks.0.mlp.fc2.weight', axis: 1 }
        : { tensor: 'blocks.0.mlp.fc1.weight', axis: 0 },
      rule: () => told.rule,
      heads: told.heads,
      headsHint,
      qkvBias: has('blocks.0.attn.qkv.bias'),
      epsilon: told.epsilon,
      activation: gatedActivation(told, gated),
      sizes: told.sizes,
      sizeFields: 'model_args.img_size, pretrained_cfg.input_size',
      special: told.noEmbedClass === true ? [0, prefix] : [prefix, 0],
      rgbStats: told.rgbStats ?? IMAGENET_STATS,
    },
    hints,
  )
  const preNorm = has('norm_pre.weight')
  const config: VitConfig = {
    ...base,
    classToken,
    norm: normOf(checkpoint, told),
    preNorm,
    // Where a norm follows, the convolution has no bias.
    stem: { kind: 'patchify', bias: !preNorm },
    queryKeyNorm: has('blocks.0.attn.q_norm.weight'),
    attentionNorm: has('blocks.0.attn.norm.weight'),
    ...poolingOf(checkpoint, told, base, classToken),
    classifier: classifierOf(checkpoint),
  }
  told.check(config, { mlpRows: rows, hasNorm: has('norm.weight') || has('fc_norm.weight') })
  return config
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
  const shifted = ['norm1', 'norm2'].some((part) => tensors.has(`blocks.0.${part}.bias`))
  if (rmsNorm === undefined || rmsNorm === !shifted) return shifted ? 'layerNorm' : 'rmsNorm'
  throw new CheckpointError(
    'contradiction',
    `${label}: its norms have ${shifted ? 'a' : 'no'} bias, and its config (norm_layer) or name is of a network with ${rmsNorm ? 'root mean square' : 'layer'} norms.`,
  )
}

function poolingOf(
  checkpoint: Checkpoint,
  told: TimmTold,
  base: VitConfig,
  classToken: boolean,
): Pick<VitConfig, 'pooling' | 'finalNorm'> {
  const { tensors } = checkpoint
  const normsPooled = tensors.has('fc_norm.weight')
  const pool = told.pool ?? poolByTensors(tensors, classToken)
  const pooled =
    told.fcNorm ??
    (told.fcNorm === null && told.pool !== undefined ? ['avg', 'max', 'avgmax'].includes(pool) : normsPooled)
  const finalNorm =
    (told.finalNorm ?? (normsPooled || tensors.has('norm.weight'))) ? (pooled ? 'pooled' : 'tokens') : 'none'
  return { finalNorm, pooling: poolingBy(pool, checkpoint, told, base, classToken) }
}

function poolByTensors(
  tensors: ReadonlyMap<string, TensorInfo>,
  classToken: boolean,
): TimmTold['pool'] & string {
  if (tensors.has('attn_pool.latent')) return 'map'
  return tensors.has('fc_norm.weight') || !classToken ? 'avg' : 'token'
}

function poolingBy(
  pool: string,
  checkpoint: Checkpoint,
  { includePrefix: specialTokens, epsilon }: TimmTold,
  base: VitConfig,
  classToken: boolean,
): Pooling {
  switch (pool) {
    case 'avg':
      return { kind: 'mean', specialTokens }
    case 'max':
      return { kind: 'max', specialTokens }
    case 'avgmax':
      return { kind: 'mean-max', specialTokens }
    case 'map':
      return {
        kind: 'attention',
        heads: base.heads,
        specialTokens,
        epsilon,
        hidden: storedSize(checkpoint, 'attn_pool.mlp.fc1.weight', 0, LAYOUT.dialect),
        activation: base.activation,
      }
    default:
      if (classToken) return { kind: 'class' }
      // A network that is not pooled and has no class token has its patches alone; timm refuses `token` there.
      return { kind: 'mean' }
  }
}

function classifierOf(checkpoint: Checkpoint): VitConfig['classifier'] {
  const { tensors } = checkpoint
  if (!tensors.has('head.weight')) return null
  const classes = storedSize(checkpoint, 'head.weight', 0, LAYOUT.dialect)
  return { classes, kind: 'linear', bias: tensors.has('head.bias') }
}

/** Names modules that timm's class may have and that are not computed here. */
const OTHER_MODULES: readonly (readonly [tensor: RegExp, what: string])[] = [
  [/^patch_embed\.norm\./, 'a norm on its patches'],
  [/^blocks\.0\.mlp\.norm\./, 'a norm inside its feed-forward net'],
  [/^blocks\.0\.mlp\.fc1_[gx]\./, 'a gated feed-forward net in two matrices'],
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
  if (hints.configFile === undefined) found.push(byName(label, told, hints, tensors))
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
      : `its name is timm's ${found}: mean and deviation "${input.normalisation}" and a crop of ${input.preparation.cropFraction} are taken`
  return `There is no config.json beside ${label}; ${how}${heads}. ${advice}`
}
