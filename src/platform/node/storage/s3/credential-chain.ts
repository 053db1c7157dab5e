/**
 * Looks for S3 credentials where AWS's own tools look, in their order: the environment, the shared files, a web identity (Kubernetes on AWS), a container's
 * endpoint, the instance's. What these tools can and this cannot (single sign-on, a program that is run, roles assumed by way of others) is refused by name.
 */
import { Agent, type Dispatcher } from 'undici'
import { StorageError } from '../../../../storage/storage-error.js'
import type { Environment } from '../../hub/hub-settings.js'
import { type Answer, askOnce, type Question, storageAgent } from '../ask-once.js'
import { secretFrom } from '../objects/identity-tokens.js'
import { textOf } from '../objects/xml.js'
import { keepTrying, Passing } from '../passing.js'
import type { S3Credentials } from './credentials.js'
import { type Profile, profileName, profileOrNull } from './shared-files.js'

const LOOKED =
  'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the profile of AWS_PROFILE in ~/.aws/credentials and ~/.aws/config, ' +
  'AWS_WEB_IDENTITY_TOKEN_FILE, the endpoint of a container and that of an instance'

/** Gives null where `AWS_SKIP_SIGNATURE` wants nothing signed. Throws `StorageError` `refused` where there are none, `unavailable` where an endpoint that should give some does not. */
export async function findCredentials(env: Environment, region: string): Promise<S3Credentials | null> {
  if (/^(1|true)$/i.test(env.AWS_SKIP_SIGNATURE ?? '')) return null
  const found =
    fromEnvironment(env) ??
    (await fromProfile(env, region)) ??
    (await fromWebIdentity(env.AWS_WEB_IDENTITY_TOKEN_FILE, env.AWS_ROLE_ARN, env, region)) ??
    (await fromContainer(env)) ??
    (await fromInstance(env))
  if (found !== null) return found
  throw new StorageError(
    'refused',
    `There are no credentials for S3: looked in ${LOOKED}. Set one of them, or AWS_SKIP_SIGNATURE=true for a bucket that is public.`,
  )
}

function fromEnvironment(env: Environment): S3Credentials | null {
  return keysOrNull(env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN)
}

function keysOrNull(
  id: string | undefined,
  secret: string | undefined,
  token: string | undefined,
): S3Credentials | null {
  if (!id || !secret) return null
  return { accessKeyId: id, secretAccessKey: secret, ...(token ? { sessionToken: token } : {}) }
}

async function fromProfile(env: Environment, region: string): Promise<S3Credentials | null> {
  const name = profileName(env)
  const profile = await profileOrNull(name, env)
  if (profile === null) {
    if (!env.AWS_PROFILE) return null
    throw new StorageError(
      'refused',
      `AWS_PROFILE is ${name}, and neither of the shared files of AWS has that profile. Correct it or unset it.`,
    )
  }
  const keys = keysOrNull(profile.aws_access_key_id, profile.aws_secret_access_key, profile.aws_session_token)
  if (keys !== null) return keys
  const identity = await fromWebIdentity(profile.web_identity_token_file, profile.role_arn, env, region)
  if (identity !== null) return identity
  refuseOthers(name, profile)
  return null
}

/** Says how to have keys made by AWS's own tool, whatever the profile wants. */
function refuseOthers(name: string, profile: Profile): void {
  const other = [
    'credential_process',
    'sso_session',
    'sso_start_url',
    'login_session',
    'source_profile',
    'credential_source',
  ].find((setting) => profile[setting] !== undefined)
  if (other === undefined) return
  throw new StorageError(
    'refused',
    `The profile ${name} of AWS gives its credentials by ${other}, which is not done here. Let AWS's tool put them into the environment: ` +
      `eval "$(aws configure export-credentials --profile ${name} --format env)"`,
  )
}

/** An identity that a cluster vouches for is exchanged for credentials that expire. The token is its own proof: nothing is signed. */
async function fromWebIdentity(
  tokenFile: string | undefined,
  role: string | undefined,
  env: Environment,
  region: string,
): Promise<S3Credentials | null> {
  if (!tokenFile || !role) return null
  const token = await secretFrom(tokenFile)
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: env.AWS_ROLE_SESSION_NAME || `plumage-${process.pid}`,
    WebIdentityToken: token,
  })
  const endpoint = env.AWS_ENDPOINT_URL_STS || env.AWS_ENDPOINT_URL || `https://sts.${region}.amazonaws.com`
  const agent = storageAgent(env)
  try {
    const answer = await ask(agent, {
      method: 'POST',
      url: new URL('/', endpoint),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(form.toString()),
      label: 'The exchange of the web identity',
    })
    const xml = Buffer.from(answer.body).toString()
    return credentialsOf(
      {
        id: textOf(xml, 'AccessKeyId'),
        secret: textOf(xml, 'SecretAccessKey'),
        token: textOf(xml, 'SessionToken'),
        ends: textOf(xml, 'Expiration'),
      },
      'The exchange of the web identity',
    )
  } finally {
    await agent.destroy()
  }
}

const CONTAINER = 'http://169.254.170.2'
/** Plain http is for this machine and for the addresses at which Amazon's containers find their endpoint. */
const CONTAINER_HOSTS =
  /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|169\.254\.170\.2|169\.254\.170\.23|\[fd00:ec2::23\])$/

async function fromContainer(env: Environment): Promise<S3Credentials | null> {
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
  const full = env.AWS_CONTAINER_CREDENTIALS_FULL_URI
  if (!relative && !full) return null
  const text = relative ? new URL(relative, CONTAINER).href : (full ?? '')
  const url = URL.canParse(text) ? new URL(text) : null
  if (
    url === null ||
    !(url.protocol === 'https:' || (url.protocol === 'http:' && CONTAINER_HOSTS.test(url.hostname)))
  )
    throw new StorageError(
      'refused',
      'AWS_CONTAINER_CREDENTIALS_FULL_URI is neither an https: address nor one of this machine or of a container. Correct it or unset it.',
    )
  const tokenFile = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
  const token = tokenFile ? await secretFrom(tokenFile) : env.AWS_CONTAINER_AUTHORIZATION_TOKEN
  return await fromJson(url, token ? { authorization: token } : {}, "The container's endpoint of credentials")
}

const INSTANCE = 'http://169.254.169.254'
const ROLES = '/latest/meta-data/iam/security-credentials/'

async function fromInstance(env: Environment): Promise<S3Credentials | null> {
  if (/^true$/i.test(env.AWS_EC2_METADATA_DISABLED ?? '')) return null
  const base = env.AWS_EC2_METADATA_SERVICE_ENDPOINT || INSTANCE
  const label = "The instance's endpoint of credentials"
  const agent = new Agent({ connect: { timeout: 1000 } })
  try {
    const session = await askOnce(agent, {
      method: 'PUT',
      url: new URL('/latest/api/token', base),
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '600' },
      body: new Uint8Array(0),
      label,
      stallMs: 1000,
      mostBytes: MOST_BYTES,
      // Where there is no instance nobody answers, and nothing is wrong.
    }).catch(() => null)
    if (session?.status !== 200) return null
    const headers = { 'x-aws-ec2-metadata-token': Buffer.from(session.body).toString() }
    const roles = await ask(agent, { method: 'GET', url: new URL(ROLES, base), headers, label })
    const [role] = Buffer.from(roles.body).toString().trim().split('\n')
    return await fromJson(new URL(`${ROLES}${role}`, base), headers, label)
  } finally {
    await agent.destroy()
  }
}

/** Goes to these endpoints directly: they answer those beside them alone, and no proxy is to see what they say. */
async function fromJson(url: URL, headers: Record<string, string>, label: string): Promise<S3Credentials> {
  const agent = new Agent({ connect: { timeout: 2000 } })
  try {
    const answer = await ask(agent, { method: 'GET', url, headers, label })
    const said = JSON.parse(Buffer.from(answer.body).toString()) as Record<string, unknown>
    const text = (name: string) => (typeof said[name] === 'string' ? said[name] : null)
    return credentialsOf(
      {
        id: text('AccessKeyId'),
        secret: text('SecretAccessKey'),
        token: text('Token'),
        ends: text('Expiration'),
      },
      label,
    )
  } catch (cause) {
    // The text that could not be read may hold a part of a secret.
    if (cause instanceof SyntaxError)
      throw new StorageError('unavailable', `${label} answers with no JSON. Look after it.`)
    throw cause
  } finally {
    await agent.destroy()
  }
}

interface Said {
  readonly id: string | null
  readonly secret: string | null
  readonly token: string | null
  readonly ends: string | null
}

function credentialsOf({ id, secret, token, ends }: Said, label: string): S3Credentials {
  const expiresMs = ends === null ? Number.NaN : Date.parse(ends)
  if (id === null || secret === null || Number.isNaN(expiresMs))
    throw new StorageError(
      'unavailable',
      `${label} answers without credentials. Look whether a role is given to this machine.`,
    )
  return {
    accessKeyId: id,
    secretAccessKey: secret,
    ...(token === null ? {} : { sessionToken: token }),
    expiresMs,
  }
}

const MOST_BYTES = 2 ** 20

async function ask(
  agent: Dispatcher,
  question: Pick<Question, 'method' | 'url' | 'headers' | 'body' | 'label'>,
): Promise<Answer> {
  const { label } = question
  return await keepTrying(
    async () => {
      const answer = await askOnce(agent, { ...question, stallMs: 5000, mostBytes: MOST_BYTES })
      if (answer.status === 200) return answer
      if (answer.status >= 500 || answer.status === 429)
        throw new Passing(`${label} answers ${answer.status}`)
      const code = textOf(Buffer.from(answer.body).toString(), 'Code')
      throw new StorageError(
        'refused',
        `${label} answers ${answer.status}${code === null ? '' : ` (${code})`}. Look whether the role may be taken.`,
      )
    },
    { patienceMs: 20_000 },
  )
}
