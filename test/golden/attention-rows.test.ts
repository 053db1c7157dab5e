/**
 * What the class token of the shipped networks looks at in photos, in every narrow precision on every path: each row, of every block and head, beside float32. Rows of
 * patches and registers in the last blocks are nearly a choice of few keys, and less exact: the promise of a precision for tokens is none for what they look at.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { recipeFor } from '../../src/encoder/choose-recipe.js'
import { createEncoder } from '../../src/encoder/create-encoder.js'
import type { AttentionMap } from '../../src/encoder/types.js'
import type { Engine } from '../../src/engine/engine.js'
import { cosineSimilarity } from '../../src/numerics/cosine-similarity.js'
import { decodeImage } from '../../src/platform/node/decode-image.js'
import { openVit } from '../../src/platform/node/open-vit.js'
import { NETWORK_VARIANTS } from '../support/engines.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'

const SMALL = join(packageRoot, 'models/small/vit_reg4_s14_nps_ls_tiny-imagenet.safetensors')
const PHOTOS = ['hat-1.jpg', 'shoes-1.jpg', 't-shirt-1.jpg', 'pants-2.jpg'].map((name) =>
  join(packageRoot, 'examples/photos', name),
)

const LOWEST = { float32: 0.999999, high: 0.999, float16: 0.999, bfloat16: 0.999, int8: 0.999 } as const
/** Where activations are multiplied in bytes the farthest row of a head is 0.988 on these photos: attention is refused there, unless it is asked for as it is. */
const LOWEST_IN_BYTES = 0.98

interface Rows {
  readonly rows: readonly Float32Array[]
  readonly exact: boolean
}

async function rowsOn(engine: Engine, path: string): Promise<Rows> {
  await using open = await openVit(path)
  const recipe = recipeFor(open.vit, {})
  await using encoder = await createEncoder({
    vit: open.vit,
    engine,
    recipe,
    decode: decodeImage,
    name: 'rows',
  })
  const layers = Array.from({ length: encoder.depth }, (_, layer) => layer)
  const rows: Float32Array[] = []
  for (const photo of PHOTOS) {
    const wanted = { layers, from: 'class', inexact: true } as const
    const { attention = [] } = await encoder.encode(photo, { attention: wanted })
    for (const map of attention) rows.push(...wholeRows(map))
  }
  return { rows, exact: encoder.attends.exact }
}

function wholeRows({
  headCount,
  rows,
  toClass,
  toRegisters,
  toPatches,
}: AttentionMap): readonly Float32Array[] {
  const count = headCount * rows.length
  return Array.from({ length: count }, (_, row) =>
    Float32Array.from(
      [toClass, toRegisters, toPatches].flatMap((part) => {
        const width = part.length / count
        return [...part.subarray(row * width, (row + 1) * width)]
      }),
    ),
  )
}

describe.each([
  ['the quick model', MINI],
  ['the shipped model', SMALL],
])('rows of %s', (_, path) => {
  let truth: Promise<Rows> | undefined
  afterAll(() => {
    truth = undefined
  })
  const first = NETWORK_VARIANTS.find(({ precision }) => precision === 'float32')
  test.each(
    NETWORK_VARIANTS.filter(({ name }) => existsSync(path) && !name.startsWith('webgpu')).map(
      (variant) => [variant.name, variant] as const,
    ),
  )('%s', async (_name, { precision, engine }) => {
    if (first === undefined) throw new Error('No engine computes in float32.')
    truth ??= first.engine().then((exact) => rowsOn(exact, path))
    const { rows: right } = await truth
    const { rows, exact } = await rowsOn(await engine(), path)
    const cosines = rows.map((row, at) => cosineSimilarity(row, right[at] ?? new Float32Array(row.length)))
    expect(rows.length).toBe(right.length)
    expect(Math.min(...cosines)).toBeGreaterThanOrEqual(exact ? LOWEST[precision] : LOWEST_IN_BYTES)
  })
})
