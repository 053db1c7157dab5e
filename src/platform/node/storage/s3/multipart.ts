/** Writes one object in parts. It appears when its server has put them together, on the condition that holds then; what fails leaves nothing behind. */
import { atOnce } from '../../../../at-once.js'
import { type Answer, headerOf } from '../ask-once.js'
import { codeOf, documentOf } from '../objects/document.js'
import { numberedParts } from '../objects/numbered-parts.js'
import { escaped, textOf } from '../objects/xml.js'
import type { S3Client } from './s3-client.js'

const PARTS_AT_ONCE = 3
const MOST_PARTS = 10_000

export interface Multipart {
  readonly client: S3Client
  readonly key: string
  /** Begins messages. */
  readonly what: string
  /** Goes with the object. */
  readonly headers: Readonly<Record<string, string>>
  /** Is judged when the parts are put together. */
  readonly condition: Readonly<Record<string, string>>
  readonly signal: AbortSignal | undefined
}

/** Gives the answer to putting the parts together, or to the part for which the upload was lost. Throws `StorageError`, what `rest` throws, and the signal's reason. */
export async function uploadParts(
  upload: Multipart,
  first: Uint8Array,
  rest: AsyncIterator<{ readonly bytes: Uint8Array }>,
): Promise<Answer> {
  const { client, key, what, headers, signal } = upload
  const begun = await client.ask({ method: 'POST', key, query: { uploads: '' }, headers, signal })
  const id = textOf(documentOf(begun), 'UploadId')
  if (begun.status >= 300 || id === null) throw client.refusal(begun, what)
  let isThere = false
  try {
    const answer = await sendAll(upload, id, first, rest)
    isThere = answer.status < 300 || codeOf(answer) === 'NoSuchUpload'
    return answer
  } finally {
    // What cannot be taken away now a rule of the bucket takes later; that it failed is told by what failed before.
    if (!isThere)
      await client.ask({ method: 'DELETE', key, query: { uploadId: id }, patienceMs: 5000 }).catch(() => {})
  }
}

async function sendAll(
  upload: Multipart,
  id: string,
  first: Uint8Array,
  rest: AsyncIterator<{ readonly bytes: Uint8Array }>,
): Promise<Answer> {
  const { client, key, what, condition, signal } = upload
  const etags: string[] = []
  let lost: Answer | null = null
  await atOnce(
    numberedParts(first, rest, { what, most: MOST_PARTS, isOver: () => lost !== null }),
    PARTS_AT_ONCE,
    async ({ number, bytes }) => {
      const query = { partNumber: String(number), uploadId: id }
      const answer = await client.ask({ method: 'PUT', key, query, body: bytes, signal })
      const etag = headerOf(answer, 'etag')
      if (codeOf(answer) === 'NoSuchUpload') lost = answer
      else if (answer.status >= 300 || etag === null) throw client.refusal(answer, what)
      else etags[number - 1] = etag
    },
  )
  if (lost !== null) return lost
  const parts = etags.map(
    (etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${escaped(etag)}</ETag></Part>`,
  )
  return await client.ask({
    method: 'POST',
    key,
    query: { uploadId: id },
    headers: { ...condition, 'content-type': 'application/xml' },
    body: Buffer.from(
      `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join('')}</CompleteMultipartUpload>`,
    ),
    mustHold: '</CompleteMultipartUploadResult>',
    isSlow: true,
    signal,
  })
}
