/** Lists the names that follow from what every platform holds, so that a page knows them without a list: the package's own, Birder's, and torch.hub's and Hugging Face's of DINOv2. */
import { isRunnable } from '../model/networks.js'
import { DEFAULT_MODEL } from './default-model.js'
import { TORCH_HUB_NAMES } from './torch-hub.js'
import { findPretrainedOrNull, listPretrainedModels, WEIGHTS_RELEASE } from './weights.js'

export interface KnownModel {
  readonly name: string
  /** Says who publishes it, under this name. */
  readonly from: string
}

const DINOV2: readonly string[] = ['small', 'base', 'large', 'giant'].flatMap((size) =>
  ['dinov2', 'dinov2-with-registers'].flatMap((family) => [
    `facebook/${family}-${size}`,
    `facebook/${family}-${size}-imagenet1k-1-layer`,
  ]),
)

/** Some of Birder's weights are of networks that cannot be run yet. */
function isRun(weights: string): boolean {
  const network = findPretrainedOrNull(weights)?.net.network
  return network !== undefined && isRunnable(network)
}

/** Gives them in the order in which a person would look. */
export function namesByRule(): readonly KnownModel[] {
  const named = (from: string, names: readonly string[]) => names.map((name) => ({ name, from }))
  return [
    ...named('this package', [DEFAULT_MODEL.name]),
    ...named(`Birder ${WEIGHTS_RELEASE}`, listPretrainedModels().filter(isRun)),
    ...named('Meta', TORCH_HUB_NAMES),
    ...named('Hugging Face', DINOV2),
  ]
}
