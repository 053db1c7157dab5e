/** Lists the names that models are known by: those of Birder, and of the networks of others that run, by the names of their own libraries. */
import { isRunnable } from '../model/networks.js'
import { DEFAULT_MODEL } from './default-model.js'
import { findPretrainedOrNull, listPretrainedModels, WEIGHTS_RELEASE } from './weights.js'

export interface KnownModel {
  readonly name: string
  /** Says who publishes it, under this name. */
  readonly from: string
}

const SIZES = ['small', 'base', 'large', 'giant'] as const

const META: readonly string[] = ['s', 'b', 'l', 'g'].flatMap((size) => [
  `dinov2_vit${size}14`,
  `dinov2_vit${size}14_reg`,
])

const HUGGING_FACE: readonly string[] = SIZES.flatMap((size) =>
  ['dinov2', 'dinov2-with-registers'].flatMap((family) => [
    `facebook/${family}-${size}`,
    `facebook/${family}-${size}-imagenet1k-1-layer`,
  ]),
)

const TIMM: readonly string[] = [
  ...SIZES.flatMap((size) => [
    `timm/vit_${size}_patch14_dinov2.lvd142m`,
    `timm/vit_${size}_patch14_reg4_dinov2.lvd142m`,
  ]),
  ...['small_patch8', 'small_patch16', 'base_patch8', 'base_patch16'].map(
    (size) => `timm/vit_${size}_224.dino`,
  ),
  ...['tiny', 'small', 'base', 'large'].flatMap((size) => [
    `timm/vit_${size}_patch16_224.augreg_in21k`,
    `timm/vit_${size}_patch16_224.augreg_in21k_ft_in1k`,
  ]),
]

/** Whatever of Birder's list is of a network that cannot be run is not offered. */
function isRun(weights: string): boolean {
  const network = findPretrainedOrNull(weights)?.net.network
  return network !== undefined && isRunnable(network)
}

/** Gives them in the order in which a person would look: the package's own, Birder's, Meta's, Hugging Face's, timm's. */
export function knownModels(): readonly KnownModel[] {
  const named = (from: string, names: readonly string[]) => names.map((name) => ({ name, from }))
  return [
    ...named('this package', [DEFAULT_MODEL.name]),
    ...named(`Birder ${WEIGHTS_RELEASE}`, listPretrainedModels().filter(isRun)),
    ...named('Meta', META),
    ...named('Hugging Face', HUGGING_FACE),
    ...named('timm', TIMM),
  ]
}
