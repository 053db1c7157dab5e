/** Is a container of Azure's storage: what its headers, codes and blocks mean. */

import { atOnce } from '../../../../at-once.js'
import type { StoredObject } from '../../../../storage/storage.js'
import type { StorageError } from '../../../../storage/storage-error.js'
import { type Answer, headerOf } from '../ask-once.js'
import { documentOf } from '../objects/document.js'
import { etagCondition } from '../objects/etags.js'
import { numberedParts } from '../objects/numbered-parts.js'
import type {
  Listing,
  NotWritten,
  ObjectQuestion,
  ObjectServer,
  ObjectWrite,
} from '../objects/object-server.js'
import { elementsOf, textOf } from '../objects/xml.js'
import { AzureClient, type AzurePlace, azureCodeOf } from './azure-client.js'

/** Names of such headers are those of variables in C#. */
const WRITER = 'x-ms-meta-plumage_writer'
const BLOCKS_AT_ONCE = 3
const MOST_BLOCKS = 50_000

export class AzureServer implements ObjectServer {
  readonly address: string
  readonly #client: AzureClient
  readonly #place: AzurePlace

  constructor(place: AzurePlace) {
    this.#place = place
    this.#client = new AzureClient(place)
    this.address = `az://${place.container}`
  }

  async ask(question: ObjectQuestion): Promise<Answer> {
    return await this.#client.ask(question)
  }

  async put(write: ObjectWrite, body: Uint8Array): Promise<Answer> {
    const { key, writer, signal } = write
    const headers = { ...etagCondition(write), 'x-ms-blob-type': 'BlockBlob', [WRITER]: writer }
    return await this.#client.ask({ method: 'PUT', key, headers, body, signal })
  }

  /** Blocks that are not put together are gone after a week, or as soon as somebody writes that blob. */
  async putParts(
    write: ObjectWrite,
    first: Uint8Array,
    rest: AsyncIterator<{ readonly bytes: Uint8Array }>,
  ): Promise<Answer> {
    const { key, writer, what, signal } = write
    const names: string[] = []
    let lost: Answer | null = null
    const parts = numberedParts(first, rest, { what, most: MOST_BLOCKS, isOver: () => lost !== null })
    await atOnce(parts, BLOCKS_AT_ONCE, async ({ number, bytes }) => {
      // Another writer of the same key has blocks of its own.
      const name = Buffer.from(`${writer} ${String(number).padStart(6, '0')}`).toString('base64')
      const query = { comp: 'block', blockid: name }
      const answer = await this.#client.ask({ method: 'PUT', key, query, body: bytes, signal })
      if (this.notWritten(answer) === 'lost') lost = answer
      else if (answer.status >= 300) throw this.#client.refusal(answer, what)
      else names[number - 1] = name
    })
    if (lost !== null) return lost
    const blocks = names.map((name) => `<Latest>${name}</Latest>`).join('')
    return await this.#client.ask({
      method: 'PUT',
      key,
      query: { comp: 'blocklist' },
      headers: { ...etagCondition(write), [WRITER]: writer },
      body: Buffer.from(`<?xml version="1.0" encoding="utf-8"?><BlockList>${blocks}</BlockList>`),
      isSlow: true,
      signal,
    })
  }

  /** A page says where the next one begins, and nothing else does, so that pages are asked for one after the other. */
  async *list({ prefix, what, signal }: Listing): AsyncGenerator<StoredObject> {
    let marker = ''
    do {
      const answer = await this.#client.ask({
        method: 'GET',
        key: '',
        query: { restype: 'container', comp: 'list', prefix, ...(marker === '' ? {} : { marker }) },
        // A page that was cut on the way would look like the last one.
        mustHold: '</EnumerationResults>',
        signal,
      })
      if (answer.status >= 300) throw this.#client.refusal(answer, what)
      const xml = documentOf(answer)
      marker = textOf(xml, 'NextMarker') ?? ''
      yield* elementsOf(xml, 'Blob').map(objectOf)
    } while (marker !== '')
  }

  versionOf(answer: Answer): string {
    // A proxy that answers in the place of Azure's server has no such header.
    if (headerOf(answer, 'x-ms-request-id') === null) return ''
    return (headerOf(answer, 'etag') ?? '').replaceAll('"', '')
  }

  onlyVersion(version: string | undefined): Pick<ObjectQuestion, 'headers'> {
    return version === undefined ? {} : { headers: { 'if-match': `"${version}"` } }
  }

  isNoBucket(answer: Answer): boolean {
    return azureCodeOf(answer) === 'ContainerNotFound'
  }

  isNoObject(answer: Answer): boolean {
    return azureCodeOf(answer) === 'BlobNotFound'
  }

  isOf(answer: Answer, writer: string): boolean {
    return headerOf(answer, WRITER) === writer
  }

  notWritten(answer: Answer): NotWritten {
    const code = azureCodeOf(answer)
    if (code === 'InvalidBlockList' || code === 'InvalidBlobOrBlock') return 'lost'
    if (answer.status === 412 || code === 'BlobAlreadyExists' || code === 'BlobNotFound') return 'unmet'
    return answer.status === 501 || code === 'ConditionHeadersNotSupported' ? 'impossible' : 'refused'
  }

  writtenVersion(answer: Answer): string | null {
    return this.versionOf(answer) || null
  }

  refusal(answer: Answer, what: string): StorageError {
    return this.#client.refusal(answer, what)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place.agent.destroy()
  }
}

function objectOf(xml: string): StoredObject {
  return {
    key: textOf(xml, 'Name') ?? '',
    size: Number(textOf(xml, 'Content-Length')),
    version: (textOf(xml, 'Etag') ?? '').replaceAll('"', ''),
    modifiedMs: Date.parse(textOf(xml, 'Last-Modified') ?? ''),
  }
}
