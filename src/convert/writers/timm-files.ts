/** Says in timm's words what every config.json of its has: the architecture that comes nearest, its arguments, and how images are made. */
import { type TimmArchitecture, timmArchitectures } from '../../model/dialects/timm-architectures.js'
import type { VitConfig } from '../../model/vit-config.js'
import type { PlainRecord } from '../../plain-value.js'
import type { WrittenFiles, WrittenNetwork } from '../writer.js'
import { timmInput } from './timm-input.js'

/** Names what `global_pool` is; null where timm has no such pooling. */
export function poolOrNull({ pooling, classToken }: VitConfig): string | null {
  switch (pooling.kind) {
    case 'class':
      return 'token'
    case 'mean':
      return 'avg'
    case 'max':
      return 'max'
    case 'mean-max':
      return 'avgmax'
    case 'attention':
      return pooling.hidden === null || (classToken && !pooling.specialTokens) ? null : 'map'
    default:
      return null
  }
}

/** Is that of timm's classes, in the words of lines of architectures. */
export const USUAL_EPSILON = '1e-6'

/** Gives what lines of architectures say of an epsilon, which no argument of a file can hold; undefined for the one of timm's classes. */
export function epsilonSetting(epsilon: number): string | undefined {
  const told = epsilon.toExponential()
  return told === USUAL_EPSILON ? undefined : told
}

/**
 * Finds the architecture that differs from the network in nothing but what arguments say; of several one that looks like it in most, which tells a reader
 * more.
 *
 * @param fits tells those that do not differ otherwise
 * @param looks tells further ways in which one looks like the network
 * @param usual names the one that stands for networks that look like none
 */
export function nearestArchitecture(
  { patchSize, registers, width, heads }: VitConfig,
  fits: (architecture: TimmArchitecture) => boolean,
  looks: (architecture: TimmArchitecture) => readonly boolean[] = () => [],
  usual = '',
): TimmArchitecture | null {
  const parts = [`_patch${patchSize}(_|$)`, registers > 0 ? `_reg${registers}_` : '^(?!.*_reg)']
  const likeness = (one: TimmArchitecture) =>
    [
      one.width === width,
      one.heads === heads,
      ...parts.map((part) => new RegExp(part).test(one.name)),
      ...looks(one),
    ].filter(Boolean).length
  const [nearest] = timmArchitectures()
    .filter(fits)
    .toSorted((a, b) => likeness(b) - likeness(a) || Number(b.name === usual) - Number(a.name === usual))
  return nearest ?? null
}

/** Gives the arguments that all classes have. */
export function commonArgs(config: VitConfig): PlainRecord {
  return {
    num_classes: config.classifier?.classes ?? 0,
    img_size: config.size,
    patch_size: config.patchSize,
    in_chans: config.channels,
    embed_dim: config.width,
    depth: config.depth,
    num_heads: config.heads,
    qkv_bias: config.qkvBias,
    init_values: config.layerScale ? 1e-5 : null,
    global_pool: poolOrNull(config) ?? 'token',
  }
}

/** timm multiplies the width by a ratio and cuts off. */
export function ratioOf(columns: number, width: number): number {
  const ratio = columns / width
  return Math.trunc(width * ratio) === columns ? ratio : (columns + 0.5) / width
}

/** Gives the config.json of a network with these arguments. */
export function timmFiles(
  { config, labels, recipe }: WrittenNetwork,
  architecture: TimmArchitecture | null,
  modelArgs: PlainRecord,
): WrittenFiles {
  if (architecture === null) throw new Error('timm has no architecture for a network that its class holds.')
  const classes = config.classifier?.classes ?? 0
  return {
    configFile: {
      architecture: architecture.name,
      num_classes: classes,
      num_features: config.width,
      global_pool: poolOrNull(config) ?? 'token',
      ...(labels === null ? {} : { label_names: labels }),
      model_args: modelArgs,
      pretrained_cfg: {
        ...timmInput(recipe, config.channels),
        num_classes: classes,
        first_conv: 'patch_embed.proj',
        classifier: 'head',
      },
    },
  }
}
