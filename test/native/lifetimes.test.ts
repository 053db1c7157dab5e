/** What the native engine owns comes and goes with it: threads, memory, handles, and the promises of those who wait. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import {
  createNativeEngine,
  createNativeResample,
  nativeAvailability,
} from '../../src/platform/node/native/index.js'
import { loadAddon } from '../../src/platform/node/native/load-addon.js'
import { planOf, pseudoRandom, tower, weights } from '../conformance/one-step.js'
import * as small from './small-model.mjs'

const { available } = nativeAvailability()
const disposed = expect.objectContaining({ name: 'EngineError', code: 'disposed' })
setFlagsFromString('--expose-gc')
const gc: () => void = runInNewContext('gc')

const residentMegabytes = () => process.memoryUsage.rss() / 2 ** 20
/** Address space of this process in megabytes, touched or not. */
function virtualMegabytes(): number {
  const [, kilobytes] = /VmSize:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return Number(kilobytes) / 1024
}

/** The mean of rows that are all in the arena at once: a large arena for small inputs and outputs, and nearly no work. */
const meanOf = (rows: number) =>
  planOf(
    [1, 16],
    [
      { op: 'broadcast', weight: 'w', output: 'rows' },
      { op: 'meanRows', input: 'rows', output: 'y' },
    ],
    { rows: [rows, 512], y: [1, 512] },
    { w: [rows, 512] },
  )

describe.skipIf(!available)('a native engine', () => {
  test('that is disposed of ends its threads, rejects what is under way as disposed, and refuses what comes', async () => {
    const before = small.threadCount()
    const { plan, output } = tower(200, 500, 512)
    const engine = small.engineOf(3)
    const model = await engine.load(plan, weights)
    const program = model.compile(plan, [output])
    const pixels = pseudoRandom(500 * 512, 1)
    expect(small.threadCount()).toBeGreaterThan(before)
    const settled = Promise.allSettled([program.run(pixels), program.run(pixels), engine.load(plan, weights)])
    await Promise.all([engine[Symbol.asyncDispose](), engine[Symbol.asyncDispose]()])

    expect(await small.threadsLeft(before)).toBe(0)
    for (const result of await settled) expect(result).toEqual({ status: 'rejected', reason: disposed })
    await expect(engine.load(plan, weights)).rejects.toEqual(disposed)
    expect(() => model.compile(plan, [output])).toThrow(disposed)
    await expect(program.run(pixels)).rejects.toEqual(disposed)
    expect(() => program.activationBytes(1)).toThrow(disposed)
    await engine[Symbol.asyncDispose]()
    program[Symbol.dispose]()
    model[Symbol.dispose]()
  })

  test('that has loaded nothing has no thread, and is disposed of at once', async () => {
    const before = small.threadCount()
    const engine = small.engineOf(3)
    expect(small.threadCount()).toBeLessThanOrEqual(before)
    await engine[Symbol.asyncDispose]()
    await expect(engine.load(small.plan, small.weights)).rejects.toEqual(disposed)
  })

  test('leaves the results of runs that are done as they are', async () => {
    await using engine = createNativeEngine({ threads: 2 })
    using model = await engine.load(small.plan, small.weights)
    using program = model.compile(small.plan, ['y'])
    const outputs = await program.run(small.pixels, { batch: small.BATCH })
    await engine[Symbol.asyncDispose]()
    small.checkOutputs(outputs)
  })

  test('that is made, used and disposed of three hundred times leaves threads and memory as they were', async () => {
    const live = async (count: number) => {
      for (let i = 0; i < count; i++) {
        await using engine = small.engineOf(3)
        using model = await engine.load(small.plan, small.weights)
        using program = model.compile(small.plan, ['y'])
        small.checkOutputs(await program.run(small.pixels, { batch: small.BATCH }))
      }
    }
    await live(50)
    const [threads, memory] = [small.threadCount(), residentMegabytes()]
    await live(300)
    expect(await small.threadsLeft(threads)).toBe(0)
    expect(residentMegabytes() - memory).toBeLessThan(24) // the heap of JavaScript grows and shrinks; 300 stacks and arenas would be more
  })

  test('gives its programs one arena, as large as the largest needs; it goes with the last of them', async () => {
    await using engine = createNativeEngine({ threads: 2 })
    const [large, half] = [meanOf(512), meanOf(256)]
    using a = await engine.load(large.plan, weights)
    using b = await engine.load(half.plan, weights)
    const [first, second] = [a.compile(large.plan, ['y']), b.compile(half.plan, ['y'])]
    const batch = 64
    const arena = first.activationBytes(batch) / 2 ** 20
    expect(arena).toBeGreaterThan(60)
    const pixels = new Float32Array(batch * 16)
    const memory = () => {
      gc()
      return residentMegabytes()
    }

    await first.run(pixels, { batch })
    const alone = memory()
    await second.run(pixels, { batch })
    expect(memory() - alone).toBeLessThan(arena / 4)
    second[Symbol.dispose]()
    expect(memory() - alone).toBeGreaterThan(-arena / 4)
    first[Symbol.dispose]()
    expect(alone - memory()).toBeGreaterThan(arena * 0.75)
  })

  test('runs a program the same in memory that another one has filled with NaN', async () => {
    await using engine = createNativeEngine({ threads: 2 })
    // Widths that fill neither whole vectors nor whole tiles, so that there is room beside them for what is left over.
    const { plan, output } = tower(3, 37, 51)
    using model = await engine.load(plan, weights)
    using program = model.compile(plan, [output])
    const pixels = pseudoRandom(37 * 51, 1)
    const expected = (await program.run(pixels)).get(output)
    const other = tower(2, 64, 512)
    using spoiling = await engine.load(other.plan, weights)
    using spoiler = spoiling.compile(other.plan, [other.output])
    await spoiler.run(new Float32Array(64 * 512).fill(Number.NaN))
    expect((await program.run(pixels)).get(output)).toEqual(expected)
  })

  test('tells the garbage collector of its memory: weights that nobody disposes of are collected before they fill the machine', async () => {
    const addon = loadAddon()
    const before = virtualMegabytes()
    for (let i = 0; i < 100; i++) {
      // Only 128 MB of address space are taken: nothing touches the pages.
      addon.allocate(2 ** 25)
      await wait(1)
    }
    expect(virtualMegabytes() - before).toBeLessThan((100 * 128) / 4)
  })

  test('ends with a worker that is terminated in the middle of a run', async () => {
    // Node starts threads of its own for the first resize.
    await small.checkResize(createNativeResample())
    const before = small.threadCount()
    const worker = new Worker(join(import.meta.dirname, 'worker-child.mjs'))
    await once(worker, 'message')
    expect(small.threadCount()).toBeGreaterThan(before)
    await worker.terminate()
    expect(await small.threadsLeft(before)).toBe(0)
  })
})

test.skipIf(!available)('an engine that nobody holds any more ends by itself', async () => {
  const before = small.threadCount()
  const addon = loadAddon()
  const [set] = addon.info().instructionSets
  const use = () =>
    new Promise((resolve) => {
      const engine = addon.createEngine(set?.name ?? 'generic', 2)
      addon.measurePeak(engine, 0, [resolve])
    })
  await use()
  await expect
    .poll(
      () => {
        gc()
        return small.threadCount()
      },
      { timeout: 5000 },
    )
    .toBeLessThanOrEqual(before)
})

test.skipIf(!available)(
  'a program asks for the pixels of its plan, and nothing is read beyond them',
  async () => {
    const { plan, output } = planOf(
      [2, 3],
      [{ op: 'broadcast', weight: 'w', output: 'y' }],
      { y: [2, 4] },
      { w: [2, 4] },
    )
    await using engine = createNativeEngine({ threads: 1 })
    using model = await engine.load(plan, weights)
    using program = model.compile(plan, [output, 'x'])
    const outputs = await program.run(Float32Array.of(1, 2, 3, 4, 5, 6))
    expect(outputs.get('x')).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6))
  },
)
