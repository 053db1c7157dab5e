/**
 * Looks for what opens Google's storage where Google's own tools look: the file that GOOGLE_APPLICATION_CREDENTIALS names, the one that gcloud keeps, and the machine's own
 * identity. Nothing here is ever written anywhere, or said in a message.
 */
import { createPrivateKey, createSign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isRecord, type PlainRecord, parseJsonOrNull } from '../../../../plain-value.js'
import { StorageError } from '../../../../storage/storage-error.js'
import type { Environment } from '../../hub/hub-settings.js'
import { storageAgent } from '../ask-once.js'
import {
  type IdentityToken,
  secretAddress,
  secretFrom,
  tokenFrom,
  tokenOfMachine,
} from '../objects/identity-tokens.js'

export interface GoogleAccess {
  readonly endpoint: URL
  /** Gives a token, again before it expires; null asks for nothing, for buckets that are public. */
  readonly credentials: () => Promise<IdentityToken | null>
}

const ENDPOINT = 'https://storage.googleapis.com'
const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_write'
const EXCHANGE = 'https://oauth2.googleapis.com/token'
const LABEL = "The exchange for a token of Google's"

/** Asks nothing yet. Throws `StorageError` `wrong-key` for an endpoint that is no address. */
export function findGoogleAccess(env: Environment): GoogleAccess {
  const emulator = env.STORAGE_EMULATOR_HOST
  const text = emulator ? (/^https?:\/\//i.test(emulator) ? emulator : `http://${emulator}`) : ENDPOINT
  if (!URL.canParse(text))
    throw new StorageError(
      'wrong-key',
      `The endpoint of Google's storage is ${JSON.stringify(text)}, expected an address like http://localhost:4443. Correct STORAGE_EMULATOR_HOST or unset it.`,
    )
  const isPublic = /^(1|true)$/i.test(env.GOOGLE_SKIP_SIGNATURE ?? '')
  return {
    endpoint: new URL(text),
    credentials: async () => (emulator || isPublic ? null : await findToken(env)),
  }
}

async function findToken(env: Environment): Promise<IdentityToken> {
  const file = await fileOrNull(env)
  const found = file === null ? await fromMachine(env) : await fromFile(file, env)
  if (found !== null) return found
  throw new StorageError(
    'refused',
    "There are no credentials for Google's storage: looked in GOOGLE_APPLICATION_CREDENTIALS, in what gcloud auth application-default login keeps, and at the identity of this machine. " +
      'Set one of them, or GOOGLE_SKIP_SIGNATURE=true for a bucket that is public.',
  )
}

async function fileOrNull(env: Environment): Promise<PlainRecord | null> {
  const named = env.GOOGLE_APPLICATION_CREDENTIALS
  const folder =
    env.CLOUDSDK_CONFIG ||
    (env.APPDATA ? join(env.APPDATA, 'gcloud') : join(env.HOME || homedir(), '.config/gcloud'))
  const path = named || join(folder, 'application_default_credentials.json')
  const text = named ? await secretFrom(named) : await readFile(path, 'utf8').catch(() => null)
  if (text === null) return null
  const told = parseJsonOrNull(text)
  if (isRecord(told)) return told
  throw new StorageError('refused', `${path} is no file of credentials of Google's: it is no JSON object.`)
}

async function fromFile(file: PlainRecord, env: Environment): Promise<IdentityToken> {
  const form = formOf(file)
  const url = secretAddress(textOf(file, 'token_uri') ?? EXCHANGE, 'token_uri in the file of credentials')
  const agent = storageAgent(env)
  try {
    return await tokenFrom(agent, {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(String(new URLSearchParams(form))),
      label: LABEL,
    })
  } finally {
    await agent.destroy()
  }
}

/** A service account signs who it is; a person's file has what was given at a login. */
function formOf(file: PlainRecord): Record<string, string> {
  const [email, key] = [textOf(file, 'client_email'), textOf(file, 'private_key')]
  if (file.type === 'service_account' && email !== null && key !== null)
    return {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: signed(email, key, textOf(file, 'token_uri') ?? EXCHANGE),
    }
  const [client, secret, refresh] = ['client_id', 'client_secret', 'refresh_token'].map((name) =>
    textOf(file, name),
  )
  if (file.type === 'authorized_user' && client && secret && refresh)
    return { grant_type: 'refresh_token', client_id: client, client_secret: secret, refresh_token: refresh }
  throw new StorageError(
    'refused',
    `The file of Google's credentials is of the type ${JSON.stringify(file.type ?? null)}, or lacks a part of it; service_account and authorized_user are taken. Use a key of a service account, or gcloud auth application-default login.`,
  )
}

function textOf(file: PlainRecord, name: string): string | null {
  const value = file[name]
  return typeof value === 'string' && value !== '' ? value : null
}

function signed(email: string, key: string, audience: string): string {
  const now = Math.floor(Date.now() / 1000)
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: email, scope: SCOPE, aud: audience, iat: now, exp: now + 3600 }
  const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`
  try {
    return `${text}.${createSign('RSA-SHA256').update(text).sign(createPrivateKey(key), 'base64url')}`
  } catch {
    // The cause is left out, since it may quote a part of the key.
    throw new StorageError('refused', "The private key in the file of Google's credentials cannot be read.")
  }
}

async function fromMachine(env: Environment): Promise<IdentityToken | null> {
  if (/^true$/i.test(env.NO_GCE_CHECK ?? '')) return null
  const host = env.GCE_METADATA_HOST || 'metadata.google.internal'
  return await tokenOfMachine({
    method: 'GET',
    url: new URL(`http://${host}/computeMetadata/v1/instance/service-accounts/default/token`),
    headers: { 'metadata-flavor': 'Google' },
    label: "The machine's endpoint of identity",
  })
}
