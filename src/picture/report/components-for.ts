/** Decides how much is kept of each patch, so that a report of many photos stays small. */

/** More components than that cost more than they find. */
const MOST_COMPONENTS = 32
/** With fewer the nearest patches are hardly those of the full features. */
const FEWEST_COMPONENTS = 8
const CODE_BYTES = 90_000

/** Says how many components are kept of each patch, so that those of one photo fit into 90 kB. Throws RangeError where too few do. */
export function componentsFor(largestGrid: number): number {
  const affordable = Math.min(MOST_COMPONENTS, Math.floor(CODE_BYTES / largestGrid))
  if (affordable >= FEWEST_COMPONENTS) return affordable
  throw new RangeError(
    `A photo has ${largestGrid} patches, and a report takes at most ${Math.floor(CODE_BYTES / FEWEST_COMPONENTS)} of each photo. Choose a smaller size.`,
  )
}
