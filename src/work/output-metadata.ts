/** Says in an output what made it. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Identity } from '../encoder/types.js'
import type { TableMetadata } from '../formats/embedding-table.js'
import type { WorkIdentity } from './work-identity.js'

/** Holds the model's name beside all that decides, and one text that is equal where numbers may be compared. */
export function outputMetadata(identity: Identity, work: WorkIdentity): TableMetadata {
  return { model: identity.model, ...work, recipe: identity.recipe, identity: digestOf(identity) }
}

function digestOf({ fingerprint, precision, recipe }: Identity): string {
  return bytesToHex(sha256(new TextEncoder().encode([fingerprint, precision, recipe].join('\n'))))
}
