/** Asks the endpoints that give tokens for an identity. Nothing that they are told or say is shown to anybody. */
import { readFile } from 'node:fs/promises'
import { Agent, type Dispatcher } from 'undici'
import { StorageError } from '../../../../storage/storage-error.js'
import { type Answer, askOnce, type Question } from '../ask-once.js'
import { keepTrying, Passing } from '../passing.js'

export interface IdentityToken {
  readonly kind: 'token'
  readonly token: string
  /** Is when it expires, in milliseconds since 1970. */
  readonly expiresMs: number
}

type TokenQuestion = Pick<Question, 'method' | 'url' | 'headers' | 'body' | 'label'>

const MOST_BYTES = 2 ** 20
const PATIENCE_MS = 20_000
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** A secret goes to no address that others can listen at. Throws `StorageError` `refused`. */
export function secretAddress(text: string, named: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname))) return url
  throw new StorageError(
    'refused',
    `${named} is neither an https: address nor one of this machine. Correct it or unset it.`,
  )
}

/** Throws `StorageError` `refused`, `unavailable`. */
export async function tokenFrom(agent: Dispatcher, question: TokenQuestion): Promise<IdentityToken> {
  const { label } = question
  return await keepTrying(
    async () => {
      const answer = await askOnce(agent, { ...question, stallMs: 5000, mostBytes: MOST_BYTES })
      if (answer.status === 200) return tokenOf(answer, label)
      if (answer.status >= 500 || answer.status === 429)
        throw new Passing(`${label} answers ${answer.status}`)
      throw new StorageError(
        'refused',
        `${label} answers ${answer.status}. Look whether the identity may be taken by this machine.`,
      )
    },
    { patienceMs: PATIENCE_MS },
  )
}

/** Goes to such an endpoint directly: it answers what is beside it alone, and no proxy is to see what it says. Throws as `tokenFrom`. */
export async function tokenFromNear(question: TokenQuestion): Promise<IdentityToken> {
  const agent = new Agent({ connect: { timeout: 2000 } })
  try {
    return await tokenFrom(agent, question)
  } finally {
    await agent.destroy()
  }
}

/** Gives null where this is no machine of that kind: nobody answers there, and nothing is wrong. Throws `StorageError` `unavailable` for an answer without a token. */
export async function tokenOfMachine(question: TokenQuestion): Promise<IdentityToken | null> {
  const agent = new Agent({ connect: { timeout: 1000 } })
  try {
    const answer = await askOnce(agent, { ...question, stallMs: 2000, mostBytes: MOST_BYTES }).catch(
      () => null,
    )
    return answer?.status === 200 ? tokenOf(answer, question.label) : null
  } finally {
    await agent.destroy()
  }
}

function tokenOf({ body }: Answer, label: string): IdentityToken {
  const said = parsedOrNull(Buffer.from(body).toString())
  const token = said?.access_token
  // One says in how many seconds, and another at which.
  const seconds = Number(said?.expires_in)
  const at = Number(said?.expires_on) * 1000
  const expiresMs = seconds > 0 ? Date.now() + seconds * 1000 : at
  if (typeof token === 'string' && Number.isFinite(expiresMs)) return { kind: 'token', token, expiresMs }
  throw new StorageError('unavailable', `${label} answers without a token. Look after it.`)
}

/** Tells nothing of a text that cannot be read, since it may hold a part of a secret. */
function parsedOrNull(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return null
  }
}

/** Throws `StorageError` `refused`. */
export async function secretFrom(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw new StorageError('refused', `${path}, which holds credentials, cannot be read. Let it be read.`, {
      cause,
    })
  }
}
