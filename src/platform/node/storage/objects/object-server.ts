/** Is what a kind of server of objects has of its own: how it is asked, and how its answers are to be understood. What holds for all of them is in object-storage.ts. */
import type { StoredObject, WriteOptions } from '../../../../storage/storage.js'
import type { StorageError } from '../../../../storage/storage-error.js'
import type { Answer, Question } from '../ask-once.js'

export interface ObjectQuestion {
  readonly method: Question['method']
  /** Is the whole key in the bucket; '' is the bucket. */
  readonly key: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Stands in every good answer's document: one that lacks it was cut on the way, and is asked for again. */
  readonly mustHold?: string
  /** Tries for so long, in milliseconds, where that is not what the place says. */
  readonly patienceMs?: number
  /** Waits longer than for others, as for a server that puts many parts together. */
  readonly isSlow?: boolean
  /** Bounds the bytes of an answer; else those of a document. */
  readonly mostBytes?: number
  readonly signal?: AbortSignal | undefined
}

/** Is an object that is written. */
export interface ObjectWrite {
  readonly key: string
  /** Goes with the object, so that it can be told who wrote it. */
  readonly writer: string
  readonly condition: Pick<WriteOptions, 'ifAbsent' | 'ifVersion'>
  /** Begins messages. */
  readonly what: string
  readonly signal: AbortSignal | undefined
}

export interface Listing {
  readonly prefix: string
  readonly after?: string
  /** Begins messages. */
  readonly what: string
  readonly signal: AbortSignal | undefined
}

/** Says what an answer to a write means that did not write: `unmet` is the condition, `lost` are parts that the server forgot, `impossible` is a condition that it does not know. */
export type NotWritten = 'unmet' | 'lost' | 'impossible' | 'refused'

export interface ObjectServer extends AsyncDisposable {
  /** Names the bucket for people, as in `s3://bucket`. */
  readonly address: string
  /** Throws `StorageError` `unavailable` and what finding credentials throws; the signal's reason. */
  ask(question: ObjectQuestion): Promise<Answer>
  put(write: ObjectWrite, body: Uint8Array): Promise<Answer>
  /** Gives the answer to putting the parts together, or to the part for which the upload was lost. Throws what `rest` throws. */
  putParts(
    write: ObjectWrite,
    first: Uint8Array,
    rest: AsyncIterator<{ readonly bytes: Uint8Array }>,
  ): Promise<Answer>
  /** Gives objects by their whole keys, in the order of their UTF-8 bytes; those up to `after` may be among them. */
  list(listing: Listing): AsyncGenerator<StoredObject>
  /** Gives '' where an answer tells of no object. */
  versionOf(answer: Answer): string
  /** Gives what asks for this version alone. */
  onlyVersion(version: string | undefined): Pick<ObjectQuestion, 'headers' | 'query'>
  /** Tells whether an answer says that there is no such bucket. */
  isNoBucket(answer: Answer): boolean
  /** Tells whether an answer says in so many words that there is no such object. */
  isNoObject(answer: Answer): boolean
  /** Tells whether the object that an answer is of was written by this writer. */
  isOf(answer: Answer, writer: string): boolean
  notWritten(answer: Answer): NotWritten
  /** Gives null where a good answer to a write does not tell it. */
  writtenVersion(answer: Answer): string | null
  /** Says why a server does not do what it was asked, without anything secret. */
  refusal(answer: Answer, what: string): StorageError
}
