/** Decides how much is kept of each patch, so that a report of many photos stays small. */

/** More components than that cost more than they find. */
const MOST_COMPONENTS = 32
/** With fewer the nearest patches are hardly those of the full features. */
const FEWEST_COMPONENTS = 8
/** A colour and a group are kept of each patch as well. */
const OTHER_BYTES = 5
/** What is kept of one photo's patches takes so many bytes at most, beside its picture. */
const MOST_PATCH_BYTES = 95_000

/** Says how many components are kept of each patch. Throws RangeError where that would be too few. */
export function componentsFor(largestGrid: number): number {
  const affordable = Math.floor(MOST_PATCH_BYTES / largestGrid) - OTHER_BYTES
  if (affordable >= FEWEST_COMPONENTS) return Math.min(MOST_COMPONENTS, affordable)
  const most = Math.floor(MOST_PATCH_BYTES / (FEWEST_COMPONENTS + OTHER_BYTES))
  throw new RangeError(
    `A photo has ${largestGrid} patches, and a report takes at most ${most} of each photo. Choose a smaller size.`,
  )
}
