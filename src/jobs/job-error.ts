/** Says why a job cannot be made, worked on or brought to its end. */
import { CodedError } from '../coded-error.js'

/** Says why a job cannot be made, worked on or brought to its end. */
export type JobErrorCode =
  /** There is no job in this place. */
  | 'not-found'
  /** Another job is there already. */
  | 'exists'
  /** What lies there is not what a job has written. */
  | 'damaged'
  /** The source has no rows. */
  | 'empty'
  /** A row, or a number of rows, is more than a plan takes. */
  | 'too-many'
  /** What was loaded computes other numbers than the job is made of. */
  | 'other-identity'
  /** Two who write one thing at a time would not find out. */
  | 'unfit-storage'
  /** It needs a queue, or another worker holds what there is without one. */
  | 'needs-queue'
  /** Parts are missing. */
  | 'not-finished'
  /** It was stopped, cancelled or paused. */
  | 'stopped'
  /** No row is as was asked for. */
  | 'nothing-to-do'

/** Is thrown where something cannot be done with a job. `code` is for programs, `message` says what to do. */
export class JobError extends CodedError<JobErrorCode> {
  override readonly name = 'JobError'
}
