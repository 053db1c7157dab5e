/** Says in an output what made it. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Identity } from '../encoder/types.js'
import type { TableMetadata } from '../formats/embedding-table.js'
import type { WorkIdentity } from './work-identity.js'

/** Holds the model's name beside all that decides, and one text that is equal where numbers may be compared. */
export function outputMetadata({ model, recipe }: Identity, work: WorkIdentity): TableMetadata {
  return { model, ...work, recipe, identity: work.identity ?? digestOf(work) }
}

/** Where the work is not known by one digest already, one is made of all that decides. */
function digestOf(work: WorkIdentity): string {
  return bytesToHex(sha256(new TextEncoder().encode(JSON.stringify(work))))
}
