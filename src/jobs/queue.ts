/**
 * This is all that a job asks of a queue. It only hands parts around: plan and commits in storage are the truth, so a queue may forget everything at any moment, and
 * costs no more than the parts in flight.
 */

/** Names a part of a plan: which round of the job, and which of its parts. */
export interface Task {
  /** Is 0 for the first plan of a job, and counts its retries. */
  readonly round: number
  /** Is the number of the part in the plan of that round, from 0 on. */
  readonly part: number
  /** Tells apart goes through the plan: a part that was lost is put in again under the next, since queues drop what they think they know. */
  readonly pass: number
}

/** Is a part that one worker has; the queue is told by itself, again and again, that the worker lives. */
export interface Claim {
  /** Names the part. */
  readonly task: Task
  /** Counts the workers that took this task before and never said what became of it. */
  readonly deaths: number
  /** Is aborted once the queue may have given the part to another worker. */
  readonly lost: AbortSignal
  /** The part is committed; the queue forgets it. Does nothing where the claim was lost. Throws `QueueError`. */
  done(): Promise<void>
  /** Another worker is to have it, at once or later; this is no death. Does nothing where the claim was lost. Throws `QueueError`. */
  giveBack(options?: { readonly delayMs?: number }): Promise<void>
}

/** Counts what is in the queue of a job. */
export interface QueueCounts {
  /** Counts the tasks that wait, those that wait for a time included. */
  readonly waiting: number
  /** Counts those that workers have. */
  readonly active: number
}

/** Hands the parts of one job to workers. */
export interface JobQueue extends AsyncDisposable {
  /** Names it for people, without a secret: `redis://host:6379`. */
  readonly label: string
  /** Puts tasks in; those that are in it already are left as they are. Throws `QueueError`. */
  add(tasks: readonly Task[], options?: { readonly signal?: AbortSignal | undefined }): Promise<void>
  /** Gives a task to this worker, waiting a few seconds where there is none; null where none came. Throws `QueueError`; the signal's reason. */
  take(options?: { readonly signal?: AbortSignal | undefined }): Promise<Claim | null>
  /** Throws `QueueError`. */
  counts(options?: { readonly signal?: AbortSignal | undefined }): Promise<QueueCounts>
  /** Forgets all tasks of this job. Throws `QueueError`. */
  clear(): Promise<void>
}
