/** Tries what the native engine owes beyond the contract: memory that comes back, an idle process, options refused by name. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { InstructionSet } from '../../src/engine/native/addon.js'
import { createNativeEngineOn } from '../../src/engine/native/native-engine.js'
import { createNativeEngine } from '../../src/platform/node/native/index.js'
import { loadAddon } from '../../src/platform/node/native/load-addon.js'
import { planOf, pseudoRandom, tower, weights } from './one-step.js'

const residentMegabytes = () => process.memoryUsage.rss() / 2 ** 20

test('the event loop goes on while runs are under way', async () => {
  const engine = createNativeEngine()
  const { plan, output } = tower(30, 300, 256)
  using model = await engine.load(plan, weights)
  using program = model.compile(plan, [output])
  const pixels = pseudoRandom(300 * 256, 1)
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await Promise.all(Array.from({ length: 4 }, () => program.run(pixels)))
  clearInterval(timer)
  expect(turns).toBeGreaterThan(2)
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

test('no more threads are started than can run, and the description tells how many', async () => {
  const addon = loadAddon()
  for (const [cores, asked, used] of [
    [1, 64, '1 thread'],
    [2, 64, '2 threads'],
    [2, undefined, '2 threads'],
    [2, 1, '1 thread'],
  ] as const) {
    const started: number[] = []
    const stub = Object.create(addon, {
      info: { value: () => ({ ...addon.info(), cores }) },
      createEngine: {
        value: (set: InstructionSet, threads: number) => {
          started.push(threads)
          return addon.createEngine(set, threads)
        },
      },
    })
    await using engine = createNativeEngineOn(stub, asked === undefined ? {} : { threads: asked })
    expect(engine.description).toMatch(new RegExp(`, ${used}$`))
    expect(started).toEqual([Number.parseInt(used, 10)])
  }
})

test('impossible options are refused by name, and what is asked for is told in MB where there is no room', async () => {
  expect(() => createNativeEngine({ threads: 0 })).toThrow(expect.objectContaining({ code: 'unsupported' }))
  const huge = planOf(
    [1, 1],
    [{ op: 'broadcast', weight: 'w', output: 'y' }],
    { y: [2 ** 24, 2 ** 20] },
    { w: [2 ** 24, 2 ** 20] },
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
    const [from = Number.NaN, to = from] = range.split('-').map(Number)
    cores += to - from + 1
  }
  const threads = Number(/(\d+) threads?$/.exec(createNativeEngine().description)?.[1])
  expect(threads).toBeGreaterThanOrEqual(1)
  expect(threads).toBeLessThanOrEqual(cores)
})
