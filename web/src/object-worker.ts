/** Finds what stands out of photos off the page's thread. */
import type { FoundObject } from 'plumage'
import { objectIn } from './object-in.js'
import type { ObjectMap } from './object-map.js'

export interface ObjectRequest extends ObjectMap {
  readonly id: number
}

export interface ObjectAnswer {
  readonly id: number
  /** Is null where nothing stands out. */
  readonly object: FoundObject | null
}

const scope = self as unknown as DedicatedWorkerGlobalScope
scope.onmessage = async ({ data: { id, ...map } }: MessageEvent<ObjectRequest>) => {
  scope.postMessage({ id, object: await objectIn(map) } satisfies ObjectAnswer)
}
