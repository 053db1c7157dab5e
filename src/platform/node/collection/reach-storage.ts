/** Reaches object storage for our own objects and for LanceDB's: two clients, one endpoint, one chain of credentials. */
import type { Storage } from '../../../storage/storage.js'
import { StorageError } from '../../../storage/storage-error.js'
import type { AzurePlace } from '../storage/azure/azure-client.js'
import { AzureServer } from '../storage/azure/azure-server.js'
import { mayHoldCollections } from '../storage/object-path.js'
import { ObjectStorage } from '../storage/objects/object-storage.js'
import { bucketPlace, containerPlace } from '../storage/open-storage.js'
import type { S3Place } from '../storage/s3/s3-client.js'
import { S3Server } from '../storage/s3/s3-server.js'
import type { LanceAddress } from './place.js'

/** Is object storage as both clients reach it. */
export interface ReachedStorage {
  readonly storage: Storage
  /** Gives where LanceDB finds the same objects. */
  readonly address: () => Promise<LanceAddress>
}

/** Nothing is asked yet. Throws `StorageError` `refused` for an address at which LanceDB keeps no tables of ours, `wrong-key` for one that names no bucket. */
export async function reachStorage(address: string): Promise<ReachedStorage> {
  if (!mayHoldCollections(address))
    throw new StorageError(
      'refused',
      `${address} is no place for a collection: expected a folder, s3://bucket/name.plumage or az://container/name.plumage.`,
    )
  if (/^az:/i.test(address)) {
    const place = await containerPlace(address)
    const storage = new ObjectStorage(new AzureServer(place), place)
    return { storage, address: () => azureAddress(place, storage.label) }
  }
  const place = await bucketPlace(address)
  const storage = new ObjectStorage(new S3Server(place), place)
  return { storage, address: () => lanceAddress(place, storage.label) }
}

async function azureAddress(
  { account, endpoint, credentials }: AzurePlace,
  uri: string,
): Promise<LanceAddress> {
  const found = await credentials.get()
  const storageOptions: Record<string, string> = {
    azure_storage_account_name: account,
    azure_storage_endpoint: endpoint.href.replace(/\/$/, ''),
    allow_http: String(endpoint.protocol === 'http:'),
    ...(found === null ? { azure_skip_signature: 'true' } : {}),
    ...(found?.kind === 'key' ? { azure_storage_account_key: found.key } : {}),
    ...(found?.kind === 'signature' ? { azure_storage_sas_key: found.signature } : {}),
    ...(found?.kind === 'token' ? { azure_storage_token: found.token } : {}),
  }
  return { uri, storageOptions, expiresMs: found?.kind === 'token' ? found.expiresMs : undefined }
}

/** Conditional writes are LanceDB's own way to commit on S3. */
async function lanceAddress(
  { region, endpoint, pathStyle, credentials }: S3Place,
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
