/** What every engine owes when it is disposed of: it ends what is under way, gives its threads and its device back, and says `disposed` ever after. */
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.js'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import { createWebgpuEngineOn } from '../../src/engine/webgpu/webgpu-engine.js'
import { createWasmEngine } from '../../src/platform/node/wasm/index.js'
import { GPU, type TestGpu } from '../support/gpus.js'
import { pseudoRandom, tower, weights } from './one-step.js'

type Row = readonly [name: string, make: () => Engine | Promise<Engine>]
const onGpu = (gpu: TestGpu): Row => [
  'webgpu',
  () => createWebgpuEngineOn(() => gpu.request(), { verify: false }),
]
const engines: readonly Row[] = [
  ['reference', createReferenceEngine],
  ['wasm', () => createWasmEngine({ threads: 2 })],
  ...(GPU === null ? [] : [onGpu(GPU)]),
]

test.each(engines)('%s: whatever is asked after the disposal fails with disposed', async (_, make) => {
  const { plan, output } = tower(2, 3, 8)
  const engine = await make()
  const model = await engine.load(plan, weights)
  const program = model.compile(plan, [output])
  await program.run(pseudoRandom(3 * 8, 1))
  await Promise.all([engine[Symbol.asyncDispose](), engine[Symbol.asyncDispose]()])
  await engine[Symbol.asyncDispose]()
  await expect(engine.load(plan, weights)).rejects.toMatchObject({ code: 'disposed' })
  await expect(program.run(pseudoRandom(3 * 8, 1))).rejects.toMatchObject({ code: 'disposed' })
  const compiled = async () => await model.compile(plan, [output]).run(pseudoRandom(3 * 8, 1))
  await expect(compiled()).rejects.toMatchObject({ code: 'disposed' })
  program[Symbol.dispose]()
  model[Symbol.dispose]()
})

test.each(engines)('%s: a run that is under way has settled when the disposal resolves', async (_, make) => {
  const { plan, output } = tower(40, 60, 64)
  const engine = await make()
  const model = await engine.load(plan, weights)
  let outcome = 'under way'
  const run = model
    .compile(plan, [output])
    .run(pseudoRandom(60 * 64, 1))
    .then(
      () => 'finished',
      (error) => error.code,
    )
    .then((found) => {
      outcome = found
    })
  await new Promise((resolve) => setTimeout(resolve, 2))
  await engine[Symbol.asyncDispose]()
  await Promise.race([run, new Promise((resolve) => setImmediate(resolve))])
  expect(['finished', 'disposed']).toContain(outcome)
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
