/** Every platform finds a model by the name of its published weights in this way. */
import { findNetwork } from '../model/networks.js'
import { findPretrained, type PublishedAddress, publishedFile } from './find-pretrained.js'

export interface PublishedModel {
  readonly name: string
  /** Names the network as Birder does. */
  readonly network: string
  readonly file: PublishedAddress
}

/**
 * Throws `HubError` for a name that nobody published. A network that cannot be run is refused
 * (`CheckpointError` `unsupported-network`) before a gigabyte is fetched for it.
 */
export function findPublishedModel(name: string): PublishedModel {
  const entry = findPretrained(name)
  const { network } = entry.net
  findNetwork(network)
  return { name, network, file: publishedFile(name, entry, 'pt') }
}
