/** Tells why an output cannot be written. Programs branch on the code, people read the message. */
import { CodedError } from '../coded-error.js'
import type { FileRefusal, FileRefusalCode } from './files.js'

export type OutputErrorCode =
  | FileRefusalCode
  | 'exists'
  | 'other-identity'
  | 'other-inputs'
  | 'damaged'
  | 'unknown-format'

export class OutputError extends CodedError<OutputErrorCode> {
  override readonly name = 'OutputError'
}

/** Takes what the files refuse for a reason of the output, in the same words; other errors pass through as they are. */
export function asOutputError(error: unknown): unknown {
  return isRefusal(error) ? new OutputError(error.code, error.message, { cause: error }) : error
}

function isRefusal(error: unknown): error is FileRefusal {
  return error instanceof Error && error.name === 'FileError'
}
