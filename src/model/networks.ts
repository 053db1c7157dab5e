/** Birder's registered networks by name: what a name says about a checkpoint. */
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { nearestNames } from './nearest-names.js'
import { BIRDER_NETWORKS, type NetworkData } from './networks-data.js'

/** The class that this library runs; others are named when refused. */
const SUPPORTED_CLASS = 'ViT'

export function networkNames(): readonly string[] {
  return Object.keys(BIRDER_NETWORKS)
}

/** Names are matched in lower case, as Birder's registry does. Throws `unsupported-network`. */
export function findNetwork(name: string): NetworkData & { readonly name: string } {
  const key = name.toLowerCase()
  if (!Object.hasOwn(BIRDER_NETWORKS, key)) {
    const near = nearestNames(key, networkNames()).join(', ')
    throw new CheckpointError(
      'unsupported-network',
      `No network is named ${name}. The nearest names are ${near}.`,
    )
  }
  const network = BIRDER_NETWORKS[key]
  if (network.class !== SUPPORTED_CLASS) {
    throw new CheckpointError(
      'unsupported-network',
      `${name} is of Birder's class ${network.class}; only ${SUPPORTED_CLASS} networks can be run so far.`,
    )
  }
  return { name: key, ...network }
}

/**
 * The network that a file's name begins with, as Birder names its files (`NETWORK_TAG.pt`); null where it begins with none.
 * The longest such name wins: `vit_b16_ap_x.pt` is `vit_b16_ap`, not `vit_b16`.
 */
export function networkOfFileOrNull(label: string): string | null {
  const base = label.slice(Math.max(label.lastIndexOf('/'), label.lastIndexOf('\\')) + 1).toLowerCase()
  let best: string | null = null
  for (const name of networkNames()) {
    if (
      base.startsWith(name) &&
      /^([_.]|$)/.test(base.slice(name.length)) &&
      name.length > (best?.length ?? 0)
    )
      best = name
  }
  return best
}
