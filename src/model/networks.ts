/** Finds Birder's registered networks by name, and so what a name says about a checkpoint. */
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { decodeNetworks, type NetworkData } from './decode-networks.js'
import { nearestNames } from './nearest-names.js'
import { NETWORK_LINES } from './network-lines.js'

/** Networks of this class can be run; others are named when they are refused. */
const SUPPORTED_CLASS = 'ViT'

let decoded: ReadonlyMap<string, NetworkData> | null = null

/** Gives every network of Birder's vision-transformer families, those that cannot be run included. The lines are decoded on first use. */
function allNetworks(): ReadonlyMap<string, NetworkData> {
  decoded ??= decodeNetworks(NETWORK_LINES)
  return decoded
}

export function networkNames(): readonly string[] {
  return [...allNetworks().keys()]
}

/** Tells whether a network of this name is registered and can be run. */
export function isRunnable(name: string): boolean {
  return allNetworks().get(name.toLowerCase())?.class === SUPPORTED_CLASS
}

/** Names are matched in lower case, as Birder's registry does. Throws `unsupported-network`. */
export function findNetwork(name: string): NetworkData & { readonly name: string } {
  const key = name.toLowerCase()
  const network = allNetworks().get(key)
  if (network === undefined) {
    const near = nearestNames(key, networkNames()).join(', ')
    throw new CheckpointError(
      'unsupported-network',
      `No network is named ${name}. The nearest names are ${near}.`,
    )
  }
  if (network.class !== SUPPORTED_CLASS) {
    throw new CheckpointError(
      'unsupported-network',
      `${name} is of Birder's class ${network.class}; only ${SUPPORTED_CLASS} networks can be run so far.`,
    )
  }
  return { name: key, ...network }
}

/**
 * Tells which network a file's name begins with, as Birder names its files (`NETWORK_TAG.pt`); null where it begins with none.
 * The longest such name wins: `vit_b16_ap_x.pt` is `vit_b16_ap`, not `vit_b16`.
 */
export function networkOfFileOrNull(label: string): string | null {
  const base = label.slice(Math.max(label.lastIndexOf('/'), label.lastIndexOf('\\')) + 1).toLowerCase()
  let best: string | null = null
  for (const name of allNetworks().keys()) {
    if (
      base.startsWith(name) &&
      /^([_.]|$)/.test(base.slice(name.length)) &&
      (best === null || name.length > best.length)
    )
      best = name
  }
  return best
}
