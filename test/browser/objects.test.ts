/** Has the page look for objects as it does, in a photo whose box is known; it needs no browser. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { objectIn } from '../../web/src/object-in.js'
import { objectFacets, objectMap } from '../../web/src/object-map.js'
import { packageRoot } from '../support/repository.js'

test('both shoes of a pair stand out, by the keys of the model in the package', async () => {
  // Medium detail is 16 places a side.
  await using encoder = await loadEncoder('small', { size: 224 })
  const photo = join(packageRoot, 'examples/photos/shoes-2.jpg')
  const features = await encoder.encode(photo, { facets: objectFacets(encoder) })
  const found = await objectIn(objectMap(features))
  if (found === null) throw new Error('Nothing stands out.')
  const { top, left } = features.patchBox(found.box.top, found.box.left)
  const { bottom, right } = features.patchBox(found.box.bottom - 1, found.box.right - 1)
  // A person drew the box from (30, 82) to (382, 523).
  const both = (Math.min(right, 382) - Math.max(left, 30)) * (Math.min(bottom, 523) - Math.max(top, 82))
  const either = (right - left) * (bottom - top) + 352 * 441 - both
  expect(both / either).toBeGreaterThan(0.8)
})

test('a network of which more is found in patches has these', async () => {
  const identity = { model: 'deit3_t16' } as Parameters<typeof objectFacets>[0]['identity']
  expect(objectFacets({ identity, depth: 12 })).toEqual([])
  const patches = new Float32Array(4)
  const features = { patches, grid: { rows: 2, columns: 1 } } as Parameters<typeof objectMap>[0]
  expect(objectMap(features)).toEqual({ facet: 'patches', patches, grid: { rows: 2, columns: 1 } })
})
