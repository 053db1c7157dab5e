/** Tells addresses in buckets from paths, for all that take either and load nothing of buckets for a path. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isAddress, OBJECT } from '../../../is-address.js'

export { OBJECT }

/** LanceDB's client writes to Google's storage in a way that no server here can be tried with. */
export function mayHoldCollections(address: string): boolean {
  return OBJECT.test(address) && !/^gs:/i.test(address)
}

/** Tells whether a text that looks like an address is the name of a file all the same, which then goes before the address; what is said of a bucket is always one. */
export function isFileOfThatName(text: string, path = text): boolean {
  return !OBJECT.test(text) && existsSync(path)
}

/** Names what lies beside a file or an object. */
export function besideOf(path: string, name: string): string {
  return OBJECT.test(path) ? path.slice(0, path.lastIndexOf('/') + 1) + name : join(dirname(path), name)
}

/** Names what lies below a folder, or below an address, as of a prefix in a bucket. */
export function below(folder: string, name: string): string {
  return isAddress(folder) ? `${folder}/${name}` : join(folder, name)
}
