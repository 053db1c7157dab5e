/** Says within which limits an image is fetched from an address, for those who fetch none: what fetches is loaded with the first address. */
import { DEFAULT_MAX_FILE_BYTES } from '../../image/decodable.js'
import type { StreamOptions } from './read-stream.js'

export interface FetchImageOptions extends StreamOptions {
  /** Refuses every address of the network. */
  readonly offline: boolean
  readonly allowPrivateAddresses: boolean
  /** Bounds the time from the question to the last byte, in milliseconds. */
  readonly fetchTimeoutMs: number
}

export const FETCH_DEFAULTS = {
  maxFileBytes: DEFAULT_MAX_FILE_BYTES,
  offline: false,
  allowPrivateAddresses: false,
  fetchTimeoutMs: 60_000,
} as const

/** Leaves out what may be secret: name, password and query. */
export function labelOf(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`
}
