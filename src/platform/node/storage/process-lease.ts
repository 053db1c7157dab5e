/** Keeps processes that write one thing on object storage apart. One of this machine is judged by whether it runs, any other by whether it shows itself. */
import { randomUUID } from 'node:crypto'
import type { PlainRecord } from '../../../plain-value.js'
import { type Lease, type LeaseTimes, takeLease } from '../../../storage/lease.js'
import type { Storage } from '../../../storage/storage.js'
import { FileError } from '../files/file-error.js'
import { holderOrNull, isAliveOrNull, thisProcess } from '../files/holder.js'

/** Says what is held, and how it is asked for. */
export interface ProcessLeaseOptions {
  /** Names for people what is held. */
  readonly label: string
  /** Names what else may be chosen: `another output`. */
  readonly instead: string
  /** Removes the object at the end. */
  readonly leavesNothing?: boolean
  readonly signal?: AbortSignal | undefined
  /** Is told when it has to be found out whether a holder elsewhere still lives. */
  readonly onWait?: ((message: string) => void) | undefined
  readonly times?: LeaseTimes | undefined
}

/** Throws `FileError` `locked` while another process shows that it has it, and what the storage throws. The lease throws the same once it is lost. */
export async function takeProcessLease(
  storage: Storage,
  key: string,
  { label, instead, leavesNothing = false, signal, onWait, times }: ProcessLeaseOptions,
): Promise<Lease> {
  const path = `${storage.label}/${key}`
  return await takeLease(storage, key, {
    holder: await thisProcess(randomUUID()),
    livesOrNull: processLivesOrNull,
    held: (holder) =>
      new FileError(
        'locked',
        `${label} is being written by ${shownHolder(holder)}, which shows itself in ${path}. Wait for it, or choose ${instead}.`,
      ),
    lost: (holder) =>
      new FileError(
        'locked',
        `${label} is not held by this process any more (${holder === null ? `it was let go, or ${path} could not be renewed in time` : `${shownHolder(holder)} has it`}): nothing more is written to it.`,
      ),
    onWait: (holder) =>
      onWait?.(`${label} is held by ${shownHolder(holder)}: waiting to see whether it lives`),
    leavesNothing,
    signal,
    ...(times === undefined ? {} : { times }),
  })
}

/** Tells whether the process that is named so runs; null where that cannot be seen from here. */
export async function processLivesOrNull(said: PlainRecord): Promise<boolean | null> {
  const holder = holderOrNull(said)
  return holder === null ? null : await isAliveOrNull(holder)
}

function shownHolder(said: PlainRecord): string {
  const holder = holderOrNull(said)
  return holder === null ? 'another process' : `process ${holder.pid} on ${holder.host}`
}
