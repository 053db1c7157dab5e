/**
 * Finds an object as LOST does (Siméoni et al. 2021, "Localizing Objects with Self-Supervised Transformers and no Labels"): the patch that is like the fewest others
 * is the seed, the patches of the fewest that are like it expand it, and what is like all of these and hangs together with the seed is the object.
 */
const { connectedParts } = await import(new URL('../dist/numerics/connected-parts.js', import.meta.url).href)

/** As in the paper. */
const MOST_EXPANDING = 100

/** Gives the box, in patches. Similarities are products, as in the paper, and not cosines. @param centred has the mean of the patches subtracted first */
export async function foundByLost({ patches: given, grid: { rows, columns } }, products, centred) {
  const count = rows * columns
  const patches = centred ? lessMean(given, count) : given
  const alike = await products.similarity(patches, patches, patches.length / count, {})
  const degrees = Array.from({ length: count }, (_, i) =>
    alike.subarray(i * count, (i + 1) * count).reduce((sum, one) => sum + (one >= 0 ? 1 : 0), 0),
  )
  const order = degrees.map((_, patch) => patch).sort((a, b) => degrees[a] - degrees[b])
  const [seed] = order
  const expanding = order.slice(0, MOST_EXPANDING).filter((patch) => alike[seed * count + patch] >= 0)
  const mask = Uint8Array.from({ length: count }, (_, patch) =>
    expanding.reduce((sum, one) => sum + alike[one * count + patch], 0) >= 0 ? 1 : 0,
  )
  const { part } = connectedParts(mask, columns)
  const box = { top: rows, left: columns, bottom: 0, right: 0 }
  for (const [patch, own] of part.entries()) {
    if (own !== part[seed] || own === 0) continue
    const [row, column] = [Math.floor(patch / columns), patch % columns]
    box.top = Math.min(box.top, row)
    box.left = Math.min(box.left, column)
    box.bottom = Math.max(box.bottom, row + 1)
    box.right = Math.max(box.right, column + 1)
  }
  return box
}

function lessMean(patches, count) {
  const width = patches.length / count
  const mean = new Float64Array(width)
  for (const [at, value] of patches.entries()) mean[at % width] += value / count
  return patches.map((value, at) => value - mean[at % width])
}
