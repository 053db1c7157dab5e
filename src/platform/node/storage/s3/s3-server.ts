/** Is a bucket of an S3 server: what its headers, codes and parts mean. */
import type { StoredObject } from '../../../../storage/storage.js'
import type { StorageError } from '../../../../storage/storage-error.js'
import { type Answer, headerOf } from '../ask-once.js'
import { codeOf, documentOf } from '../objects/document.js'
import { etagCondition } from '../objects/etags.js'
import type {
  Listing,
  NotWritten,
  ObjectQuestion,
  ObjectServer,
  ObjectWrite,
} from '../objects/object-server.js'
import { textOf } from '../objects/xml.js'
import { listObjects } from './list-objects.js'
import { uploadParts } from './multipart.js'
import { onlyVersion, versionOf } from './object-version.js'
import { S3Client, type S3Place } from './s3-client.js'

const WRITER = 'x-amz-meta-plumage-writer'

export class S3Server implements ObjectServer {
  readonly address: string
  readonly #client: S3Client
  readonly #place: S3Place

  constructor(place: S3Place) {
    this.#place = place
    this.#client = new S3Client(place)
    this.address = `s3://${place.bucket}`
  }

  async ask(question: ObjectQuestion): Promise<Answer> {
    return await this.#client.ask(question)
  }

  async put(write: ObjectWrite, body: Uint8Array): Promise<Answer> {
    const { key, writer, signal } = write
    const headers = { ...etagCondition(write), [WRITER]: writer }
    return await this.#client.ask({ method: 'PUT', key, headers, body, signal })
  }

  async putParts(
    write: ObjectWrite,
    first: Uint8Array,
    rest: AsyncIterator<{ readonly bytes: Uint8Array }>,
  ): Promise<Answer> {
    const { key, writer, what, signal } = write
    const upload = {
      client: this.#client,
      key,
      what: `${what} in parts`,
      headers: { [WRITER]: writer },
      condition: etagCondition(write),
      signal,
    }
    return await uploadParts(upload, first, rest)
  }

  list(listing: Listing): AsyncGenerator<StoredObject> {
    return listObjects(this.#client, listing)
  }

  versionOf(answer: Answer): string {
    return versionOf(answer)
  }

  onlyVersion(version: string | undefined): Pick<ObjectQuestion, 'headers'> {
    return { headers: onlyVersion(version) }
  }

  isNoBucket(answer: Answer): boolean {
    return codeOf(answer) === 'NoSuchBucket'
  }

  isNoObject(answer: Answer): boolean {
    return codeOf(answer) === 'NoSuchKey'
  }

  isOf(answer: Answer, writer: string): boolean {
    return headerOf(answer, WRITER) === writer
  }

  notWritten(answer: Answer): NotWritten {
    const { status } = answer
    const code = codeOf(answer)
    if (code === 'NoSuchUpload' || status === 409) return 'lost'
    if (status === 412 || (status === 404 && code === 'NoSuchKey')) return 'unmet'
    return status === 501 || status === 400 ? 'impossible' : 'refused'
  }

  /** Parts that were put together are told of in a document, others in a header. */
  writtenVersion(answer: Answer): string | null {
    const etag = headerOf(answer, 'etag') ?? textOf(documentOf(answer), 'ETag')
    return etag === null ? null : etag.replaceAll('"', '')
  }

  refusal(answer: Answer, what: string): StorageError {
    return this.#client.refusal(answer, what)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place.agent.destroy()
  }
}
