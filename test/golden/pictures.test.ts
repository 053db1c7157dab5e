/** Colours of patches are Birder's own, and those that scikit-learn gives by the published recipes: make-colors.py says which. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js'
import { largestDifference } from '../../src/numerics/largest-difference.js'
import { fitPatchColors, patchColorValues } from '../../src/picture/patch-colors.js'
import { createProducts } from '../../src/platform/node/create-products.js'
import { openFile } from '../../src/platform/node/open-file.js'
import { toFloat32 } from '../../src/tensor/tensor.js'

const folder = new URL('./pictures/', import.meta.url)
const byScikit: Readonly<Record<string, { readonly dinov2: number[]; readonly dinov3: number[] }>> =
  JSON.parse(readFileSync(new URL('colors.expected.json', folder), 'utf8'))
/** The tolerances that came with the cases, by their distance from the same in float64. */
const CASES = [
  ['pca-vit-cls', 'plain', 1e-5],
  ['pca-vit-cls', 'normalized', 2e-5],
  ['pca-vit-reg4-nps-ls', 'plain', 3e-5],
  ['pca-vit-reg4-nps-ls', 'normalized', 3e-5],
] as const

async function tensorsOf(name: string, variant: string) {
  const checkpoint = await openCheckpoint(
    await openFile(new URL(`${name}.expected.safetensors`, folder).pathname),
  )
  const read = async (tensor: string) => {
    const found = await checkpoint.read(`${variant}.${tensor}`)
    return { values: toFloat32(found), shape: found.shape }
  }
  const [features, expected] = [await read('features'), await read('raw_output')]
  const [rows = 0, columns = 0] = expected.shape
  return { map: { patches: features.values, grid: { rows, columns } }, expected: expected.values }
}

test.each(CASES)('%s, %s: Birder gives these colours', async (name, variant, tolerance) => {
  await using products = createProducts()
  const { map, expected } = await tensorsOf(name, variant)
  for (const way of [undefined, products]) {
    const colors = await fitPatchColors([map], { method: 'birder', products: way })
    expect(largestDifference(patchColorValues(map, colors), expected)).toBeLessThanOrEqual(tolerance)
  }
})

test.each(Object.keys(byScikit))('%s: scikit-learn gives these colours by the recipes', async (name) => {
  await using products = createProducts()
  const { map } = await tensorsOf(name, 'plain')
  for (const way of [undefined, products]) {
    for (const method of ['dinov2', 'dinov3'] as const) {
      const colors = await fitPatchColors([map], { method, products: way, foreground: null })
      const difference = largestDifference(patchColorValues(map, colors), byScikit[name]?.[method] ?? [])
      expect(difference).toBeLessThanOrEqual(2e-5)
    }
  }
})
