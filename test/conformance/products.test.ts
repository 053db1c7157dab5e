/** Products of features are what the plain loops give: on every instruction set, on any number of threads, for widths and counts that fill no vector. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Addon } from '../../src/engine/native/addon.js'
import { createNativeProductsOn } from '../../src/engine/native/native-products.js'
import { largestDifference } from '../../src/numerics/largest-difference.js'
import type { NearestRows, StoredRows } from '../../src/numerics/nearest-rows.js'
import { type Products, plainProducts } from '../../src/numerics/products.js'
import { plainScorer } from '../../src/numerics/row-scorer.js'
import { seededRandom } from '../../src/numerics/seeded-random.js'
import { nativeAvailability } from '../../src/platform/node/native/index.js'
import { addonOrReason } from '../../src/platform/node/native/load-addon.js'
import { createWasmProducts } from '../../src/platform/node/wasm/wasm-products.js'
import { toHalf } from '../../src/tensor/float16.js'
import { toInt8Rows } from '../../src/tensor/int8.js'

const { available, instructionSets } = nativeAvailability()
const addon = addonOrReason() as Addon

const noise = (length: number, seed: number, mean = 0) => {
  const random = seededRandom(seed)
  return Float32Array.from({ length }, () => random() + random() + random() - 1.5 + mean)
}
const at = (values: ArrayLike<number>, i: number): number => values[i] ?? Number.NaN
/** Cuts rows into blocks of one to five rows, and an empty one. */
const blocksOf = (rows: Float32Array, width: number) => {
  const blocks = [rows.subarray(0, 0)]
  for (let at = 0, count = 1; at < rows.length; at += count * width, count = (count % 5) + 1)
    blocks.push(rows.subarray(at, Math.min(rows.length, at + count * width)))
  return blocks
}
const shapes = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 120, max: 300 })),
  width: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 40, max: 110 })),
  seed: fc.integer(),
})
/** Products in float32 of D numbers are this near, relative to the lengths of what is multiplied. */
const NEAR = 2e-6

/** Makes products of each kind that this machine has. */
const ways: readonly (readonly [string, () => Products & Partial<AsyncDisposable>])[] = [
  ['wasm', createWasmProducts],
  ...instructionSets.map(
    (instructionSet) =>
      [
        `native ${instructionSet}`,
        () => createNativeProductsOn(addon, { instructionSet, threads: 2 }),
      ] as const,
  ),
]

describe.each(ways)('%s', (_, create) => {
  test('gives the Gram matrix of the plain loops, and its products, without loss by a mean a thousand times as large', async () => {
    const products = create()
    await fc.assert(
      fc.asyncProperty(shapes, fc.constantFrom(0, 1000), async ({ count, width, seed }, mean) => {
        // What the rows hold beside such a mean has been rounded, which is not the products' doing.
        const blocks = blocksOf(noise(count * width, seed, mean), width)
        const expected = await plainProducts.gram(blocks, width)
        const actual = await products.gram(blocks, width)
        expect(largestDifference(actual.mean, expected.mean)).toBeLessThanOrEqual(1e-12 * (1 + mean))
        const lengths = Float64Array.from({ length: width }, (_, i) =>
          Math.sqrt(at(expected.sums, i * width + i)),
        )
        const scaled = (sums: Float64Array) =>
          sums.map(
            (sum, i) => sum / Math.max(at(lengths, i % width) * at(lengths, Math.floor(i / width)), 1e-30),
          )
        expect(largestDifference(scaled(actual.sums), scaled(expected.sums))).toBeLessThanOrEqual(NEAR)
        const turned = actual.sums.map((_, i) => at(actual.sums, (i % width) * width + Math.floor(i / width)))
        expect(turned).toEqual(actual.sums)
        const basis = Float64Array.from(noise(3 * width, seed + 1))
        const images = await plainProducts.gramTimes(blocks, expected.mean, basis)
        const found = await products.gramTimes(blocks, expected.mean, basis)
        const largest = images.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9)
        expect(largestDifference(found, images)).toBeLessThanOrEqual(1e-5 * largest)
        expect(await products.mean(blocks, width)).toEqual(actual.mean)
      }),
      { numRuns: 15 },
    )
    await products[Symbol.asyncDispose]?.()
  })

  test('gives the similarity of the plain loops', async () => {
    const products = create()
    const queryCounts = fc.constantFrom(1, 2, 7, 70, 300)
    await fc.assert(
      fc.asyncProperty(shapes, queryCounts, async ({ count, width, seed }, queryCount) => {
        const queries = noise(queryCount * width, seed)
        const rows = noise(count * width, seed + 1)
        const expected = await plainProducts.similarity(queries, rows, width)
        const actual = await products.similarity(queries, rows, width)
        expect(largestDifference(actual, expected)).toBeLessThanOrEqual(NEAR * (1 + width))
      }),
      { numRuns: 12 },
    )
    await products[Symbol.asyncDispose]?.()
  })
})

describe.skipIf(!available).each(instructionSets)('%s', (instructionSet) => {
  test('finds the rows that the plain loops find: in bytes with the very scores', async () => {
    await using native = createNativeProductsOn(addon, { instructionSet, threads: 2 })
    const widths = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(384, 1025, 2100))
    const counts = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 2100 }))
    await fc.assert(
      fc.asyncProperty(widths, counts, fc.integer(), async (width, [first, second], seed) => {
        const few = Math.min(second, Math.ceil(40_000 / width))
        const query = noise(width, seed + 3)
        const rows = [noise(first * width, seed), noise(few * width, seed + 1)]
        const inBytes: StoredRows[] = rows.map((values) => {
          const { bytes, scales } = toInt8Rows(values, width)
          return { dtype: 'I8', bytes: new Uint8Array(bytes.buffer), scales }
        })
        expect(await native.nearestRows(query, inBytes, 9)).toEqual(
          await plainScorer.nearestRows(query, inBytes, 9),
        )
        // Rows of a file may begin at an odd byte.
        const inHalves: StoredRows[] = rows.map((values) => {
          const bytes = new Uint8Array(2 * values.length + 1)
          bytes.set(new Uint8Array(toHalf(values).buffer), 1)
          return { dtype: 'F16', bytes: bytes.subarray(1) }
        })
        const all = first + few
        const expected = await plainScorer.nearestRows(query, inHalves, all)
        const actual = await native.nearestRows(query, inHalves, all)
        const byRow = ({ rows, scores }: NearestRows) => {
          const sorted = new Float32Array(all).fill(Number.NaN)
          for (const [i, row] of rows.entries()) sorted[row] = at(scores, i)
          return sorted
        }
        expect(largestDifference(byRow(actual), byRow(expected))).toBeLessThanOrEqual(NEAR * (1 + width))
      }),
      { numRuns: 12 },
    )
  })

  test('widens every half as it is, and says which row is not finite', async () => {
    await using native = createNativeProductsOn(addon, { instructionSet, threads: 1 })
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((half) => (half & 0x7c00) !== 0x7c00)
    // One column would be all tail: twenty fill vectors of every width, and the first holds the half.
    const width = 20
    const rows = new Uint16Array(bits.length * width)
    for (let i = 0; i < bits.length; i++) rows[i * width] = bits[i] ?? 0
    const query = new Float32Array(width)
    query[0] = 1
    const stored: StoredRows = { dtype: 'F16', bytes: new Uint8Array(rows.buffer) }
    expect(await native.nearestRows(query, [stored], bits.length)).toEqual(
      await plainScorer.nearestRows(query, [stored], bits.length),
    )
    for (const half of [0x7c00, 0xfc00, 0x7e01]) {
      const bad = rows.slice(0, 50 * width)
      bad[30 * width] = half
      bad[40 * width] = half
      const block: StoredRows = { dtype: 'F16', bytes: new Uint8Array(bad.buffer) }
      await expect(native.nearestRows(query, [block], 5)).rejects.toThrow(/Row 30 has no finite score/)
    }
  })
})

describe.skipIf(!available)('native products', () => {
  test('are the same on any number of threads', async () => {
    const rows = noise(2000 * 100, 5)
    await using one = createNativeProductsOn(addon, { threads: 1 })
    await using two = createNativeProductsOn(addon, { threads: 2 })
    expect(await one.gram([rows], 100)).toEqual(await two.gram([rows], 100))
    const mean = await one.mean([rows], 100)
    const basis = Float64Array.from(noise(500, 6))
    expect(await one.gramTimes([rows], mean, basis)).toEqual(await two.gramTimes([rows], mean, basis))
    const query = noise(100, 7)
    const stored: StoredRows[] = [{ dtype: 'F16', bytes: new Uint8Array(toHalf(rows).buffer) }]
    expect(await one.nearestRows(query, stored, 20)).toEqual(await two.nearestRows(query, stored, 20))
  })

  test('are given up by a signal and by disposal, and refuse afterwards', async () => {
    const rows = noise(20_000 * 256, 1)
    const native = createNativeProductsOn(addon)
    const controller = new AbortController()
    const given = native.gram([rows], 256, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(given).rejects.toThrow('enough')
    const last = native.gram([rows], 256)
    const ended = expect(last).rejects.toMatchObject({ code: 'disposed' })
    await native[Symbol.asyncDispose]()
    await ended
    await native[Symbol.asyncDispose]()
    await expect(native.gram([rows], 256)).rejects.toMatchObject({ code: 'disposed' })
  })

  test('tell mistakes as the plain ones do, and an addon of before', async () => {
    await using native = createNativeProductsOn(addon)
    await expect(native.gram([], 4)).rejects.toThrow(/no rows of 4/)
    await expect(native.similarity(new Float32Array(3), new Float32Array(4), 2)).rejects.toThrow(/3 numbers/)
    await expect(native.nearestRows(new Float32Array(2), [], 3)).rejects.toThrow(/no rows/)
    expect(() => createNativeProductsOn(addon, { threads: 0 })).toThrow(/not on 0/)
    const { gram: _gram, ...before } = addon
    expect(() => createNativeProductsOn(before)).toThrow(/older than this library/)
  })

  test('refuse arrays that do not belong together before any is touched', () => {
    const { gram, meanOfRows, gramTimes, similarity, nearestInBytes, nearestToEach, keepNearest, sumBytes } =
      addon
    const engine = addon.createEngine(instructionSets[0] ?? 'generic', 1)
    const nothing = () => {}
    const [four, five] = [new Float64Array(4), new Float64Array(5)]
    const rows = new Float32Array(6)
    const asked = [
      () => gram?.(engine, 2, [nothing, four, four, rows]),
      () => gram?.(engine, 2, [nothing, new Float64Array(2), five, rows]),
      () => gram?.(engine, 2, [nothing, new Float64Array(2), four]),
      () => gram?.(engine, 4, [nothing, four, new Float64Array(16), rows]),
      () => gram?.(engine, 2 ** 40, [nothing, four, four, rows]),
      () => meanOfRows?.(engine, Number.NaN, [nothing, four, rows]),
      () => gramTimes?.(engine, 3, [nothing, new Float64Array(3), new Float32Array(4), four, rows]),
      () => gramTimes?.(engine, 3, [nothing, new Float64Array(3), rows, five, rows]),
      () => similarity?.(engine, 3, [nothing, rows, rows, new Float32Array(5)]),
      () => similarity?.(engine, 3, [nothing, rows, four as never, new Float32Array(4)]),
      () => nearest([new Uint8Array(13)]),
      () => nearest([new Uint8Array(12)], new Float64Array(3), new Float32Array(3)),
      () => nearest([new Uint8Array(12)], new Float64Array(1), new Float32Array(2)),
      () => nearest([new Uint8Array(12)], new Float64Array(0), new Float32Array(0)),
      () => nearest([new Uint8Array(12)], new Float64Array(1), new Float32Array(1), new Uint8Array(2)),
      () => nearest([[engine as never, 0, 4] as never]),
      () => keep(new Float64Array(5), [0], [1], 0),
      () => keep(new Float64Array(6), [0], [1], 0),
      () => keep(new Float64Array(8), [2], [1], 0),
      () => keep(new Float64Array(8), [0], [2], 0),
      () => keep(new Float64Array(8), [0], [1], 2),
      () =>
        nearestInBytes?.(engine, [
          nothing,
          four,
          new Float32Array(4),
          new Int16Array(3),
          new Float32Array(1),
        ]),
      () =>
        nearestInBytes?.(engine, [nothing, four, new Float32Array(4), new Int16Array(), new Float32Array(1)]),
      () => sumBytes?.(engine, [nothing, rows as never]),
    ]
    for (const [i, ask] of asked.entries()) expect(ask, `${i}`).toThrow(TypeError)

    function nearest(
      blocks: Uint8Array[],
      found = new Float64Array(1),
      scores = new Float32Array(1),
      allowed = new Uint8Array(),
    ) {
      const query = new Float32Array(3)
      return nearestToEach?.(engine, 3, [nothing, found, scores, query, allowed, ...blocks])
    }
    /** Of two rows of three numbers. */
    function keep(kept: Float64Array, queries: number[], candidates: number[], mutualFrom: number) {
      const numbers = [Uint32Array.from(queries), Uint32Array.from(candidates)] as const
      return keepNearest?.(engine, 3, mutualFrom, [nothing, kept, ...numbers, new Uint8Array(12)])
    }
  })
})
