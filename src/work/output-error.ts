/** Tells why an output cannot be written. Programs branch on the code, people read the message. */
import { CodedError } from '../coded-error.js'
import type { FileRefusal, FileRefusalCode } from './files.js'

export type OutputErrorCode =
  | FileRefusalCode
  | 'exists'
  | 'other-identity'
  | 'other-inputs'
  | 'damaged'
  | 'incomplete'
  | 'no-shard'
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

/**
 * Waits for what is read of an output's own earlier work. Whoever may not read it cannot go on with it either, so that any refusal of the system is one
 * of the output: throws `OutputError` `not-writable`.
 */
export async function ofEarlierWork<Read>(path: string, reading: Promise<Read>): Promise<Read> {
  try {
    return await reading
  } catch (cause) {
    const { code } = cause as { readonly code?: unknown }
    if (typeof code !== 'string' || cause instanceof CodedError) throw cause
    throw new OutputError(
      'not-writable',
      `${path} holds earlier work and cannot be read (${code}). Is it yours to read? Choose another output, or make it readable.`,
      { cause },
    )
  }
}
