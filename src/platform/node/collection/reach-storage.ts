/** Reaches object storage for our own objects and for LanceDB's: two clients, one endpoint, one chain of credentials. */
import type { Storage } from '../../../storage/storage.js'
import { StorageError } from '../../../storage/storage-error.js'
import { OBJECT } from '../storage/object-path.js'
import { bucketPlace } from '../storage/open-storage.js'
import { S3Storage, type S3StorageOptions } from '../storage/s3/s3-storage.js'
import type { LanceAddress } from './place.js'

/** Is object storage as both clients reach it. */
export interface ReachedStorage {
  readonly storage: Storage
  /** Gives where LanceDB finds the same objects. */
  readonly address: () => Promise<LanceAddress>
}

/** Nothing is asked yet. Throws `StorageError` `refused` for an address at which LanceDB keeps no tables of ours, `wrong-key` for one that names no bucket. */
export async function reachStorage(address: string): Promise<ReachedStorage> {
  if (!OBJECT.test(address))
    throw new StorageError(
      'refused',
      `${address} is no place for a collection: expected a folder, or s3://bucket/name.plumage.`,
    )
  const place = await bucketPlace(address)
  const storage = new S3Storage(place)
  return { storage, address: () => lanceAddress(place, storage.label) }
}

/** Conditional writes are LanceDB's own way to commit on S3. */
async function lanceAddress(
  { region, endpoint, pathStyle, credentials }: S3StorageOptions,
  uri: string,
): Promise<LanceAddress> {
  const keys = await credentials.get()
  const storageOptions: Record<string, string> = {
    aws_region: region,
    aws_virtual_hosted_style_request: String(!pathStyle),
    ...(endpoint === undefined
      ? {}
      : {
          aws_endpoint: endpoint.href.replace(/\/$/, ''),
          allow_http: String(endpoint.protocol === 'http:'),
        }),
    ...(keys === null
      ? { aws_skip_signature: 'true' }
      : { aws_access_key_id: keys.accessKeyId, aws_secret_access_key: keys.secretAccessKey }),
    ...(keys?.sessionToken === undefined ? {} : { aws_session_token: keys.sessionToken }),
  }
  return { uri, storageOptions, expiresMs: keys?.expiresMs }
}
