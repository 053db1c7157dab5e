/** Finds what stands out of a photo, off the page's thread: every patch is compared with every other. */
import { type FoundObject, findObject, type PatchMap } from 'plumage'

export interface ObjectRequest extends PatchMap {
  readonly id: number
}

export interface ObjectAnswer {
  readonly id: number
  /** Is null where nothing stands out. */
  readonly object: FoundObject | null
}

const scope = self as unknown as DedicatedWorkerGlobalScope
scope.onmessage = ({ data: { id, patches, grid } }: MessageEvent<ObjectRequest>) => {
  const object = grid.rows * grid.columns < 2 ? null : findObject({ patches, grid })
  scope.postMessage({ id, object } satisfies ObjectAnswer)
}
