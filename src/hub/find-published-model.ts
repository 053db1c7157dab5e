/** A model that can be run, by the name of its published weights: one answer for every platform. */
import { findNetwork } from '../model/networks.js'
import { findPretrained, type PublishedAddress, publishedFile } from './find-pretrained.js'

export interface PublishedModel {
  readonly name: string
  /** Birder's name of the network. */
  readonly network: string
  readonly file: PublishedAddress
}

/**
 * Throws `HubError` for a name that nobody published, and `CheckpointError` `unsupported-network` for weights of a network that cannot
 * be run: before a gigabyte is fetched for it.
 */
export function findPublishedModel(name: string): PublishedModel {
  const entry = findPretrained(name)
  const { network } = entry.net
  findNetwork(network)
  return { name, network, file: publishedFile(name, entry, 'pt') }
}
