/** Gives errors of the addon the names of this library. */
import { EngineError, type EngineErrorCode } from '../engine-error.js'
import { type JobCallback, STATUS } from './addon.js'

const CODES: readonly string[] = [
  'out-of-memory',
  'unavailable',
  'disposed',
  'weights-lost',
  'rows-lost',
] satisfies readonly EngineErrorCode[]

/** An `EngineError` for what the addon refuses by one of its codes; anything else as it is. */
export function engineErrorOf(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof EngineError) return error
  const code = 'code' in error ? error.code : undefined
  return isEngineErrorCode(code) ? new EngineError(code, error.message, { cause: error }) : error
}

/** Tells that a file did not give the addon what it should have: it is to be read in another way, which says why. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'unreadable'
}

function isEngineErrorCode(code: unknown): code is EngineErrorCode {
  return typeof code === 'string' && CODES.includes(code)
}

/** Calls the addon; throws `EngineError` where it refuses. */
export function callAddon<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw engineErrorOf(error)
  }
}

/**
 * Why a job did not end well; null where it did.
 *
 * @param needed says what needs the memory that the system refuses, given its bytes
 * @param cancelled why it was cancelled; default: the engine ended
 */
function jobError(
  status: number,
  value: number,
  error: Error | undefined,
  { needed, cancelled }: { needed: (bytes: number) => string; cancelled?: unknown },
): unknown {
  switch (status) {
    case STATUS.done:
      return null
    case STATUS.cancelled:
      return cancelled ?? new EngineError('disposed', 'The engine was disposed of while this was under way.')
    case STATUS.outOfMemory:
      return new EngineError('out-of-memory', needed(value))
    default:
      return engineErrorOf(error ?? new Error(`the native engine ended a job with the status ${status}`))
  }
}

/** Settles a promise by how a job ended, with the value that it gives; one that its signal gave up rejects with the signal's reason. */
export function settling(
  resolve: (value: number) => void,
  reject: (error: unknown) => void,
  { needed, signal }: { needed: (bytes: number) => string; signal?: AbortSignal | undefined },
): JobCallback {
  return (status, value, error) => {
    const problem = jobError(status, value, error, { needed, cancelled: signal?.reason })
    if (problem === null) resolve(value)
    else reject(problem)
  }
}

/**
 * Submits a job that nobody cancels, waits for its end and gives its value. Throws `EngineError`, and what else the addon says as it is.
 *
 * @param needed says what needs the memory that the system refuses, given its bytes
 */
export async function jobDone(
  needed: (bytes: number) => string,
  submit: (callback: JobCallback) => unknown,
): Promise<number> {
  try {
    return await new Promise<number>((resolve, reject) => {
      submit(settling(resolve, reject, { needed }))
    })
  } catch (error) {
    throw engineErrorOf(error)
  }
}
