/** Says why a plan cannot be run. Programs branch on the code, people read the message. */
import { CodedError } from '../coded-error.js'

/** Says why an engine did not run something. */
export type EngineErrorCode =
  /** The engine lacks what is asked for: a step, a precision, a number of threads. The message says what it has; choose another engine or option. */
  | 'unsupported'
  /** The engine cannot run here: no addon, no GPU, no such instruction set. Build it, or take another engine. */
  | 'unavailable'
  /** Weights or activations do not fit. Take a smaller batch or input, or a precision of fewer bytes. */
  | 'out-of-memory'
  /** The engine, model, program or encoder has been disposed of. Load it again. */
  | 'disposed'
  /** Pixels, a batch or a weight are not of the size that the network needs, which the message gives. */
  | 'wrong-size'
  /** The result holds a NaN or an infinity. The message names the weight that does, if one does: fetch the file again; else look at the input. */
  | 'non-finite'
  /** The GPU is gone; the next call asks for it anew. */
  | 'device-lost'
  /** The file of packed weights was cut off or written into while it was in use. Load the model again. */
  | 'weights-lost'
  /** The file of vectors was cut off or written into while it was looked through. Open the collection again, which makes it anew. */
  | 'rows-lost'
  /** The GPU computes something else than the reference engine. */
  | 'wrong-result'

/** Is thrown where a network cannot be run. `code` is for programs, `message` says what to do. */
export class EngineError extends CodedError<EngineErrorCode> {
  override readonly name = 'EngineError'
}

/** Tells whoever uses what has been given back: an engine, a model, a program, an encoder. */
export function disposed(what: string): EngineError {
  return new EngineError('disposed', `This ${what} has been disposed of. Load it again to go on.`)
}
