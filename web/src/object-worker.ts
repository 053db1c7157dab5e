/**
 * Finds what stands out of a photo, off the page's thread: every patch is compared with every other, and they are cut in two (TokenCut, Wang et al. 2022). The
 * method takes the side of the patch that stands out most; here, what lies at the edges of photos is taken for the background, as for colours.
 */
import { type FoundObject, findObject, largestPart, type PatchMap } from 'plumage'
import { isAtEdge } from './at-edge.js'

export interface ObjectRequest extends PatchMap {
  readonly id: number
}

export interface ObjectAnswer {
  readonly id: number
  /** Is null where nothing stands out. */
  readonly object: FoundObject | null
}

/** All patches of a photo have much in common; without it, those that are joined are more alike than most. */
const CUT = { centred: true, tau: 0.1 }

const scope = self as unknown as DedicatedWorkerGlobalScope
scope.onmessage = async ({ data: { id, patches, grid } }: MessageEvent<ObjectRequest>) => {
  const found = grid.rows * grid.columns < 2 ? null : await findObject({ patches, grid }, CUT)
  scope.postMessage({ id, object: found === null ? null : inFront(found, grid) } satisfies ObjectAnswer)
}

/** Gives the largest part of the rest where what was found lies more at the edges than elsewhere; null where there is no such part. */
function inFront(found: FoundObject, grid: PatchMap['grid']): FoundObject | null {
  const share = (isCounted: (patch: number) => boolean) => {
    const counted = [...found.mask].filter((_, patch) => isCounted(patch))
    return counted.reduce((sum, one) => sum + one, 0) / counted.length
  }
  if (share((patch) => isAtEdge(patch, grid)) <= share(() => true)) return found
  const part = largestPart(
    found.mask.map((one) => 1 - one),
    grid.columns,
  )
  return part && { ...part, score: found.score }
}
