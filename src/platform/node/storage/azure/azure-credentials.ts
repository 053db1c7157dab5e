/**
 * Looks for the account of Azure's storage and for what opens it, by the variables that Azure's own tools know: a connection string, an account with its key or a shared access
 * signature, an identity that a cluster vouches for, one with a secret, and the machine's own. Nothing here is ever written anywhere, or said in a message.
 */
import { StorageError } from '../../../../storage/storage-error.js'
import type { Environment } from '../../hub/hub-settings.js'
import { storageAgent } from '../ask-once.js'
import {
  type IdentityToken,
  secretAddress,
  secretFrom,
  tokenFrom,
  tokenFromNear,
  tokenOfMachine,
} from '../objects/identity-tokens.js'

/** Is what requests to Azure's storage are opened with. */
export type AzureCredentials =
  | { readonly kind: 'key'; readonly key: string; readonly expiresMs?: never }
  | { readonly kind: 'signature'; readonly signature: string; readonly expiresMs?: never }
  | IdentityToken

export interface AzureAccount {
  readonly account: string
  /** Stands in front of containers. */
  readonly endpoint: URL
  /** Gives the credentials, again before they expire; null signs nothing, for containers that are public. */
  readonly credentials: () => Promise<AzureCredentials | null>
}

const LOOKED =
  'AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, AZURE_FEDERATED_TOKEN_FILE, AZURE_CLIENT_SECRET and the identity of this machine'
/** Is the account of Azurite, Microsoft's own emulator, which all of them share. */
const EMULATED = {
  AccountName: 'devstoreaccount1',
  AccountKey: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
  BlobEndpoint: 'http://127.0.0.1:10000/devstoreaccount1',
} as const

/** Asks nothing yet. Throws `StorageError` `refused` where no account is named, `wrong-key` for an endpoint that is no address. */
export function findAzureAccount(env: Environment): AzureAccount {
  const told = connectionOf(env.AZURE_STORAGE_CONNECTION_STRING)
  const account = told.AccountName || env.AZURE_STORAGE_ACCOUNT || env.AZURE_STORAGE_ACCOUNT_NAME
  const given = told.BlobEndpoint || env.AZURE_STORAGE_SERVICE_ENDPOINT || env.AZURE_STORAGE_ENDPOINT
  if (!account)
    throw new StorageError(
      'refused',
      'No account of Azure is named. Set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT and what opens it.',
    )
  const usual = `${told.DefaultEndpointsProtocol || 'https'}://${account}.blob.${told.EndpointSuffix || 'core.windows.net'}`
  const text = given || usual
  if (!(/^https?:\/\//i.test(text) && URL.canParse(text)))
    throw new StorageError(
      'wrong-key',
      `The endpoint of Azure's storage is ${JSON.stringify(text)}, expected an address like ${usual}. Correct the connection string or AZURE_STORAGE_SERVICE_ENDPOINT.`,
    )
  return { account, endpoint: new URL(text), credentials: () => findCredentials(env, told) }
}

function connectionOf(text: string | undefined): Readonly<Record<string, string>> {
  const parts = (text ?? '').split(';').flatMap((part) => {
    const at = part.indexOf('=')
    return at < 1 ? [] : [[part.slice(0, at).trim(), part.slice(at + 1).trim()] as const]
  })
  const told = Object.fromEntries(parts)
  return told.UseDevelopmentStorage === 'true' ? EMULATED : told
}

async function findCredentials(
  env: Environment,
  told: Readonly<Record<string, string>>,
): Promise<AzureCredentials | null> {
  if (/^(1|true)$/i.test(env.AZURE_SKIP_SIGNATURE ?? '')) return null
  const key = told.AccountKey || env.AZURE_STORAGE_KEY || env.AZURE_STORAGE_ACCOUNT_KEY
  if (key) return { kind: 'key', key }
  const signature = told.SharedAccessSignature || env.AZURE_STORAGE_SAS_TOKEN || env.AZURE_STORAGE_SAS_KEY
  if (signature) return { kind: 'signature', signature: signature.replace(/^\?/, '') }
  const found = (await fromDirectory(env)) ?? (await fromAppService(env)) ?? (await fromMachine(env))
  if (found !== null) return found
  throw new StorageError(
    'refused',
    `There are no credentials for Azure's storage: looked in ${LOOKED}. Set one of them, or AZURE_SKIP_SIGNATURE=true for a container that is public.`,
  )
}

const SCOPE = 'https://storage.azure.com/'
const DIRECTORY = 'https://login.microsoftonline.com'

/** An identity is exchanged for a token that expires: by what a cluster says of it, or by its secret. */
async function fromDirectory(env: Environment): Promise<AzureCredentials | null> {
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, AZURE_FEDERATED_TOKEN_FILE: file } = env
  const secret = env.AZURE_CLIENT_SECRET
  if (!tenant || !client || !(file || secret)) return null
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: client,
    scope: `${SCOPE}.default`,
    ...(file
      ? {
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: await secretFrom(file),
        }
      : { client_secret: secret ?? '' }),
  })
  const url = secretAddress(
    `${(env.AZURE_AUTHORITY_HOST || DIRECTORY).replace(/\/$/, '')}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`,
    'AZURE_AUTHORITY_HOST',
  )
  const agent = storageAgent(env)
  try {
    return await tokenFrom(agent, {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(form.toString()),
      label: "The exchange for a token of Azure's directory",
    })
  } finally {
    await agent.destroy()
  }
}

async function fromAppService(env: Environment): Promise<AzureCredentials | null> {
  const { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header } = env
  if (!endpoint || !header) return null
  const url = new URL(endpoint)
  url.search = String(new URLSearchParams({ 'api-version': '2019-08-01', resource: SCOPE, ...clientOf(env) }))
  return await tokenFromNear({
    method: 'GET',
    url,
    headers: { 'x-identity-header': header },
    label: "The app service's endpoint of identity",
  })
}

const MACHINE = 'http://169.254.169.254/metadata/identity/oauth2/token'

async function fromMachine(env: Environment): Promise<AzureCredentials | null> {
  if (/^true$/i.test(env.AZURE_IMDS_DISABLED ?? '')) return null
  const url = new URL(env.AZURE_POD_IDENTITY_AUTHORITY_HOST || MACHINE)
  if (url.pathname === '/') url.pathname = new URL(MACHINE).pathname
  url.search = String(new URLSearchParams({ 'api-version': '2018-02-01', resource: SCOPE, ...clientOf(env) }))
  return await tokenOfMachine({
    method: 'GET',
    url,
    headers: { metadata: 'true' },
    label: "The machine's endpoint of identity",
  })
}

function clientOf(env: Environment): Readonly<Record<string, string>> {
  return env.AZURE_CLIENT_ID ? { client_id: env.AZURE_CLIENT_ID } : {}
}
