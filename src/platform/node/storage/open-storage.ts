/** Opens the place that an address names. What a kind of place needs is loaded with the first of it. */
import { fileURLToPath } from 'node:url'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import type { Storage } from '../../../storage/storage.js'
import { checkKey, StorageError } from '../../../storage/storage-error.js'
import type { Environment } from '../hub/hub-settings.js'
import type { AzurePlace } from './azure/azure-client.js'
import type { GooglePlace } from './google/google-client.js'
import { refusedScheme } from './named-place.js'
import type { ObjectPlace } from './objects/object-storage.js'
import type { S3Credentials } from './s3/credentials.js'
import type { S3Place } from './s3/s3-client.js'

/** Says how a place is reached, where its address does not. */
export interface OpenStorageOptions {
  /** Holds the variables of AWS, Azure, Google and of proxies; default: those of the process. */
  readonly env?: Environment
  /** Is the address of an S3 server; default: `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`, else what the profile says, else Amazon's. */
  readonly endpoint?: string
  /** Is the region of a bucket; default: `AWS_REGION`, else `AWS_DEFAULT_REGION`, else what the profile says, else `us-east-1`. A server that names another is followed. */
  readonly region?: string
  /** Puts the bucket into the path, and not before the host; default: true at any endpoint but Amazon's. */
  readonly pathStyle?: boolean
  /** Gives the credentials of S3, again before they expire; null signs nothing. What it throws, the call throws that needs them. Default: they are looked for where AWS's tools look. */
  readonly credentials?: () => Promise<S3Credentials | null>
  /** Is how long each call tries what may pass, in milliseconds; default 120,000. */
  readonly patienceMs?: number
  /** Ends a try when so long, in milliseconds, hardly a byte has come or gone; default 30,000. */
  readonly stallMs?: number
  /** Counts the bytes of a part of what is written in parts; default 16 MiB. Servers want at least 5 MiB. */
  readonly partBytes?: number
}

const NAMES = {
  env: true,
  endpoint: true,
  region: true,
  pathStyle: true,
  credentials: true,
  patienceMs: true,
  stallMs: true,
  partBytes: true,
} satisfies OptionNames<OpenStorageOptions>

const PATIENCE_MS = 120_000
const STALL_MS = 30_000
const PART_BYTES = 2 ** 24

/**
 * Opens a folder (a path or `file:`), a bucket (`s3://bucket/prefix`, `az://container/prefix` of Azure, `gs://bucket/prefix` of Google) or a web server's files (`https:`), of which nothing is asked yet. Throws `StorageError`: `wrong-key` for
 * an address that names none of these, `refused` for a kind that is not reached; RangeError for an unknown option.
 */
export async function openStorage(address: string | URL, options: OpenStorageOptions = {}): Promise<Storage> {
  checkOptionNames(options, NAMES)
  const text = String(address)
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(text) ?? []
  switch (scheme?.toLowerCase()) {
    case 'file':
      return await openFolder(fileURLToPath(text), options)
    case 's3':
      return await openBucket(text, options)
    case 'az':
      return await openContainer(text, options)
    case 'gs':
      return await openGoogle(text, options)
    case 'http':
    case 'https':
      return await openWeb(new URL(text), options)
    default:
      if (scheme !== undefined && text.startsWith(`${scheme}://`)) throw refusedScheme(scheme)
      return await openFolder(text, options)
  }
}

async function openFolder(
  folder: string,
  { patienceMs = PATIENCE_MS }: OpenStorageOptions,
): Promise<Storage> {
  if (folder === '')
    throw new StorageError(
      'wrong-key',
      'A place is a path, file:, s3://bucket/prefix, az://container/prefix, gs://bucket/prefix or https:; got an empty text.',
    )
  const { FileStorage } = await import('./file-storage.js')
  return new FileStorage(folder, { patienceMs })
}

async function openWeb(base: URL, options: OpenStorageOptions): Promise<Storage> {
  const { env = process.env, patienceMs = PATIENCE_MS, stallMs = STALL_MS } = options
  const [{ HttpStorage }, { storageAgent }] = await Promise.all([
    import('./http-storage.js'),
    import('./ask-once.js'),
  ])
  return new HttpStorage({ base, agent: storageAgent(env), patienceMs, stallMs })
}

async function openBucket(text: string, options: OpenStorageOptions): Promise<Storage> {
  const [{ ObjectStorage }, { S3Server }] = await Promise.all([
    import('./objects/object-storage.js'),
    import('./s3/s3-server.js'),
  ])
  const place = await bucketPlace(text, options)
  return new ObjectStorage(new S3Server(place), place)
}

async function openContainer(text: string, options: OpenStorageOptions): Promise<Storage> {
  const [{ ObjectStorage }, { AzureServer }] = await Promise.all([
    import('./objects/object-storage.js'),
    import('./azure/azure-server.js'),
  ])
  const place = await containerPlace(text, options)
  return new ObjectStorage(new AzureServer(place), place)
}

async function openGoogle(text: string, options: OpenStorageOptions): Promise<Storage> {
  const [{ ObjectStorage }, { GoogleServer }] = await Promise.all([
    import('./objects/object-storage.js'),
    import('./google/google-server.js'),
  ])
  const place = await googlePlace(text, options)
  return new ObjectStorage(new GoogleServer(place), place)
}

/** Says how a bucket of Google's storage is reached, of which nothing is asked yet. Throws as `openStorage`. */
async function googlePlace(
  text: string,
  options: OpenStorageOptions = {},
): Promise<GooglePlace & ObjectPlace> {
  const { bucket, prefix } = bucketOf(text, /^[a-z0-9][a-z0-9._-]{1,221}$/, GOOGLE_NAME)
  const { env = process.env, patienceMs = PATIENCE_MS, stallMs = STALL_MS, partBytes = PART_BYTES } = options
  refuseOfS3(text, options, "Google's variables say (GOOGLE_APPLICATION_CREDENTIALS and others)")
  const [{ storageAgent }, { KeptCredentials }, { findGoogleAccess }] = await Promise.all([
    import('./ask-once.js'),
    import('./objects/kept-credentials.js'),
    import('./google/google-credentials.js'),
  ])
  const { endpoint, credentials } = findGoogleAccess(env)
  return {
    bucket,
    endpoint,
    prefix,
    credentials: new KeptCredentials(credentials),
    agent: storageAgent(env),
    patienceMs,
    stallMs,
    // Parts of an upload that can be gone on with are of so many bytes.
    partBytes: Math.max(GOOGLE_PART, partBytes - (partBytes % GOOGLE_PART)),
  }
}

const GOOGLE_PART = 2 ** 18

function refuseOfS3(text: string, options: OpenStorageOptions, how: string): void {
  for (const name of ['region', 'pathStyle', 'credentials', 'endpoint'] as const)
    if (options[name] !== undefined)
      throw new RangeError(`${name} is of S3 alone; ${text} is reached by what ${how}.`)
}

/** Says how a container of Azure's storage is reached, of which nothing is asked yet. Throws as `openStorage`. */
export async function containerPlace(
  text: string,
  options: OpenStorageOptions = {},
): Promise<AzurePlace & ObjectPlace> {
  const { bucket: container, prefix } = bucketOf(text, /^(\$root|[a-z0-9][a-z0-9-]{2,62})$/, AZURE_NAME)
  const { env = process.env, patienceMs = PATIENCE_MS, stallMs = STALL_MS, partBytes = PART_BYTES } = options
  refuseOfS3(text, options, "Azure's variables say (AZURE_STORAGE_CONNECTION_STRING and others)")
  const [{ storageAgent }, { KeptCredentials }, { findAzureAccount }] = await Promise.all([
    import('./ask-once.js'),
    import('./objects/kept-credentials.js'),
    import('./azure/azure-credentials.js'),
  ])
  const { account, endpoint, credentials } = findAzureAccount(env)
  return {
    account,
    container,
    prefix,
    endpoint,
    credentials: new KeptCredentials(credentials),
    agent: storageAgent(env),
    patienceMs,
    stallMs,
    partBytes,
  }
}

/** Says how a bucket is reached, of which nothing is asked yet. Throws as `openStorage`. */
export async function bucketPlace(
  text: string,
  options: OpenStorageOptions = {},
): Promise<S3Place & ObjectPlace> {
  const { bucket, prefix } = bucketOf(text, /^[a-z0-9][a-z0-9._-]{1,254}$/i, S3_NAME)
  const { env = process.env, patienceMs = PATIENCE_MS, stallMs = STALL_MS, partBytes = PART_BYTES } = options
  const [{ storageAgent }, { KeptCredentials }, { findCredentials }, { profileName, profileOrNull }] =
    await Promise.all([
      import('./ask-once.js'),
      import('./objects/kept-credentials.js'),
      import('./s3/credential-chain.js'),
      import('./s3/shared-files.js'),
    ])
  const profile = (await profileOrNull(profileName(env), env)) ?? {}
  const region = options.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || profile.region || 'us-east-1')
  const endpoint = endpointOf(
    options.endpoint ?? (env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || profile.endpoint_url),
  )
  return {
    bucket,
    prefix,
    region,
    endpoint,
    // A certificate for *.s3.amazonaws.com holds for one name before it.
    pathStyle: options.pathStyle ?? (endpoint !== undefined || bucket.includes('.')),
    credentials: new KeptCredentials(options.credentials ?? (() => findCredentials(env, region))),
    agent: storageAgent(env),
    patienceMs,
    stallMs,
    partBytes,
  }
}

const S3_NAME = 's3://bucket/prefix, the bucket of letters, digits, dots and hyphens'
const GOOGLE_NAME = 'gs://bucket/prefix, the bucket of small letters, digits, dots, underlines and hyphens'
const AZURE_NAME = 'az://container/prefix, the container of small letters, digits and hyphens'

/** Not taken apart as an address: a key may hold ? and #, and nothing in it is encoded. */
function bucketOf(
  text: string,
  names: RegExp,
  expected: string,
): { readonly bucket: string; readonly prefix: string } {
  const [bucket = '', ...rest] = text.slice('s3://'.length).replace(/\/+$/, '').split('/')
  if (!names.test(bucket))
    throw new StorageError('wrong-key', `${text} names no bucket: expected ${expected}.`)
  const prefix = rest.join('/')
  if (prefix !== '') checkKey(prefix)
  return { bucket, prefix }
}

function endpointOf(text: string | undefined): URL | undefined {
  if (!text) return undefined
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return new URL(text)
  throw new StorageError(
    'wrong-key',
    `The endpoint of S3 is ${JSON.stringify(text)}, expected an address like https://s3.example:9000. Correct AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or what was given.`,
  )
}
