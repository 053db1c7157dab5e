/** Asks a queue's server again while what went wrong may pass by itself, since servers are started anew and networks are parted for a while. */
import { setTimeout as sleep } from 'node:timers/promises'
import { QueueError } from '../../../jobs/queue-error.js'

export interface AskOptions {
  /** Names the server in messages. */
  readonly label: string
  /** Is for how long it is asked again. */
  readonly unavailableMs: number
  readonly signal?: AbortSignal | undefined
}

/** Throws `QueueError` `unavailable` once that time is over, `refused` where asking again would not help, and the signal's reason. */
export async function askAgain<T>(
  ask: () => Promise<T>,
  { label, unavailableMs, signal }: AskOptions,
): Promise<T> {
  const begun = performance.now()
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    signal?.throwIfAborted()
    try {
      return await ask()
    } catch (error) {
      const problem = judge(error, label)
      if (problem.code !== 'unavailable') throw problem
      const leftMs = begun + unavailableMs - performance.now()
      if (leftMs <= 0) throw problem
      await sleep(Math.min(pauseMs, leftMs), undefined, signal ? { signal } : {}).catch(() =>
        signal?.throwIfAborted(),
      )
    }
  }
}

/** Errors of the packages are not handed on, since they may hold what was sent, a password too: their words are. */
function judge(error: unknown, label: string): QueueError {
  if (error instanceof QueueError) return error
  // These are mistakes of a program, and no server's.
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) throw error
  const words = wordsOf(error)
  return mayPass(error)
    ? new QueueError('unavailable', `The queue ${label} does not answer: ${words}. Is its server running?`)
    : new QueueError('refused', `The queue ${label} refuses this: ${words}.`)
}

/** An error of several tries, one for each address of a host, has no words of its own. */
function wordsOf(error: Error): string {
  const words = error instanceof AggregateError ? error.errors.map(String).join(', ') : error.message
  // ioredis tells so of its own setting that it has no connection.
  if (words.startsWith("Stream isn't writeable")) return 'there is no connection'
  return words.replace(/[\s.]+$/, '') || error.name
}

function mayPass(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException
  if (error.name === 'ReplyError') return PASSING_REPLIES.test(error.message)
  // What the system says of a connection passes; EPIPE looks like a state of PostgreSQL.
  if ('syscall' in error) return true
  return typeof code === 'string' && SQL_STATE.test(code) ? PASSING_STATES.test(code) : true
}

/** Redis begins its answers with these words while it is loading, loses its master, or is busy. */
const PASSING_REPLIES = /^(LOADING|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|READONLY|UNKILLABLE) /
/** PostgreSQL gives five characters, of which two name the class: a lost connection, a deadlock, no room for a connection, a server that shuts down. */
const SQL_STATE = /^[0-9A-Z]{5}$/
const PASSING_STATES = /^(08|40|53|57)/
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2000
