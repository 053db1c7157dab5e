/** Says what happens while a worker works, for whoever shows, counts or logs it. */
import type { Task } from './queue.js'

/**
 * `stopping`: the worker was told to stop. `transient`: too many rows failed in ways that may pass. `busy`: another worker does it. `trouble`: storage or queue did not
 * answer. `error`: the worker ends.
 */
export type GivenBackReason = 'stopping' | 'transient' | 'busy' | 'trouble' | 'error'

/** Says what happened to a worker, by its `kind`. */
export type WorkerEvent =
  /** A part was taken. */
  | {
      readonly kind: 'partTaken'
      /** Names the part. */
      readonly task: Task
      /** Counts its rows. */
      readonly rows: number
      /** Counts the workers that had it before and never said what became of it. */
      readonly deaths: number
    }
  /** A part is in the result. */
  | {
      readonly kind: 'partCommitted'
      /** Names the part. */
      readonly task: Task
      /** Counts its rows. */
      readonly rows: number
      /** Counts those that failed, by their code. */
      readonly failed: Readonly<Record<string, number>>
      /** Is how long it took since it was taken. */
      readonly seconds: number
      /** Counts the bytes of its file. */
      readonly bytes: number
    }
  /** Another worker committed it first: nothing is lost. */
  | {
      readonly kind: 'partDropped'
      /** Names the part. */
      readonly task: Task
    }
  /** Another worker is to have it, or this one later. */
  | {
      readonly kind: 'partGivenBack'
      /** Names the part. */
      readonly task: Task
      /** Says why, for programs. */
      readonly why: GivenBackReason
      /** Is how long it waits in the queue, in milliseconds. */
      readonly delayMs: number
      /** Says why, for people. */
      readonly reason: string
    }
  /** The queue took it from this worker, and gives it to another. */
  | {
      readonly kind: 'claimLost'
      /** Names the part. */
      readonly task: Task
      /** Says why: it was not reached in time, has forgotten the part, or clocks are too far apart. */
      readonly reason: string
    }
  /** A row failed; it is in the result with its reason once its part is. */
  | {
      readonly kind: 'rowFailed'
      /** Names the part that it is in. */
      readonly task: Task
      /** Names the row in its source. */
      readonly id: string
      /** Names the image for people. */
      readonly name: string
      /** Says why it failed, for programs. */
      readonly code: string
      /** Says why it failed, for people. */
      readonly reason: string
    }
  /** A row was done; a part that is given back is done again. */
  | {
      readonly kind: 'rowDone'
      /** Names the part that it is in. */
      readonly task: Task
      /** Says that it has no embedding. */
      readonly failed: boolean
    }
  /** A part that ended workers is done in ranges: this one begins. */
  | {
      readonly kind: 'carefulRange'
      /** Names the part. */
      readonly task: Task
      /** Is the first row. */
      readonly from: number
      /** Is the row behind the last. */
      readonly to: number
    }
  /** A row has ended workers by itself, and is failed. */
  | {
      readonly kind: 'rowKilled'
      /** Names the part that it is in. */
      readonly task: Task
      /** Is its place in the part, from 0. */
      readonly row: number
    }
  /** Parts were put into the queue. */
  | {
      readonly kind: 'refilled'
      /** Is the round that they are of. */
      readonly round: number
    }
  /** There is nothing to do now. */
  | {
      readonly kind: 'waiting'
      /** Says why, for programs: the job is paused, or no part can be had: others have the last ones, or they wait for their next try. */
      readonly why: 'paused' | 'no-parts'
      /** Says why, for people. */
      readonly reason: string
    }
  /** Storage or queue did not answer; it is tried again. */
  | {
      readonly kind: 'trouble'
      /** Says what did not. */
      readonly reason: string
      /** Is when it is tried again, in milliseconds from now. */
      readonly retryMs: number
    }
