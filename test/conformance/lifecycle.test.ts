/** What the native engine owes beside right numbers: cancellation, memory that comes back, an idle process, errors by name. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  createNativeEngine,
  nativeAvailability,
  nativePrecisions,
} from '../../src/platform/node/native/index.js'
import { cpuSeconds } from '../support/cpu-time.js'
import { planOf, pseudoRandom, relativeError, tower, weights } from './one-step.js'

const residentMegabytes = () => process.memoryUsage.rss() / 2 ** 20

test('a run is cancelled while it is under way, with the reason of the signal, and the next one is right', async () => {
  const { plan, output } = tower(200, 500, 512)
  using model = await createNativeEngine().load(plan, weights)
  using program = model.compile(plan, [output])
  const pixels = pseudoRandom(500 * 512, 1)
  const start = process.cpuUsage()
  const expected = (await program.run(pixels)).get(output)
  const whole = cpuSeconds(start)

  const reason = new Error('enough')
  const controller = new AbortController()
  const cancelled = program.run(pixels, { signal: controller.signal })
  setTimeout(() => controller.abort(reason), 20)
  const from = process.cpuUsage()
  await expect(cancelled).rejects.toBe(reason)
  expect(cpuSeconds(from)).toBeLessThan(whole / 2)
  expect((await program.run(pixels)).get(output)).toEqual(expected)
})

test('a signal that is aborted already starts nothing', async () => {
  const { plan, output } = tower(1, 2, 4)
  const signal = AbortSignal.abort('no')
  await expect(createNativeEngine().load(plan, weights, { signal })).rejects.toBe('no')
  using model = await createNativeEngine().load(plan, weights)
  await expect(model.compile(plan, [output]).run(new Float32Array(8), { signal })).rejects.toBe('no')
})

test('loading can be cancelled between weights, and a failing source is passed on', async () => {
  const { plan } = tower(4, 2, 8)
  const controller = new AbortController()
  const source = {
    read: async (name: string, shape: readonly number[]) => {
      if (name === 'w2') controller.abort('stop')
      return weights.read(name, shape)
    },
  }
  await expect(createNativeEngine().load(plan, source, { signal: controller.signal })).rejects.toBe('stop')
  const broken = { read: async () => Promise.reject(new Error('disk gone')) }
  await expect(createNativeEngine().load(plan, broken)).rejects.toThrow('disk gone')
})

test('two programs of two models run at once on one engine, and the event loop goes on meanwhile', async () => {
  const engine = createNativeEngine()
  const [a, b] = [tower(30, 300, 256), tower(30, 300, 320)]
  using first = await engine.load(a.plan, weights)
  using second = await engine.load(b.plan, weights)
  const [one, other] = [first.compile(a.plan, [a.output]), second.compile(b.plan, [b.output])]
  const [x, y] = [pseudoRandom(300 * 256, 1), pseudoRandom(300 * 320, 2)]
  const alone = [await one.run(x), await other.run(y)]
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const together = await Promise.all([one.run(x), other.run(y), one.run(x), other.run(y)])
  clearInterval(timer)
  expect(together).toEqual([...alone, ...alone])
  expect(turns).toBeGreaterThan(2)
})

test('disposing while runs are under way lets them finish; afterwards everything says disposed', async () => {
  const { plan, output } = tower(40, 300, 256)
  const model = await createNativeEngine().load(plan, weights)
  const program = model.compile(plan, [output])
  const pixels = pseudoRandom(300 * 256, 1)
  const expected = await program.run(pixels)
  const running = [program.run(pixels), program.run(pixels)]
  program[Symbol.dispose]()
  model[Symbol.dispose]()
  expect(await Promise.all(running)).toEqual([expected, expected])
  program[Symbol.dispose]()
  model[Symbol.dispose]()
  await expect(program.run(pixels)).rejects.toMatchObject({ code: 'disposed' })
  expect(() => model.compile(plan, [output])).toThrow(expect.objectContaining({ code: 'disposed' }))
})

test('a program whose model is disposed of says so', async () => {
  const { plan, output } = tower(1, 2, 4)
  const model = await createNativeEngine().load(plan, weights)
  const program = model.compile(plan, [output])
  model[Symbol.dispose]()
  await expect(program.run(new Float32Array(8))).rejects.toMatchObject({ code: 'disposed' })
})

test('disposal gives the memory back to the system', async () => {
  const { plan, output } = tower(4, 64, 2048)
  const model = await createNativeEngine().load(plan, weights)
  const program = model.compile(plan, [output])
  await program.run(new Float32Array(64 * 2048 * 40), { batch: 40 })
  const loaded = residentMegabytes()
  const held = (model.byteLength + program.activationBytes(40)) / 2 ** 20
  expect(held).toBeGreaterThan(100)
  program[Symbol.dispose]()
  model[Symbol.dispose]()
  expect(loaded - residentMegabytes()).toBeGreaterThan(held * 0.9)
})

test('memory stays flat over many runs', async () => {
  const { plan, output } = tower(2, 64, 64)
  using model = await createNativeEngine().load(plan, weights)
  using program = model.compile(plan, [output])
  const pixels = pseudoRandom(64 * 64, 1)
  const runs = async (count: number) => {
    for (let i = 0; i < count; i++) await program.run(pixels)
  }
  await runs(1000)
  const before = residentMegabytes()
  await runs(3000)
  expect(residentMegabytes() - before).toBeLessThan(48) // 3000 runs hand out 94 MB of arrays
})

test('an engine without work uses no processor time', async () => {
  const { plan, output } = tower(2, 64, 64)
  using model = await createNativeEngine({ threads: 3 }).load(plan, weights)
  using program = model.compile(plan, [output])
  await program.run(pseudoRandom(64 * 64, 1))
  await new Promise((resolve) => setTimeout(resolve, 50))
  const before = process.cpuUsage()
  await new Promise((resolve) => setTimeout(resolve, 400))
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1000).toBeLessThan(200) // milliseconds; three spinning threads would take 1200, or all there is
})

const variants = nativeAvailability().instructionSets.flatMap((path) =>
  nativePrecisions(path).map((precision) => [path, precision] as const),
)
test.each(variants)('NaN goes in, NaN comes out (%s, %s)', async (instructionSet, precision) => {
  const width = 64
  const { plan, output } = planOf(
    [9, 3 * width],
    [
      {
        op: 'attention',
        input: 'x',
        output: 'mixed',
        heads: 2,
        scale: 0.3,
        queryNorm: null,
        keyNorm: null,
      },
      {
        op: 'norm',
        kind: 'layerNorm',
        weight: 'norm',
        bias: null,
        epsilon: 1e-6,
        input: 'mixed',
        output: 'normed',
      },
      { op: 'linear', input: 'normed', output: 'hidden', weight: 'w', bias: null },
      { op: 'activation', input: 'hidden', output: 'y', kind: 'gelu' },
    ],
    { mixed: [9, width], normed: [9, width], hidden: [9, 33], y: [9, 33] },
    { norm: [width], w: [33, width] },
  )
  using model = await createNativeEngine({ instructionSet, precision }).load(plan, weights)
  using program = model.compile(plan, [output])
  const pixels = pseudoRandom(2 * 9 * 3 * width, 1)
  pixels[5] = Number.NaN // a query of image 0: its own row only
  const values = (await program.run(pixels, { batch: 2 })).get(output) ?? new Float32Array()
  expect(values.subarray(0, 33).every(Number.isNaN)).toBe(true)
  expect(values.subarray(33).some(Number.isNaN)).toBe(false)
  pixels[4 * 3 * width + 2 * width] = Number.NaN // a value of image 0: all its rows
  const worse = (await program.run(pixels, { batch: 2 })).get(output) ?? new Float32Array()
  expect(worse.subarray(0, 9 * 33).every(Number.isNaN)).toBe(true)
  expect(worse.subarray(9 * 33).some(Number.isNaN)).toBe(false)
})

test('the caller may overwrite or transfer its pixels while a run is under way', async () => {
  const { plan, output } = tower(20, 200, 256)
  using model = await createNativeEngine().load(plan, weights)
  using program = model.compile(plan, [output])
  const pixels = pseudoRandom(200 * 256, 1)
  const expected = await program.run(pixels)
  const running = program.run(pixels)
  structuredClone(pixels.buffer, { transfer: [pixels.buffer] })
  expect(
    relativeError((await running).get(output) ?? new Float32Array(), expected.get(output) ?? pixels),
  ).toBe(0)
})

test('wrong sizes, too much memory and impossible options are errors by name', async () => {
  const { plan, output } = tower(1, 2, 4)
  using model = await createNativeEngine().load(plan, weights)
  using program = model.compile(plan, [output])
  await expect(program.run(new Float32Array(9))).rejects.toMatchObject({ code: 'wrong-size' })
  await expect(program.run(new Float32Array(), { batch: 0 })).rejects.toMatchObject({ code: 'wrong-size' })
  const short = { read: async () => new Float32Array(3) }
  await expect(createNativeEngine().load(plan, short)).rejects.toMatchObject({ code: 'wrong-size' })
  expect(() => createNativeEngine({ threads: 0 })).toThrow(expect.objectContaining({ code: 'unsupported' }))
  const lying = planOf([2, 4], plan.steps, { y0: [2, 4] }, { w0: [4, 5] })
  expect(() => model.compile(lying.plan, ['y0'])).toThrow(/w0 is \[4, 5\], expected \[4, 4\]/)
  const huge = planOf(
    [1, 1],
    [{ op: 'broadcast', weight: 'w', output: 'y' }],
    { y: [2 ** 24, 2 ** 20] },
    {
      w: [2 ** 24, 2 ** 20],
    },
  )
  await expect(createNativeEngine().load(huge.plan, weights)).rejects.toMatchObject({
    code: 'out-of-memory',
    message: expect.stringMatching(/67108865 MB/),
  })
})

test('the number of threads is what the process may use', () => {
  const allowed = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
  let cores = 0
  for (const range of allowed.split(',')) {
    const [from, to = from] = range.split('-').map(Number)
    cores += to - from + 1
  }
  const threads = Number(/(\d+) threads?$/.exec(createNativeEngine().description)?.[1])
  expect(threads).toBeGreaterThanOrEqual(1)
  expect(threads).toBeLessThanOrEqual(cores)
})
