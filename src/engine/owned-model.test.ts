/** Models and programs as callers hold them: whatever stands behind them is given back once, and not before its last run has ended. */
import { expect, test } from 'vitest'
import type { WeightSource } from './engine.js'
import { type ModelBody, OwnedModel, type ProgramBody } from './owned-model.js'
import type { Plan } from './plan.js'

const plan: Plan = {
  inputs: [{ kind: 'pixels', slot: 'x' }],
  slots: new Map([['x', [1, 2]]]),
  weights: new Map(),
  constants: new Map(),
  steps: [],
}

const noWeights: WeightSource = { read: async (name) => Promise.reject(new Error(`${name} is not there`)) }

/** A model that notes what is done with it; its runs end when they are told to. */
function modelWithNotes() {
  const notes: string[] = []
  const ends: (() => void)[] = []
  const program: ProgramBody = {
    activationBytes: (batch) => 8 * batch,
    run: async (pixels, batch) => {
      notes.push(`run ${batch}`)
      await new Promise<void>((resolve) => ends.push(resolve))
      return [pixels, new Float32Array(batch)]
    },
    release: () => notes.push('program released'),
  }
  const body: ModelBody = {
    byteLength: 16,
    compile: (_, outputs) => {
      notes.push(`compile ${outputs.join(', ')}`)
      return program
    },
    release: () => notes.push('model released'),
  }
  const endRuns = () => {
    for (const end of ends.splice(0)) end()
  }
  return { model: new OwnedModel(body, noWeights), notes, endRuns }
}

const pixels = Float32Array.of(1, 2)

test('an output that is named twice is compiled and given once', async () => {
  const { model, notes, endRuns } = modelWithNotes()
  const program = model.compile(plan, ['a', 'b', 'a'])
  const run = program.run(pixels)
  endRuns()
  expect([...(await run).keys()]).toEqual(['a', 'b'])
  expect(notes).toEqual(['compile a, b', 'run 1'])
})

test('program and model are given back once, after the runs under way, whatever was disposed of first', async () => {
  const { model, notes, endRuns } = modelWithNotes()
  const program = model.compile(plan, ['a', 'b'])
  const runs = [program.run(pixels), program.run(Float32Array.of(1, 2, 3, 4), { batch: 2 })]
  model[Symbol.dispose]()
  program[Symbol.dispose]()
  model[Symbol.dispose]()
  program[Symbol.dispose]()
  expect(notes).toEqual(['compile a, b', 'run 1', 'run 2'])
  endRuns()
  await Promise.all(runs)
  expect(notes.slice(3).sort()).toEqual(['model released', 'program released'])
})

test('what is idle is given back at once, and says so afterwards', async () => {
  const { model, notes } = modelWithNotes()
  const program = model.compile(plan, ['a', 'b'])
  const another = model.compile(plan, ['a', 'b'])
  program[Symbol.dispose]()
  expect(notes.at(-1)).toBe('program released')
  await expect(program.run(pixels)).rejects.toMatchObject({ code: 'disposed' })
  expect(() => program.activationBytes(1)).toThrow(expect.objectContaining({ code: 'disposed' }))
  expect(another.activationBytes(3)).toBe(24)
  model[Symbol.dispose]()
  expect(notes.at(-1)).toBe('model released')
  await expect(another.run(pixels)).rejects.toMatchObject({ code: 'disposed' })
  expect(() => model.compile(plan, ['a'])).toThrow(expect.objectContaining({ code: 'disposed' }))
})

test('what cannot run does not begin: an aborted signal, pixels of another size, a batch that is none', async () => {
  const { model, notes } = modelWithNotes()
  const program = model.compile(plan, ['a', 'b'])
  await expect(program.run(pixels, { signal: AbortSignal.abort('no') })).rejects.toBe('no')
  await expect(program.run(Float32Array.of(1))).rejects.toMatchObject({ code: 'wrong-size' })
  await expect(program.run(pixels, { batch: 0.5 })).rejects.toMatchObject({ code: 'wrong-size' })
  expect(notes).toEqual(['compile a, b'])
  // A run that failed keeps nothing alive.
  program[Symbol.dispose]()
  expect(notes.at(-1)).toBe('program released')
})

test('a run has pixels of its own', async () => {
  const { model, endRuns } = modelWithNotes()
  const program = model.compile(plan, ['a', 'b'])
  const given = Float32Array.of(1, 2)
  const run = program.run(given)
  given.fill(9)
  endRuns()
  expect((await run).get('a')).toEqual(Float32Array.of(1, 2))
})

test('a program that tells no times refuses to be profiled, and one that does is kept as for a run', async () => {
  const { model, notes } = modelWithNotes()
  await expect(model.compile(plan, ['a']).profile(pixels)).rejects.toMatchObject({
    name: 'EngineError',
    code: 'unsupported',
  })
  const ends: (() => void)[] = []
  const timed = new OwnedModel(
    {
      byteLength: 0,
      compile: () => ({
        activationBytes: () => 0,
        run: async () => [],
        async profile() {
          await new Promise<void>((resolve) => ends.push(resolve))
          return { threads: 3, operations: [] }
        },
        release: () => notes.push('timed program released'),
      }),
      release: () => notes.push('timed model released'),
    },
    noWeights,
  )
  const program = timed.compile(plan, ['a'])
  await expect(program.profile(Float32Array.of(1))).rejects.toMatchObject({ code: 'wrong-size' })
  const profiled = program.profile(pixels)
  program[Symbol.dispose]()
  timed[Symbol.dispose]()
  expect(notes.slice(1)).toEqual([])
  for (const end of ends) end()
  expect(await profiled).toEqual({ threads: 3, operations: [] })
  expect(notes.slice(1)).toEqual(['timed program released', 'timed model released'])
  await expect(program.profile(pixels)).rejects.toMatchObject({ code: 'disposed' })
})
