/** Holds timm's pooling by attention behind RMS norms, which no library publishes a network with, to what timm gives (timm-map/make.py). */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Network } from '../../src/encoder/network.js'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import { largestDifference } from '../../src/numerics/largest-difference.js'
import { openFile } from '../../src/platform/node/open-file.js'
import { openVit } from '../../src/platform/node/open-vit.js'
import { readTensors } from '../../src/verify/case.js'
import { ENGINE_VARIANTS } from '../support/engines.js'

const FOLDER = join(import.meta.dirname, 'timm-map')
/** Is sixteen times the float32 noise of a network of this depth and width, as for the goldens of families. */
const ATOL = 1e-5

const exact = ENGINE_VARIANTS.filter(
  ({ name, precision }) => precision === 'float32' && !name.startsWith('webgpu'),
)

test.each([
  ['reference', async () => createReferenceEngine()] as const,
  ...exact.map(({ name, engine }) => [name, engine] as const),
])('on %s', async (_, makeEngine) => {
  const expected = await readTensors(await openFile(join(FOLDER, 'expected.safetensors')), [
    'pixels',
    'embedding',
  ])
  await using open = await openVit(join(FOLDER, 'model.safetensors'), {})
  expect(open.vit.config).toMatchObject({
    norm: 'rmsNorm',
    pooling: { kind: 'attention', hidden: 32, norm: 'rmsNorm', activation: 'silu' },
  })
  const engine = await makeEngine()
  using network = await Network.load(open.vit, engine)
  const grid = { rows: 4, columns: 4 }
  const slot = network.planFor(grid).slots.embedding
  const values = await network.run(expected.get('pixels') ?? new Float32Array(), {
    grid,
    outputs: [slot],
    batch: 2,
  })
  const embedding = values.get(slot) ?? new Float32Array()
  expect(largestDifference(embedding, expected.get('embedding') ?? new Float32Array())).toBeLessThan(ATOL)
})
