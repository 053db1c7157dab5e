/** Tries what the WebAssembly engine owes beyond the contract: exact halves, shared threads, memory that comes back, options refused by name. */
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createWasmEngine, hasRelaxedSimd, WASM_PRECISIONS } from '../../src/platform/node/wasm/index.js'
import { float16ToFloat32, toHalf } from '../../src/tensor/float16.js'
import { outputOf, planOf, pseudoRandom, relativeError, tower, weights } from './one-step.js'

/** Lists all halves, by their bits. */
function float16Values(): Float32Array {
  const values = new Float32Array(65536)
  float16ToFloat32(
    Uint16Array.from(values, (_, bits) => bits),
    values,
  )
  return values
}

const kinds = [false, ...(hasRelaxedSimd() ? [true] : [])].flatMap((relaxed) =>
  WASM_PRECISIONS.map((precision) => ({ relaxed, precision })),
)
test.each(kinds)(
  '%o: what is not finite stays in its row, and zeros and tiny numbers are what they are',
  async (options) => {
    // A depth that is no multiple of four, and more rows than a tile has.
    const [rows, depth] = [9, 31]
    const { plan, output } = planOf(
      [rows, depth],
      [{ op: 'linear', input: 'x', output: 'y', weight: 'w', bias: null }],
      { y: [rows, 16] },
      { w: [16, depth] },
    )
    using engine = createWasmEngine({ threads: 1, ...options })
    using model = await engine.load(plan, weights)
    using program = model.compile(plan, [output])
    const pixels = pseudoRandom(rows * depth, 1)
    const clean = outputOf(await program.run(pixels), output)
    pixels[2 * depth + 30] = Number.NaN
    pixels[3 * depth + 7] = Number.POSITIVE_INFINITY
    pixels.fill(0, 4 * depth, 5 * depth)
    pixels.fill(1e-42, 5 * depth, 6 * depth)
    const values = outputOf(await program.run(pixels), output)
    const row = (r: number) => [...values.subarray(r * 16, (r + 1) * 16)]
    expect(row(2).every(Number.isNaN)).toBe(true)
    expect(row(3).some(Number.isFinite)).toBe(false)
    expect(row(4).every((value) => value === 0)).toBe(true)
    expect(row(5).every((value) => Math.abs(value) < 1e-40)).toBe(true)
    for (const r of [0, 1, 6, 7, 8]) expect(row(r)).toEqual([...clean.subarray(r * 16, (r + 1) * 16)])
  },
)

test('weights kept as halves are the nearest halves, every one of them', async () => {
  const halves = float16Values()
  // Values lie half-way between neighbours, and a little to each side: ties go to the even one.
  const between = halves.subarray(0, 0x7bff).map((value, i) => (value + (halves[i + 1] ?? Number.NaN)) / 2)
  const near = [...between].flatMap((value) => [value, value * (1 + 2 ** -20), value * (1 - 2 ** -20)])
  const large = [65504, 65519.99, 65520, 1e9, 3.4e38, Number.POSITIVE_INFINITY, Number.NaN, 1e-9, 1e-42]
  const values = Float32Array.from([...halves, ...near, ...large, ...large.map((value) => -value)])
  const { plan, output } = planOf(
    [1, 1],
    [{ op: 'linear', input: 'x', output: 'y', weight: 'w', bias: null }],
    { y: [1, values.length] },
    { w: [values.length, 1] },
  )
  using engine = createWasmEngine({ threads: 1, precision: 'float16' })
  using model = await engine.load(plan, { read: async () => values })
  const found = (await model.compile(plan, [output]).run(new Float32Array([1]))).get(output)
  const expected = new Float32Array(values.length)
  float16ToFloat32(toHalf(values), expected)
  // A product with one row adds a bias of zero, which takes the sign from zeros.
  expect(found?.map((value) => value + 0)).toEqual(expected.map((value) => value + 0))
})

test('engines of different precisions share threads and memory', async () => {
  const { plan, output } = tower(3, 7, 32)
  using engine = createWasmEngine({ threads: 2 })
  const pixels = pseudoRandom(7 * 32, 4)
  const results = WASM_PRECISIONS.map(async (precision) => {
    const other = engine.withPrecision(precision)
    using model = await other.load(plan, weights)
    expect(other.precision).toBe(precision)
    return outputOf(await model.compile(plan, [output]).run(pixels), output)
  })
  const [exact, ...narrow] = await Promise.all(results)
  if (exact === undefined) throw new Error('there is no precision')
  for (const values of narrow) {
    expect(values).not.toEqual(exact)
    expect(relativeError(values, exact)).toBeLessThan(0.06)
  }
})

test('weights beyond what WebAssembly can address are refused before any is read', async () => {
  const { plan } = planOf(
    [1, 40_000],
    [{ op: 'linear', input: 'x', output: 'y', weight: 'w', bias: null }],
    { y: [1, 40_000] },
    { w: [40_000, 40_000] },
  )
  let read = 0
  const source = {
    read: async () => {
      read++
      return new Float32Array()
    },
  }
  using engine = createWasmEngine({ threads: 1 })
  await expect(engine.load(plan, source)).rejects.toMatchObject({
    code: 'out-of-memory',
    message: expect.stringContaining('bfloat16'),
  })
  expect(read).toBe(0)
})

test('activations that WebAssembly could address but has no room for are refused by name, and the engine goes on', async () => {
  // Four times two to the thirtieth bytes lie between two steps, few before and after them.
  const [rows, columns] = [2 ** 15, 2 ** 15]
  const { plan, output } = planOf(
    [rows, 1],
    [
      { op: 'linear', input: 'x', output: 'wide', weight: 'w', bias: null },
      { op: 'meanRows', input: 'wide', output: 'y' },
    ],
    { wide: [rows, columns], y: [1, columns] },
    { w: [columns, 1] },
  )
  using engine = createWasmEngine({ threads: 1 })
  using model = await engine.load(plan, weights)
  using program = model.compile(plan, [output])
  await expect(program.run(pseudoRandom(rows, 1))).rejects.toMatchObject({ code: 'out-of-memory' })
  const small = tower(2, 5, 64)
  using other = await engine.load(small.plan, weights)
  const found = await other.compile(small.plan, [small.output]).run(pseudoRandom(5 * 64, 1))
  expect(found.get(small.output)).toHaveLength(5 * 64)
})

test('memory stays flat over many runs, models and cancellations', async () => {
  const { plan, output } = tower(4, 100, 64)
  using engine = createWasmEngine({ threads: 2 })
  const pixels = pseudoRandom(100 * 64, 1)
  const round = async () => {
    using model = await engine.load(plan, weights)
    using program = model.compile(plan, [output])
    for (let i = 0; i < 20; i++) await program.run(pixels)
    const signal = AbortSignal.timeout(1)
    await Promise.allSettled([program.run(pixels, { signal }), program.run(pixels, { signal })])
  }
  for (let i = 0; i < 5; i++) await round()
  const before = process.memoryUsage.rss()
  for (let i = 0; i < 25; i++) await round()
  expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(48)
})

test('an engine that is disposed of ends what is under way and says so afterwards', async () => {
  const { plan, output } = tower(100, 200, 256)
  const engine = createWasmEngine({ threads: 2 })
  const model = await engine.load(plan, weights)
  const run = model.compile(plan, [output]).run(pseudoRandom(200 * 256, 1))
  engine[Symbol.dispose]()
  await expect(run).rejects.toMatchObject({ code: 'disposed' })
  await expect(engine.load(plan, weights)).rejects.toMatchObject({ code: 'disposed' })
})

test('impossible options are refused by name', () => {
  expect(() => createWasmEngine({ threads: 0 })).toThrow(/1 to 64 threads/)
  expect(() => createWasmEngine({ threads: 2, shared: false })).toThrow(/without shared memory/)
  if (!hasRelaxedSimd()) expect(() => createWasmEngine({ relaxed: true })).toThrow(/relaxed SIMD/)
})

test('the narrow ways to keep weights take a half and a quarter of the memory', async () => {
  const { plan, output } = tower(4, 10, 256)
  const pixels = pseudoRandom(10 * 256, 1)
  const on = async (precision: 'float32' | 'bfloat16' | 'int8') => {
    using engine = createWasmEngine({ threads: 1, precision })
    using model = await engine.load(plan, weights)
    const values = outputOf(await model.compile(plan, [output]).run(pixels), output)
    return { bytes: model.byteLength, values }
  }
  const [exact, half, quarter] = [await on('float32'), await on('bfloat16'), await on('int8')]
  expect(half.bytes / exact.bytes).toBeCloseTo(0.5, 2)
  expect(quarter.bytes / exact.bytes).toBeCloseTo(0.25, 1)
  expect(relativeError(half.values, exact.values)).toBeLessThan(0.01)
  expect(relativeError(quarter.values, exact.values)).toBeLessThan(0.05)
})

test.runIf(process.platform === 'linux')(
  'the threads of the WebAssembly engine are gone when its disposal resolves',
  async () => {
    const threads = () => readdirSync('/proc/self/task').length
    const { plan } = tower(1, 2, 4)
    const round = async () => {
      await using engine = createWasmEngine({ threads: 3 })
      using _ = await engine.load(plan, weights)
      return threads()
    }
    await round()
    const before = threads()
    expect(await round()).toBe(before + 3)
    expect(threads()).toBe(before)
  },
)
