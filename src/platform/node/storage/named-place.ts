/** Decides what a text names where a path is taken: a file of this machine, an object in a bucket, or a file of a web server. */
import { fileURLToPath } from 'node:url'
import { isAddress } from '../../../is-address.js'
import { nearestNames } from '../../../nearest-names.js'
import { StorageError } from '../../../storage/storage-error.js'
import { OBJECT } from './object-path.js'

/** Says what a text names, and who opens it. */
export type NamedPlace =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'object'; readonly address: string }
  | { readonly kind: 'web'; readonly address: string }

/** Are the kinds of addresses that are read; the first four are written too. */
const SCHEMES = ['file', 's3', 'az', 'gs', 'https', 'http']

/** Reads nothing. Throws `StorageError` `wrong-key` for a kind of address that nobody knows, with the nearest that there is, `refused` for one that is reached by another name. */
export function namedPlace(text: string): NamedPlace {
  if (OBJECT.test(text)) return { kind: 'object', address: text.replace(/([^/])\/+$/, '$1') }
  if (/^https?:\/\//i.test(text)) return { kind: 'web', address: text }
  if (/^file:/i.test(text)) return { kind: 'path', path: pathOfFile(text) }
  if (!isAddress(text)) return { kind: 'path', path: text }
  throw refusedScheme(text.slice(0, text.indexOf(':')))
}

/** Splits off the last name of a web address, decoded where it can be; it is empty for the address of a folder. The path of the folder ends in a slash. */
export function lastNameOf({ pathname }: URL): { readonly folder: string; readonly name: string } {
  const at = pathname.lastIndexOf('/') + 1
  const name = pathname.slice(at)
  try {
    return { folder: pathname.slice(0, at), name: decodeURIComponent(name) }
  } catch {
    return { folder: pathname.slice(0, at), name }
  }
}

/** Shows an address without what may be secret in it: name, password, query and what follows. Anything else is given as it is. */
export function shownName(text: string): string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return text
  const { protocol, host, pathname } = new URL(text)
  return `${protocol}//${host}${pathname}`
}

/** Says why nothing is written to a web server. */
export function readOnlyWeb(address: string): string {
  return `${shownName(address)} cannot be written: a web server's files can only be read. Name a file or a folder, or a bucket as s3://bucket/prefix.`
}

/** Says of a kind of address that is not opened what to give instead. */
export function refusedScheme(scheme: string): StorageError {
  const advice = ADVICE[scheme.toLowerCase()]
  if (advice !== undefined)
    return new StorageError('refused', `${scheme}: is not reached by this name. ${advice}`)
  const [nearest] = nearestNames(scheme.toLowerCase(), SCHEMES, 1, 2)
  const meant = nearest === undefined ? '' : ` Did you mean ${nearest}:?`
  return new StorageError(
    'wrong-key',
    `${scheme}: is no kind of place that is known: expected a path, file:, s3://bucket/prefix, az://container/prefix, gs://bucket/prefix or https:.${meant}`,
  )
}

/** Gives the path that a file: address names. Throws `StorageError` `wrong-key` for one of another machine. */
export function pathOfFile(text: string): string {
  try {
    return fileURLToPath(text)
  } catch (cause) {
    throw new StorageError(
      'wrong-key',
      `${text} names no file on this machine: expected file:///folder/name, or a path.`,
      { cause },
    )
  }
}

const AZURE =
  'Name az://container/prefix, with AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN.'
const ADVICE: Readonly<Record<string, string>> = {
  gcs: 'Name gs://bucket/prefix, with GOOGLE_APPLICATION_CREDENTIALS or what gcloud auth application-default login keeps.',
  abfs: AZURE,
  abfss: AZURE,
  azure: AZURE,
  wasb: AZURE,
  wasbs: AZURE,
  r2: 'Set AWS_ENDPOINT_URL_S3 to the address of the account and AWS_REGION=auto, and name s3://bucket/prefix.',
}
