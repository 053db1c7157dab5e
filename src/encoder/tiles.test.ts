/** Tiles give the numbers of an untiled map where one tile holds the image, pass into each other elsewhere, and refuse by name what they cannot give. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MINI } from '../../test/support/mini.js'
import { loadEncoder } from '../platform/node/load-encoder.js'
import { tiledIdentity } from './identity-with.js'
import { cutAlong, settleTiles } from './tiles.js'
import type { EncodeOptions, TiledChoice, TiledFeatures } from './types.js'

const PATCH = 14

function photo(height: number, width: number, seed = 1) {
  const data = Uint8Array.from(
    { length: height * width * 3 },
    (_, i) => (seed * i * 31 + 7 * (i % 113) + (i >> 7)) % 256,
  )
  return { height, width, data }
}

let encoder: Awaited<ReturnType<typeof loadEncoder>>
beforeAll(async () => {
  encoder = await loadEncoder(MINI, { engine: 'wasm', scale: 1 })
})
afterAll(async () => await encoder[Symbol.asyncDispose]())

describe('cuts', () => {
  const sides = fc
    .record({ side: fc.integer({ min: 1, max: 90 }), tile: fc.integer({ min: 1, max: 30 }) })
    .chain((sizes) => fc.record({ sizes: fc.constant(sizes), overlap: fc.nat(sizes.tile - 1) }))

  test.each(['feathered', 'cut'] as const)(
    'of any side leave no patch out, and %s weights sum to 1',
    (blend) => {
      fc.assert(
        fc.property(sides, ({ sizes: { side, tile }, overlap }) => {
          const { length, starts, weights } = cutAlong(side, tile, overlap, blend)
          expect(length).toBe(Math.min(side, tile))
          expect([starts[0], starts.at(-1)]).toEqual([0, side - length])
          for (const [i, start] of starts.entries())
            if (i > 0) expect((starts[i - 1] ?? 0) + length - start).toBeGreaterThanOrEqual(overlap)
          const sums = new Float64Array(side)
          for (const [i, start] of starts.entries())
            for (const [j, weight] of weights[i]?.entries() ?? [])
              sums[start + j] = (sums[start + j] ?? 0) + weight
          for (const sum of sums) expect(sum).toBeCloseTo(1, 6)
        }),
      )
    },
  )

  test('feathered weights fall towards the neighbour alone, and a patch of one tile counts fully', () => {
    const { starts, weights } = cutAlong(10, 6, 2, 'feathered')
    expect(starts).toEqual([0, 4])
    expect(weights.map((own) => [...own].map((w) => Number(w.toFixed(3))))).toEqual([
      [1, 1, 1, 1, 0.667, 0.333],
      [0.333, 0.667, 1, 1, 1, 1],
    ])
  })
})

describe('a tiled map', () => {
  const tiled = async (
    height: number,
    width: number,
    tiles: TiledChoice['tiles'],
    more: EncodeOptions = {},
  ) => await encoder.encode(photo(height, width), { ...more, tiles })

  test('of a photo that a tile holds has the numbers of the untiled one, to the bit', async () => {
    const whole = await encoder.encode(photo(42, 70), { preNorm: true })
    for (const size of [70, [42, 98] as const, 700]) {
      const one = await tiled(42, 70, { size, overlap: 14 }, { preNorm: true })
      expect(one.patches).toEqual(whole.patches)
      expect(one.preNorm).toEqual(whole.preNorm)
      expect(one.grid).toEqual(whole.grid)
      expect(one.tiles).toEqual({ size: [42, 70], rows: 1, columns: 1 })
      expect(one.patchBox(2, 4)).toEqual(whole.patchBox(2, 4))
      expect('embedding' in one).toBe(false)
    }
  })

  test('has the numbers of each tile alone where no other has seen the patch', async () => {
    const given = photo(42, 98)
    const cutOut = (left: number) => {
      const data = new Uint8Array(42 * 42 * 3)
      for (let y = 0; y < 42; y++)
        data.set(given.data.subarray((y * 98 + left) * 3, (y * 98 + left + 42) * 3), y * 42 * 3)
      return { height: 42, width: 42, data }
    }
    const map = await encoder.encode(given, { tiles: { size: 42, overlap: 0, blend: 'cut' } })
    expect(map.tiles).toEqual({ size: [42, 42], rows: 1, columns: 3 })
    // 7 patches in tiles of 3 begin at 0, 2 and 4: the third column is seen by two, and is nearer to the first.
    const [first, last] = await Promise.all([0, 56].map(async (left) => await encoder.encode(cutOut(left))))
    const { width } = encoder
    const rowOf = (values: Float32Array | Uint16Array | undefined, patch: number) =>
      values?.subarray(patch * width, (patch + 1) * width)
    for (let row = 0; row < 3; row++) {
      expect(rowOf(map.patches, row * 7)).toEqual(rowOf(first?.patches, row * 3))
      expect(rowOf(map.patches, row * 7 + 6)).toEqual(rowOf(last?.patches, row * 3 + 2))
    }
  })

  test('is the mean of its tiles by their weights, whatever the batch and the odd sizes', async () => {
    // 5 x 7 patches: a side of 77 and of 99 goes to the nearest multiple of the patch.
    const map = await tiled(73, 99, { size: [42, 56], overlap: 14 })
    expect(map.grid).toEqual({ rows: 5, columns: 7 })
    expect(map.tiles).toEqual({ size: [42, 56], rows: 2, columns: 2 })
    const cut = await tiled(73, 99, { size: [42, 56], overlap: 14, blend: 'cut' })
    const { width } = encoder
    const differs = Array.from({ length: 35 }, (_, patch) => {
      const [a, b] = [map, cut].map(({ patches }) => patches.subarray(patch * width, (patch + 1) * width))
      return a?.some((value, i) => value !== b?.[i]) ?? true
    })
    const [down, across] = [cutAlong(5, 3, 1, 'feathered'), cutAlong(7, 4, 1, 'feathered')]
    const shared = ({ starts, length }: typeof down, at: number) =>
      starts.filter((start) => at >= start && at < start + length).length > 1
    expect(differs).toEqual(
      Array.from({ length: 35 }, (_, p) => shared(down, Math.floor(p / 7)) || shared(across, p % 7)),
    )
    expect(map.identity.digest).not.toBe(cut.identity.digest)
  })

  test('can be kept in halves, or as where patches lie along directions', async () => {
    const tiles = { size: 42, overlap: 14 }
    const [full, half] = [await tiled(70, 70, tiles), await tiled(70, 70, { ...tiles, keep: 'float16' })]
    expect(half.patches).toBeInstanceOf(Uint16Array)
    const band = half.band(1, 3)
    expect(band.grid).toEqual({ rows: 2, columns: 5 })
    const own = full.band(1, 3).patches
    for (const [i, value] of band.patches.entries())
      expect(Math.abs(value - (own[i] ?? 0))).toBeLessThanOrEqual(Math.abs(own[i] ?? 0) * 2 ** -11 + 2 ** -25)
    const { width } = encoder
    const mean = new Float64Array(width).fill(0.5)
    const components = Float64Array.from({ length: 2 * width }, (_, i) => ((i * 37) % 11) / 11)
    const along = await tiled(70, 70, { ...tiles, keep: { mean, components } })
    expect([along.patchWidth, along.patches.length]).toEqual([2, 50])
    const expected = [0, 1].map((k) =>
      full
        .band(0, 1)
        .patches.subarray(0, width)
        .reduce((sum, v, i) => sum + (v - 0.5) * (components[k * width + i] ?? 0), 0),
    )
    expect(along.patches[0]).toBeCloseTo(expected[0] ?? 0, 3)
    expect(along.patches[1]).toBeCloseTo(expected[1] ?? 0, 3)
    const digests = [full, half, along].map(({ identity }) => identity.digest)
    expect(new Set([...digests, encoder.identity.digest]).size).toBe(4)
  })

  test('has the identity that is told before', async () => {
    const tiles = { size: 42, overlap: 14 }
    const map = await tiled(70, 70, tiles)
    expect(map.identity).toEqual(tiledIdentity(encoder.identity, settleTiles(tiles, encoder)))
  })

  test('ends by its signal between two runs', async () => {
    const abort = new AbortController()
    const onProgress = (stage: string) => {
      if (stage === 'computing') setTimeout(() => abort.abort(new Error('enough')), 5)
    }
    await expect(
      tiled(280, 280, { size: 28, overlap: 14 }, { signal: abort.signal, onProgress }),
    ).rejects.toThrow('enough')
  })

  test('of many images comes with encodeAll, and one that is too large fails alone', async () => {
    const maxBytes = 25 * encoder.width * 4
    const found: (TiledFeatures | Error)[] = []
    const given = [photo(70, 70), photo(84, 70), photo(28, 28)]
    for await (const { features, error } of encoder.encodeAll(given, { tiles: { size: 42, maxBytes } }))
      found.push(features ?? error)
    expect(found.map((one) => one instanceof Error)).toEqual([false, true, false])
    expect(String(found[1])).toMatch(/84 x 70 pixels, 6 x 5 patches, takes .* MiB/)
  })

  test('has more tokens than an image may have, and a tile has not', async () => {
    await using few = await loadEncoder(MINI, { engine: 'wasm', scale: 1, maxTokens: 20 })
    const given = photo(84, 84)
    await expect(few.encode(given)).rejects.toThrow(/36 patches/)
    expect((await few.encode(given, { tiles: { size: 42 } })).grid).toEqual({ rows: 6, columns: 6 })
    await expect(few.encode(given, { tiles: { size: 84 } })).rejects.toThrow(/tokens/)
  })

  test('gives bands of what there is', async () => {
    const map = await tiled(42, 42, { size: 42 })
    expect(() => map.band(0, 4)).toThrow(/no rows 0 to 4 in a grid of 3 x 3/)
    expect(() => map.band(0, 1, 'preNorm')).toThrow(/preNorm/)
  })
})

describe('what is no tiling is refused', () => {
  test.each([
    [{ size: 40 }, /tiles.size is 40; .*whole patches of 14/],
    [{ size: 0 }, /tiles.size is 0/],
    [{ size: [42] }, /tiles.size is \[42\]/],
    [{ size: 42, overlap: 42 }, /tiles.overlap is 42; it must be less than 42/],
    [{ size: 42, overlap: 56 }, /tiles.overlap is 56; it must be less than 42/],
    [{ size: 42, overlap: 7 }, /tiles.overlap is 7/],
    [{ size: 42, overlap: -14 }, /tiles.overlap is -14/],
    [{ blend: 'soft' }, /tiles.blend/],
    [{ keep: 'int8' }, /tiles.keep/],
    [{ keep: { mean: new Float64Array(3), components: new Float64Array(3) } }, /tiles.keep has a mean of 3/],
    [{ sise: 42 }, /size/],
  ])('%o', async (tiles, reason) => {
    await expect(encoder.encode(photo(42, 42), { tiles: tiles as object })).rejects.toThrow(reason)
  })

  test.each([
    [{ attention: {} }, /attention/],
    [{ facets: [{ layer: -1, of: 'k' }] }, /facets/],
    [{ layers: [0] }, /layers/],
    [{ tta: true }, /tta/],
    [{ stride: PATCH / 2 }, /stride/],
    [{ preNorm: true, tiles: { keep: { mean: [], components: [] } } }, /preNorm/],
  ])('%o beside tiles', async (more, reason) => {
    const options = { tiles: {}, ...more } as unknown as TiledChoice
    await expect(encoder.encode(photo(42, 42), options)).rejects.toThrow(reason)
  })

  test('and so are parts of the size that every image is brought to, of which the rule of positions is not told', async () => {
    await using fixed = await loadEncoder(MINI, { engine: 'wasm' })
    await expect(fixed.encode(photo(70, 70), { tiles: { size: 28 } })).rejects.toThrow(/--scale 1/)
    const whole = await fixed.encode(photo(70, 70))
    expect((await fixed.encode(photo(70, 70), { tiles: {} })).patches).toEqual(whole.patches)
  })
})
