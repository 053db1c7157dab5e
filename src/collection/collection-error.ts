/** Tells why a collection cannot be opened, written or asked. */
import { CodedError } from '../coded-error.js'

/** Says for programs what happened. */
export type CollectionErrorCode =
  /** There is no collection at that place: name another, or make it. */
  | 'not-found'
  /** Something else lies where a collection was to be made: name another place. */
  | 'exists'
  /** Its files do not say what they should: bring them back from a copy, or make it anew. */
  | 'damaged'
  /** What is given rests on other numbers than what it holds: load the model as the collection was made, or make another collection. */
  | 'other-identity'
  /** The optional package that keeps it is not installed: the message has the command. */
  | 'unavailable'
  /** The server that keeps it does not answer: try again, or check its address. */
  | 'unreachable'
  /** The server that keeps it does not allow it: the message says what its owner may grant. */
  | 'forbidden'
  /** It was opened for reading: open it with `write`. */
  | 'read-only'
  /** There is no such column: the message has the nearest name. */
  | 'unknown-column'
  /** A condition on rows cannot be used: the message shows the place, what is wrong there, and the nearest name of a column. */
  | 'wrong-where'
  /** What should say where a page of results ended does not, or is of another search: take it from the page before. */
  | 'wrong-cursor'
  /** The examples of a search cancel each other out: name others. */
  | 'no-direction'
  /** A value does not fit its column: give one that does. */
  | 'wrong-value'
  /** A folder of photos is not there: connect its disk, or say where it is now. */
  | 'root-missing'
  /** A file that was to be imported is no table, or damaged: the message says which and why. */
  | 'unreadable'
  /** It is not known which column holds what: name it. */
  | 'ambiguous'
  /** Somebody reads it now: close it there first. */
  | 'in-use'
  /** Its embeddings take more room on this machine than is allowed: ask the index, keep a mirror, or allow more. */
  | 'too-large'
  /** It has no photo that could be asked for: index some. */
  | 'empty'
  /** There are no labels to learn from, or only one: label photos. */
  | 'unlabelled'
  /** A class has fewer photos than folds: label more of it, or take fewer folds. */
  | 'too-few'
  /** There is no such label: the message has the nearest. */
  | 'unknown-label'
  /** There is no such photo, or several could be meant: the message has the nearest names. */
  | 'unknown-photo'

/** Says why a collection cannot be opened, written or asked; the code is for programs. */
export class CollectionError extends CodedError<CollectionErrorCode> {
  override readonly name = 'CollectionError'
}
