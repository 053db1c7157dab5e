/**
 * Says which version of an object an answer is of: its ETag, another for other bytes, and the same where the same bytes are written again. An object that no client has written, as
 * a file that was put into the folder of a server, has none: it is told by its time and size.
 */
import { type Answer, headerOf } from '../ask-once.js'

/** Begins what stands for an ETag; those are of hexadecimal digits. */
const BY_TIME = '~'

/** Gives '' where an answer tells of no object. */
export function versionOf(answer: Answer): string {
  const size = /\/(\d+)$/.exec(headerOf(answer, 'content-range') ?? '')?.[1]
  // What something between says in an object's place is answered by no S3 server.
  const isObject = headerOf(answer, 'x-amz-request-id') !== null
  return versionFrom(headerOf(answer, 'etag'), {
    modifiedMs: Date.parse((isObject ? headerOf(answer, 'last-modified') : null) ?? ''),
    size: Number(size ?? headerOf(answer, 'content-length')),
  })
}

/** Listings tell the time to the millisecond, and answers to the second. */
export function versionFrom(
  etag: string | null,
  { modifiedMs, size }: { readonly modifiedMs: number; readonly size: number },
): string {
  const tag = (etag ?? '').replaceAll('"', '')
  if (tag !== '' || Number.isNaN(modifiedMs)) return tag
  return `${BY_TIME}${Math.floor(modifiedMs / 1000)}-${size}`
}

/** Gives the header that asks for this version alone; of one without an ETag no server can be asked for that. */
export function onlyVersion(version: string | undefined): Record<string, string> {
  return version === undefined || version.startsWith(BY_TIME) ? {} : { 'if-match': `"${version}"` }
}
