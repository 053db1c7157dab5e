/** Tells addresses in buckets from paths, for all that take either and load nothing of buckets for a path. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isAddress } from '../../../is-address.js'

/** Begins the address of an object in a bucket: of an S3 server, of Azure or of Google. */
export const OBJECT = /^(s3|az|gs):\/\//i

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
