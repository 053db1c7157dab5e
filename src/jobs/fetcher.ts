/** Brings the bytes of images, wherever they lie; what can do so on a platform is handed in. */
import type { Place, RowFailure } from './row.js'

/** Brings the bytes of images. */
export interface Fetcher {
  /** Gives the bytes of a file as it lies there, or the reason why there are none. Throws the signal's reason alone. */
  fetch(place: Place, signal: AbortSignal): Promise<Uint8Array | RowFailure>
}
