/** Carries errors between threads: the class and the code that programs branch on are kept, which cloning would lose. */
import { CheckpointError, type CheckpointErrorCode } from '../../../checkpoint/checkpoint-error.js'
import { EngineError, type EngineErrorCode } from '../../../engine/engine-error.js'
import { HubError, type HubErrorCode } from '../../../hub/hub-error.js'
import { ImageError, type ImageErrorCode } from '../../../image/image-error.js'

export interface PlainError {
  readonly name: string
  readonly message: string
  readonly code?: string
}

export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { name, message } = error
  const code: unknown = 'code' in error ? error.code : undefined
  return typeof code === 'string' ? { name, message, code } : { name, message }
}

export function errorFrom({ name, message, code }: PlainError): Error {
  switch (name) {
    case 'CheckpointError':
      return new CheckpointError(code as CheckpointErrorCode, message)
    case 'EngineError':
      return new EngineError(code as EngineErrorCode, message)
    case 'HubError':
      return new HubError(code as HubErrorCode, message)
    case 'ImageError':
      return new ImageError(code as ImageErrorCode, message)
    case 'TypeError':
      return new TypeError(message)
    case 'RangeError':
      return new RangeError(message)
    default:
      return new Error(message)
  }
}
