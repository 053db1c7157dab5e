/** Turns what PostgreSQL says into what a person can do about it. */
import { CollectionError, type CollectionErrorCode } from '../../../collection/collection-error.js'
import { explainWriteError, FileError } from '../files/file-error.js'

/** Says by PostgreSQL's own codes, or by their first two letters, what happened. */
const MEANINGS: Readonly<Record<string, readonly [CollectionErrorCode, string]>> = {
  '28': [
    'forbidden',
    'The server does not let this user in: check user and password (PGPASSWORD or ~/.pgpass).',
  ],
  '3D000': ['not-found', 'Make the database first: createdb.'],
  '42501': ['forbidden', 'The user has no right to it: have the owner grant it.'],
  '25006': ['read-only', 'The server takes no changes: name the primary.'],
  '23505': ['wrong-value', 'A row with this id is there already.'],
  '55P03': [
    'in-use',
    'Somebody reads it, and it cannot be changed in this way meanwhile: close it there first.',
  ],
  '57P': ['unreachable', 'The server is going down or has been restarted: try again.'],
  '53300': ['unreachable', 'The server has no connection left: try again, or raise max_connections.'],
  '08': ['unreachable', 'The connection broke: try again.'],
}

const NETWORK =
  /^(E(CONNREFUSED|CONNRESET|HOSTUNREACH|NETUNREACH|TIMEDOUT|PIPE|NOTFOUND|AI_AGAIN)|ENOENT|EACCES|ERR_TLS.*|.*CERT.*|SELF_SIGNED.*)$/

/** Gives the error as it is thrown; one of ours, and what is a mistake of ours, passes through as it is. */
function explainPostgres(error: unknown, label: string): unknown {
  if (!(error instanceof Error) || error instanceof CollectionError || error instanceof FileError)
    return error
  const { code, message } = error as Error & { readonly code?: unknown }
  if (typeof code !== 'string' && code !== undefined) return error
  return explain(code ?? '', message, error, label)
}

function explain(code: string, message: string, error: Error, label: string): unknown {
  if (code === '53100')
    return explainWriteError(
      Object.assign(new Error(message), { code: 'ENOSPC' }),
      `${label} (on the server)`,
    )
  const found = MEANINGS[code] ?? MEANINGS[code.slice(0, 3)] ?? MEANINGS[code.slice(0, 2)]
  if (found !== undefined) return told(found, error, label)
  const isNetwork =
    NETWORK.test(code) ||
    /^(Connection terminated|timeout e|The server does not support SSL|Client (was closed|has encountered))/.test(
      message,
    )
  const unreachable = ['unreachable', 'Check that the server runs there and lets this machine in.'] as const
  return isNetwork ? told(unreachable, error, label) : error
}

function told([code, advice]: readonly [CollectionErrorCode, string], error: Error, label: string) {
  // Several addresses of a host may have failed, each for itself.
  const [first] = error instanceof AggregateError ? (error.errors as Error[]) : []
  const said = error.message || first?.message || 'no answer'
  return new CollectionError(code, `${label}: ${said.replace(/\.$/, '')}. ${advice}`, { cause: error })
}

/** Does something with the server, and explains what goes wrong. */
export async function withPostgres<Result>(label: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw explainPostgres(error, label)
  }
}

/** Asks once more where the connection turns out to have broken before, as when the server was restarted while nobody used it. */
export async function onLiving<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask()
  } catch (error) {
    const { code = '', message } = error as Error & { readonly code?: string }
    if (!/^(57P|08|ECONNRESET|EPIPE)/.test(code) && !message.startsWith('Connection terminated')) throw error
    return await ask()
  }
}
