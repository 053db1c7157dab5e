import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeModel } from '../../../bench/write-model.mjs'
import { MINI } from '../../../test/support/mini.js'
import { packageRoot } from '../../../test/support/repository.js'
import { hashedCheckpoint } from '../../verify/hashed-checkpoint.js'
import { loadEncoder } from './load-encoder.js'
import { nativeAvailability } from './native/index.js'

interface Expected {
  readonly first8: readonly number[]
  readonly l2norm: number
  readonly top3: readonly (readonly [number, string, number])[]
  readonly nearest: readonly (readonly [string, number])[]
}
const photos: Record<string, Expected> = JSON.parse(
  await readFile(join(packageRoot, 'models/mini/expected.json'), 'utf8'),
).photos
const photo = (name: string) => join(packageRoot, 'examples/photos', name)
const engines = [
  ...(nativeAvailability().available ? (['native'] as const) : []),
  'wasm',
  'reference',
] as const

describe.each(engines)('the mini model on the %s engine', (engine) => {
  test('gives the embeddings and classes that Birder gives', async () => {
    using encoder = await loadEncoder(MINI, { engine })
    // The reference engine takes a second for each.
    const names = Object.keys(photos).slice(0, engine === 'reference' ? 2 : undefined)
    for await (const { source, features, error } of encoder.encodeAll(names.map(photo))) {
      if (error) throw error
      const { first8, l2norm, top3 } = photos[String(source).split('/').at(-1) ?? '']
      for (const [i, value] of first8.entries()) expect(features.embedding[i]).toBeCloseTo(value, 4)
      expect(Math.hypot(...features.embedding)).toBeCloseTo(l2norm, 4)
      const { logits } = features
      if (logits === undefined) throw new Error('the mini model gives no logits')
      expect(logits.indexOf(Math.max(...logits))).toBe(top3[0][0])
    }
  })
})

test.each(engines.filter((engine) => engine !== 'reference'))(
  'without a name it is the model in the package, with the embeddings that Birder gives, on the %s engine',
  async (engine) => {
    const expected: typeof photos = JSON.parse(
      await readFile(join(packageRoot, 'models/small/expected.json'), 'utf8'),
    ).photos
    using encoder = await loadEncoder(undefined, { engine })
    const { embedding } = await encoder.encode(photo('hat-1.jpg'))
    for (const [i, value] of expected['hat-1.jpg'].first8.entries())
      expect(embedding[i]).toBeCloseTo(value, 4)
    expect(Math.hypot(...embedding)).toBeCloseTo(expected['hat-1.jpg'].l2norm, 3)
  },
)

describe('what an encode gives', () => {
  test('tokens, layers and the map before the norm, each with its shape', async () => {
    using encoder = await loadEncoder(MINI)
    const features = await encoder.encode(photo('hat-1.jpg'), { preNorm: true, layers: [0, -1] })
    expect([encoder.width, encoder.registers, encoder.depth, encoder.patchSize, encoder.size]).toEqual([
      192,
      4,
      12,
      14,
      [112, 112],
    ])
    expect(features.patches.length).toBe(64 * 192)
    expect(features.registers.length).toBe(4 * 192)
    expect(features.preNorm?.length).toBe(64 * 192)
    expect([...features.layers.keys()]).toEqual([0, -1])
    expect(features.layers.get(-1)?.subarray(5 * 192)).toEqual(features.preNorm)
    expect(features.imageSize).toEqual([534, 400])
    expect(features.identity).toMatchObject({
      model: 'deit3_reg4_t14_tiny-imagenet',
      recipe: 'birder 112x112 exif-applied pillow-13',
    })
  })

  test('patch boxes tile the photo, edge to edge', async () => {
    using encoder = await loadEncoder(MINI)
    const { patchBox, grid, imageSize } = await encoder.encode(photo('hat-1.jpg'))
    expect(patchBox(0, 0)).toMatchObject({ top: 0, left: 0 })
    expect(patchBox(grid.rows - 1, grid.columns - 1).bottom).toBeCloseTo(imageSize[0], 9)
    expect(patchBox(grid.rows - 1, grid.columns - 1).right).toBeCloseTo(imageSize[1], 9)
    expect(patchBox(3, 2).right).toBeCloseTo(patchBox(3, 3).left, 9)
    expect(() => patchBox(8, 0)).toThrow(/no patch \(8, 0\) in a grid of 8 x 8/)
  })

  test('the native recipe keeps the aspect ratio, in whole patches', async () => {
    using encoder = await loadEncoder(MINI, { recipe: 'native', maxPatches: 100 })
    const { grid } = await encoder.encode(photo('hat-1.jpg'))
    expect(grid.rows).toBeGreaterThan(grid.columns)
    expect(grid.rows * grid.columns).toBeLessThanOrEqual(100)
  })

  test('another size is another grid; one that is no whole number of patches is refused with the nearest', async () => {
    using encoder = await loadEncoder(MINI, { size: [112, 168] })
    expect((await encoder.encode(photo('hat-1.jpg'))).grid).toEqual({ rows: 8, columns: 12 })
    await expect(loadEncoder(MINI, { size: 100 })).rejects.toThrow(/100 x 100 .* nearest size is 98 x 98/)
  })

  test('bytes, paths and decoded images give the same', async () => {
    using encoder = await loadEncoder(MINI)
    const bytes = await readFile(photo('hat-1.jpg'))
    expect((await encoder.encode(bytes)).embedding).toEqual(
      (await encoder.encode(photo('hat-1.jpg'))).embedding,
    )
    const grey = { height: 40, width: 40, data: new Uint8Array(4800).fill(128) }
    expect((await encoder.encode(grey)).embedding.every(Number.isFinite)).toBe(true)
  })

  test('one bad image is an error of its own', async () => {
    using encoder = await loadEncoder(MINI)
    const outcomes: (string | undefined)[] = []
    for await (const { error } of encoder.encodeAll([
      photo('hat-1.jpg'),
      new Uint8Array(),
      '/no/such.jpg',
      photo('hat-2.jpg'),
    ])) {
      outcomes.push(error?.name)
    }
    expect(outcomes).toEqual([undefined, 'ImageError', 'ImageError', undefined])
  })
})

describe('options that make no sense are named, at once', () => {
  test.each([
    [{ size: 0 }, /option size is \[0,0\]/],
    [{ size: Number.NaN }, /option size/],
    [{ size: [112] }, /option size is \[112\]/],
    [{ size: 1e9 }, /option size/],
    [{ recipe: 'nope' }, /option recipe is "nope"; it can be birder, /],
    [{ positions: 'nope' }, /option positions/],
    [{ engine: 'nope' }, /option engine/],
    [{ maxPatches: 0 }, /option maxPatches is 0/],
  ])('%j', async (options, message) => {
    await expect(loadEncoder(MINI, options as never)).rejects.toThrow(message)
  })

  test('in encodeAll and encode', async () => {
    using encoder = await loadEncoder(MINI)
    expect(() => encoder.encodeAll([], { batch: 0 })).toThrow(/option batch is 0/)
    expect(() => encoder.encodeAll([], { maxBytes: 0 })).toThrow(/option maxBytes is 0/)
    expect(() => encoder.encodeAll([], { layers: [12] })).toThrow(/no hidden layer 12/)
    await expect(encoder.encode(undefined as never)).rejects.toThrow(/An image is a path/)
    await expect(loadEncoder(5 as never)).rejects.toThrow(/got 5/)
  })
})

describe('ending', () => {
  test('an aborted signal ends loading and encoding with its reason', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(loadEncoder(MINI, { signal })).rejects.toThrow('enough')
    using encoder = await loadEncoder(MINI)
    await expect(encoder.encode(photo('hat-1.jpg'), { signal })).rejects.toThrow('enough')
  })

  test('after disposing, an encode says so', async () => {
    const encoder = await loadEncoder(MINI)
    encoder[Symbol.dispose]()
    await expect(encoder.encode(photo('hat-1.jpg'))).rejects.toMatchObject({
      name: 'EngineError',
      code: 'disposed',
    })
  })
})

describe('models that cannot be had', () => {
  test.each([
    ['vit_l14_dino', {}, 'HubError', /nearest|known/i],
    ['vit_reg4_s14_nps_ls_dino-v2-lvd142m', { offline: true }, 'HubError', /offline/i],
    ['/no/such/model.pt', {}, 'CheckpointError', /no such file/],
    [MINI, { engine: 'native', precision: 'float64' }, 'EngineError', /float32/],
    [MINI, { engine: 'wasm', precision: 'float64' }, 'EngineError', /float32/],
    [MINI, { engine: 'wasm', precision: 'high' }, 'EngineError', /no precision high/],
  ] as const)('%s with %j is a %s', async (model, options, name, message) => {
    await expect(loadEncoder(model, options)).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message),
    })
  })
})

describe.skipIf(process.platform !== 'linux' || !nativeAvailability().available)('memory', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plumage-memory-'))
    await writeModel(
      hashedCheckpoint('vit_reg4_b14_nps_ls', [224, 224], 'memory'),
      join(folder, 'vit_reg4_b14_nps_ls.safetensors'),
    )
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const resident = async () => Number((await readFile('/proc/self/statm', 'utf8')).split(' ')[1]) * 4096

  test('disposing gives the weights back to the system', async () => {
    const weights = 86_582_016 * 4
    const found = { taken: 0, givenBack: 0 }
    // What is collected meanwhile of what came before can only hide it.
    for (let attempt = 0; attempt < 5 && Math.min(found.taken, found.givenBack) < 0.9 * weights; attempt++) {
      const before = await resident()
      const encoder = await loadEncoder(join(folder, 'vit_reg4_b14_nps_ls.safetensors'))
      await encoder.encode(photo('hat-1.jpg'))
      const loaded = await resident()
      encoder[Symbol.dispose]()
      found.taken = loaded - before
      found.givenBack = loaded - (await resident())
    }
    expect(found.taken).toBeGreaterThan(0.9 * weights)
    expect(found.givenBack).toBeGreaterThan(0.9 * weights)
  })
})
