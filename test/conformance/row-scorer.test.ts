/** Whoever looks for nearest rows finds the very rows and scores of the plain loops: WebAssembly, and every instruction set, in memory and in a file. */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { Addon } from '../../src/engine/native/addon.js'
import { createNativeProductsOn } from '../../src/engine/native/native-products.js'
import { roomForRows, sortKept } from '../../src/numerics/kept-rows.js'
import type { RowFile, RowScorer, StoredRows } from '../../src/numerics/nearest-rows.js'
import { plainScorer, scorerOn } from '../../src/numerics/row-scorer.js'
import { seededRandom } from '../../src/numerics/seeded-random.js'
import { nativeAvailability } from '../../src/platform/node/native/index.js'
import { addonOrReason } from '../../src/platform/node/native/load-addon.js'
import { createWasmProducts } from '../../src/platform/node/wasm/wasm-products.js'
import { float16ToFloat32, toHalf } from '../../src/tensor/float16.js'
import { LONG } from '../support/long.js'

const { available, instructionSets } = nativeAvailability()
const addon = addonOrReason() as Addon
const folder = await mkdtemp(join(tmpdir(), 'plumage-rows-'))
afterAll(() => rm(folder, { recursive: true }))

/** Looks for rows in each way that this machine has. */
const ways: readonly (readonly [string, RowScorer & Partial<AsyncDisposable>])[] = [
  ['plain', plainScorer],
  ['wasm', scorerOn(createWasmProducts())],
  ...instructionSets.map(
    (instructionSet) =>
      [`native ${instructionSet}`, createNativeProductsOn(addon, { instructionSet, threads: 2 })] as const,
  ),
]
afterAll(async () => {
  for (const [, scorer] of ways) await scorer[Symbol.asyncDispose]?.()
})

const at = (values: ArrayLike<number>, i: number): number => values[i] ?? Number.NaN
/** Few different numbers make many ties; rows that repeat make more. */
function rowsOf({ count, width, seed, kinds }: Shape): Float32Array {
  const random = seededRandom(seed)
  const rows = Float32Array.from({ length: count * width }, () =>
    kinds === 0 ? random() - 0.5 : Math.floor(random() * kinds) - 1,
  )
  for (let row = 1; row < count; row++) if (random() < 0.2) rows.copyWithin(row * width, 0, width)
  return rows
}
interface Shape {
  readonly count: number
  readonly width: number
  readonly seed: number
  readonly kinds: number
}
const shapes: fc.Arbitrary<Shape> = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 30, max: 700 })),
  width: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(384)),
  seed: fc.integer(),
  kinds: fc.constantFrom(0, 0, 3),
})
/** Halves as bytes in two blocks with an empty one between, of which the second begins at an odd byte. */
function blocksOf(rows: Float32Array, width: number): StoredRows[] {
  const bytes = new Uint8Array(toHalf(rows).buffer)
  const half = Math.floor(rows.length / width / 2) * width * 2
  const odd = new Uint8Array(bytes.length - half + 1)
  odd.set(bytes.subarray(half), 1)
  return [bytes.subarray(0, half), new Uint8Array(), odd.subarray(1)].map((bytes) => ({
    dtype: 'F16',
    bytes,
  }))
}
/** Multiplies each with each in float64, one product after the other, and sorts all of them. */
function byHand(
  queries: Float32Array,
  rows: Float32Array,
  width: number,
  isAllowed: (row: number) => boolean,
) {
  const wide = new Float32Array(rows.length)
  float16ToFloat32(toHalf(rows), wide)
  return Array.from({ length: queries.length / width }, (_, q) => {
    const scores = Array.from({ length: rows.length / width }, (_, row) => {
      let sum = 0
      for (let i = 0; i < width; i++) sum += at(queries, q * width + i) * at(wide, row * width + i)
      return { row, score: sum }
    })
    return scores.filter(({ row }) => isAllowed(row)).sort((a, b) => b.score - a.score || a.row - b.row)
  })
}

describe.each(ways)('%s', (name, scorer) => {
  test('finds what every product in float64 and a sort find, of those that are allowed', async () => {
    const cases = fc.tuple(
      shapes,
      fc.constantFrom(1, 2, 5, 40),
      fc.constantFrom(1, 0.5, 0.02, 0),
      fc.integer({ min: 1, max: 30 }),
    )
    await fc.assert(
      fc.asyncProperty(cases, async ([shape, queryCount, share, count]) => {
        const { width, seed } = shape
        const rows = rowsOf(shape)
        const queries = rowsOf({ ...shape, count: queryCount, seed: seed + 1 })
        const random = seededRandom(seed + 2)
        const allowed = new Uint8Array(Math.ceil(shape.count / 8))
        for (let row = 0; row < shape.count; row++)
          if (random() < share) allowed[row >> 3] = at(allowed, row >> 3) | (1 << (row & 7))
        const isAllowed = (row: number) => ((at(allowed, row >> 3) >> (row & 7)) & 1) === 1
        const found = await scorer.nearestToEach(
          queries,
          width,
          blocksOf(rows, width),
          count,
          share === 1 ? {} : { allowed },
        )
        const expected = byHand(queries, rows, width, share === 1 ? () => true : isAllowed)
        const most = Math.min(count, expected[0]?.length ?? 0)
        expect(found.count).toBe(most)
        for (const [q, own] of expected.entries())
          for (const [i, { row, score }] of own.slice(0, most).entries()) {
            expect(Math.abs(at(found.scores, q * most + i) - score)).toBeLessThan(
              1e-6 * (1 + Math.abs(score)),
            )
            // Sums in another order differ in their last bits, and near ties with them.
            const isTie = own.some((other) => other.row !== row && Math.abs(other.score - score) < 1e-12)
            if (!isTie || shape.kinds === 3) expect(at(found.rows, q * most + i)).toBe(row)
          }
      }),
      { numRuns: 25 },
    )
  })

  test('gives the scores of the plain loops to the last bit, whatever the threads', async () => {
    const shape = { count: 3000, width: 100, seed: 4, kinds: 0 }
    const blocks = blocksOf(rowsOf(shape), shape.width)
    const queries = rowsOf({ ...shape, count: 9, seed: 5 })
    const expected = await plainScorer.nearestToEach(queries, 100, blocks, 20)
    expect(await scorer.nearestToEach(queries, 100, blocks, 20)).toEqual(expected)
    const { rows, scores } = await scorer.nearestRows(queries.subarray(0, 100), blocks, 20)
    expect([rows, scores]).toEqual([expected.rows.subarray(0, 20), expected.scores.subarray(0, 20)])
  })

  test('is not led astray by rows and queries of very different lengths', async () => {
    const width = 64
    const rows = rowsOf({ count: 500, width, seed: 8, kinds: 0 })
    for (let i = 0; i < rows.length; i++) rows[i] = at(rows, i) * 10 ** ((Math.floor(i / width) % 9) - 5)
    const queries = rowsOf({ count: 12, width, seed: 9, kinds: 0 })
    for (let i = 0; i < queries.length; i++)
      queries[i] = at(queries, i) * 10 ** (5 * (Math.floor(i / width) - 6))
    const blocks = blocksOf(rows, width)
    const expected = await plainScorer.nearestToEach(queries, width, blocks, 7)
    expect(await scorer.nearestToEach(queries, width, blocks, 7)).toEqual(expected)
  })

  test('keeps for rows what is near to them, each pair multiplied once or twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        shapes,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 300 }),
        async (shape, most, tile) => {
          const { count, width } = shape
          const rows = rowsOf(shape)
          const blocks = blocksOf(rows, width)
          const all = Uint32Array.from({ length: count }, (_, row) => row)
          const expected = roomForRows(count, most)
          await plainScorer.keepNearest(expected, width, blocks, all, all)
          sortKept(expected, most)
          const whole = roomForRows(count, most)
          await scorer.keepNearest(whole, width, blocks, all, all)
          sortKept(whole, most)
          expect(whole).toEqual(expected)
          const once = roomForRows(count, most)
          for (let from = 0; from < count; from += tile) {
            const queries = all.subarray(from, from + tile)
            await scorer.keepNearest(once, width, blocks, queries, all.subarray(from), {
              mutualFrom: queries.length,
            })
          }
          sortKept(once, most)
          expect(once).toEqual(expected)
        },
      ),
      { numRuns: LONG ? 12 : 4 },
    )
  })

  test('finds in a file what it finds in memory', async () => {
    const shape = { count: 900, width: 31, seed: 2, kinds: 0 }
    const [memory] = blocksOf(rowsOf({ ...shape, count: 2 * shape.count }), shape.width)
    if (!(memory?.bytes instanceof Uint8Array)) throw new Error('The first block lies in memory.')
    const path = join(folder, `${name}.f16`)
    await writeFile(path, Buffer.concat([new Uint8Array(4096), memory.bytes, new Uint8Array(8)]))
    const file = await open(path)
    const rows: RowFile = {
      length: memory.bytes.length,
      read: async (from, to) =>
        (await file.read(new Uint8Array(to - from), 0, to - from, 4096 + from)).buffer,
    }
    const stored: StoredRows = {
      dtype: 'F16',
      bytes: { ...rows, place: { descriptor: file.fd, offset: 4096 } },
    }
    const queries = rowsOf({ ...shape, count: 3, seed: 3 })
    const expected = await plainScorer.nearestToEach(queries, 31, [memory], 10)
    expect(await scorer.nearestToEach(queries, 31, [stored], 10)).toEqual(expected)
    if (name.startsWith('native')) {
      await expect(
        scorer.nearestToEach(queries, 31, [{ dtype: 'F16', bytes: rows }], 1),
      ).rejects.toMatchObject({ code: 'unsupported' })
      await writeFile(path, 'x')
      await expect(scorer.nearestToEach(queries, 31, [stored], 10)).rejects.toMatchObject({
        code: 'rows-lost',
      })
    }
    await file.close()
  })

  test('tells the first row that is not finite, and what it cannot do', async () => {
    const rows = rowsOf({ count: 60, width: 8, seed: 1, kinds: 0 })
    rows[30 * 8 + 3] = Number.NEGATIVE_INFINITY
    rows[41 * 8] = Number.NaN
    const blocks = blocksOf(rows, 8)
    const queries = rowsOf({ count: 2, width: 8, seed: 2, kinds: 0 })
    await expect(scorer.nearestToEach(queries, 8, blocks, 3)).rejects.toThrow(/Row 30 has no finite score/)
    await expect(scorer.nearestRows(queries.subarray(0, 8), blocks, 3)).rejects.toThrow(
      /Row 30 has no finite score/,
    )
    const first = Uint8Array.of(255, 255, 255, 0, 0, 0, 0, 0)
    expect((await scorer.nearestToEach(queries, 8, blocks, 3, { allowed: first })).count).toBe(3)
    await expect(scorer.nearestToEach(queries, 7, blocks, 3)).rejects.toThrow(/no rows of 7|no queries of 7/)
    await expect(scorer.nearestToEach(queries, 8, blocks, 3, { allowed: first.subarray(1) })).rejects.toThrow(
      /8 bytes of bits/,
    )
    await expect(scorer.nearestToEach(Float32Array.of(Number.NaN), 1, blocks, 3)).rejects.toThrow(
      /A query holds/,
    )
    const bytes: StoredRows = { dtype: 'I8', bytes: new Uint8Array(8), scales: new Float32Array(1) }
    await expect(scorer.nearestToEach(queries, 8, [bytes], 3)).rejects.toThrow(/not in bytes/)
    await expect(scorer.nearestToEach(queries, 8, blocks, 3, { limit: 2 } as never)).rejects.toThrow(
      /no option limit/,
    )
    const stop = AbortSignal.abort(new Error('enough'))
    await expect(scorer.nearestToEach(queries, 8, blocks, 3, { signal: stop })).rejects.toThrow('enough')
  })
})

test.skipIf(!available)(
  'a search for many queries says how far it is, and is given up by a signal',
  async () => {
    await using native = createNativeProductsOn(addon)
    const rows = rowsOf({ count: 5000, width: 16, seed: 1, kinds: 0 })
    const blocks = blocksOf(rows, 16)
    const shares: number[] = []
    await native.nearestToEach(rows, 16, blocks, 3, { onProgress: (share) => shares.push(share) })
    expect(shares).toEqual([2048 / 5000, 4096 / 5000, 1])
    const stop = new AbortController()
    const given = native.nearestToEach(rows, 16, blocks, 3, {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    })
    await expect(given).rejects.toThrow('enough')
  },
)
