/** What the addon is handed and cannot be right is refused by an error, before anything is touched: a process that goes on is the proof. */
import { closeSync, openSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OP_FIELDS, readOp, writeOp } from '../../src/engine/lowered/lowered-op.js'
import type { Addon, Handle } from '../../src/engine/native/addon.js'
import { createNativeEngineOn } from '../../src/engine/native/native-engine.js'
import { nativeAvailability } from '../../src/platform/node/native/index.js'
import { addonOrReason } from '../../src/platform/node/native/load-addon.js'
import { casesFor, givenOf } from '../conformance/cases.js'
import { planOf, tower, weights } from '../conformance/one-step.js'

const { available, instructionSets } = nativeAvailability()
const loaded = addonOrReason()
const addon = loaded as Addon
const instructionSet = instructionSets[0] ?? 'generic'
const nothing = () => {}

function openFileOf(path: string): Disposable & { readonly descriptor: number } {
  const descriptor = openSync(path, 'r')
  return { descriptor, [Symbol.dispose]: () => closeSync(descriptor) }
}

/** Is a program as the engine hands it to the addon, with what it runs on. */
interface Recorded {
  readonly engine: Handle<'engine'>
  readonly region: Handle<'region'>
  readonly ops: Float64Array
  readonly constants: Float32Array
  readonly arenaFloats: number
  /** Counts the pixels of one image, then the values of each output. */
  readonly lengths: readonly number[]
}

/** Loads and runs a plan, and tells what the addon was handed. */
async function record({ plan, output }: ReturnType<typeof planOf>): Promise<Recorded> {
  const handed: Partial<{ -readonly [Key in keyof Recorded]: Recorded[Key] }> = {}
  const recording: Addon = {
    ...addon,
    createProgram(engine, ops, constants, arenaFloats) {
      Object.assign(handed, { engine, ops, constants, arenaFloats })
      return addon.createProgram(engine, ops, constants, arenaFloats)
    },
    run(engine, program, region, batch, job) {
      const [, ...arrays] = job
      Object.assign(handed, { region, lengths: arrays.map(({ length }) => length) })
      return addon.run(engine, program, region, batch, job)
    },
  }
  const model = await createNativeEngineOn(recording, { threads: 2 }).load(plan, weights)
  const program = model.compile(plan, [output])
  await program.run(givenOf(plan, 1))
  return handed as Recorded
}

/** Runs a program on arrays of the lengths given; resolves to the status. Throws what the addon throws. */
async function runProgram(
  { engine, region }: Recorded,
  program: Handle<'program'>,
  lengths: readonly number[],
  batch = 1,
): Promise<number> {
  return await new Promise((resolve) => {
    const [pixels = 0, ...outputs] = lengths
    addon.run(engine, program, region, batch, [
      resolve,
      new Float32Array(pixels),
      ...outputs.map((length) => new Float32Array(length)),
    ])
  })
}

/** Numbers of all sizes, near what was there and far from it, and what is no number. */
const hostile = fc.oneof(
  fc.integer({ min: -3, max: 70 }),
  fc.constantFrom(2 ** 20, 2 ** 31, 2 ** 32 + 1, 2 ** 53, -(2 ** 31), 1e300, -1e300),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.5),
)
const change = fc.oneof(
  hostile.map((value) => () => value),
  fc.constantFrom(-1, 1, 15, 16, 32, -16).map((by) => (value: number) => value + by),
  fc.constantFrom(2, 3, 0.5).map((by) => (value: number) => value * by),
)

describe.skipIf(!available)('the addon', () => {
  test('refuses or runs a program with any number of its operations changed, and the right one runs afterwards', async () => {
    const programs: Recorded[] = []
    for (const { make } of casesFor('native')) {
      const recorded = await record(make())
      if (recorded.arenaFloats < 40_000) programs.push(recorded)
    }
    expect(programs.length).toBeGreaterThan(40)
    let refused = 0
    let runs = 0
    const changes = fc.array(fc.tuple(fc.nat(), change), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(fc.nat(), changes, async (which, changed) => {
        const recorded = programs[which % programs.length] as Recorded
        const ops = recorded.ops.slice()
        for (const [at, by] of changed) ops[at % ops.length] = by(ops[at % ops.length] ?? 0)
        try {
          const program = addon.createProgram(recorded.engine, ops, recorded.constants, recorded.arenaFloats)
          if (program !== null) await runProgram(recorded, program, recorded.lengths)
          runs++
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
          refused++
        }
      }),
      { numRuns: 4000 },
    )
    expect(Math.min(refused, runs)).toBeGreaterThan(200)
    for (const recorded of programs) {
      const { engine, ops, constants, arenaFloats } = recorded
      const program = addon.createProgram(engine, ops, constants, arenaFloats)
      expect(program).not.toBeNull()
      if (program !== null) expect(await runProgram(recorded, program, recorded.lengths)).toBe(0)
    }
  })

  test('refuses pixels, outputs, weights and batches that do not fit the program', async () => {
    const recorded = await record(tower(2, 4, 16))
    const { engine, ops, constants, arenaFloats, lengths } = recorded
    const program = addon.createProgram(engine, ops, constants, arenaFloats)
    if (program === null) throw new Error('no memory')
    const [pixels = 0, output = 0] = lengths
    expect(await runProgram(recorded, program, [pixels, output])).toBe(0)
    expect(await runProgram(recorded, program, [2 * pixels, 2 * output], 2)).toBe(0)
    for (const [wrong, batch] of [
      [[pixels - 1, output], 1],
      [[pixels + 1, output], 1],
      [[pixels, output - 1], 1],
      [[pixels, output + 1], 1],
      [[pixels], 1],
      [[pixels, output, 1], 1],
      [[pixels, output], 2],
      [[pixels, output], 0],
      [[pixels, output], -1],
      [[pixels, output], 0.5],
      [[pixels, output], Number.NaN],
      [[pixels, output], 2 ** 40],
    ] as const) {
      await expect(runProgram(recorded, program, wrong, batch)).rejects.toThrow(TypeError)
    }
    const small = addon.allocate(64)
    if (small === null) throw new Error('no memory')
    await expect(runProgram({ ...recorded, region: small }, program, lengths)).rejects.toThrow(
      /reads \d+ floats/,
    )
    const other = addon.createEngine('generic', 1)
    await expect(runProgram({ ...recorded, engine: other }, program, lengths)).rejects.toThrow(
      /another engine/,
    )
    for (const floats of [arenaFloats - 1, 0, -1, Number.NaN, 1e300]) {
      expect(() => addon.createProgram(engine, ops, constants, floats)).toThrow(TypeError)
    }
    expect(() => addon.createProgram(engine, ops.subarray(1), constants, arenaFloats)).toThrow(TypeError)
  })

  test('refuses times of another length than the program has operations, and arrays of other kinds', async () => {
    const { engine, region, ops, constants, arenaFloats, lengths } = await record(tower(2, 4, 16))
    const program = addon.createProgram(engine, ops, constants, arenaFloats)
    if (program === null) throw new Error('no memory')
    const profile = (times: Float64Array) =>
      new Promise<number>((resolve) => {
        const [pixels = new Float32Array(), ...outputs] = lengths.map((length) => new Float32Array(length))
        addon.profile(engine, program, region, 1, [resolve, pixels, ...outputs], times)
      })
    const wanted = (2 * ops.length) / OP_FIELDS
    for (const wrong of [0, 1, wanted - 1, wanted + 1]) {
      await expect(profile(new Float64Array(wrong))).rejects.toThrow(`are ${wanted} numbers, not ${wrong}`)
    }
    for (const wrong of [new Float32Array(wanted), [1], null, undefined]) {
      await expect(profile(wrong as never)).rejects.toThrow(TypeError)
    }
    const times = new Float64Array(wanted).fill(-1)
    expect(await profile(times)).toBe(0)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...times)).toBeGreaterThan(0)
  })

  test('refuses an index and counts of keys that lead outside, whatever the plan promised', async () => {
    const index = planOf(
      [5, 8],
      [{ op: 'gatherRows', input: 'x', output: 'y', index: 'i' }],
      { y: [3, 8] },
      {},
      { i: { shape: [3, 1], values: Float32Array.of(4, -1, 0) } },
    )
    const counts = planOf(
      [6, 24],
      [
        {
          op: 'attention',
          input: 'x',
          output: 'y',
          heads: 1,
          scale: 1,
          queryNorm: null,
          keyNorm: null,
          rotary: null,
          bias: null,
          mask: { kind: 'keys', counts: 'i' },
          groups: 2,
        },
      ],
      { y: [6, 8] },
      {},
      { i: { shape: [2, 1], values: Float32Array.of(3, 1) } },
    )
    for (const [plan, wrong] of [
      [index, [5, -2, 0.5, 2 ** 31, Number.NaN, Number.NEGATIVE_INFINITY]],
      [counts, [4, 0, -1, 1.5, 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY]],
    ] as const) {
      const { engine, ops, constants, arenaFloats } = await record(plan)
      for (const value of wrong) {
        const changed = constants.slice()
        changed[1] = value
        expect(() => addon.createProgram(engine, ops, changed, arenaFloats)).toThrow(TypeError)
      }
    }
  })

  test('refuses positions outside the constants', async () => {
    const { plan, output } = planOf(
      [4, 8],
      [{ op: 'assembleTokens', input: 'x', output: 'y', classToken: 'c', registers: null, positions: 'p' }],
      { y: [5, 8] },
      { c: [8] },
      { p: { shape: [4, 8], values: new Float32Array(32) } },
    )
    const { engine, ops, constants, arenaFloats } = await record({ plan, output })
    expect(constants.length).toBeGreaterThanOrEqual(32)
    expect(() => addon.createProgram(engine, ops, constants.subarray(0, 31), arenaFloats)).toThrow(
      /constants/,
    )
  })

  test('refuses weights in place of the operands of an attention whose weights are asked for', async () => {
    const [look] = casesFor('native').filter(({ name }) => name.startsWith('weights of attention'))
    if (look === undefined) throw new Error('there is no such case')
    const { engine, ops, constants, arenaFloats } = await record(look.make())
    const starts = Array.from({ length: ops.length / OP_FIELDS }, (_, index) => index * OP_FIELDS)
    const at = starts.find((start) => readOp(ops, start).kind === 'attentionWeights') ?? Number.NaN
    for (const weightOperand of ['query', 'key'] as const) {
      const changed = ops.slice()
      writeOp({ ...readOp(ops, at), weightOperand }, changed, at)
      expect(() => addon.createProgram(engine, changed, constants, arenaFloats)).toThrow(/no operand/)
      // What is a kind once its upper bits are dropped is none.
      const field = changed.findIndex((value, index) => value !== ops[index])
      changed[field] = 2 ** 32
      expect(() => addon.createProgram(engine, changed, constants, arenaFloats)).toThrow(TypeError)
    }
  })

  test('refuses slots that begin within a line, which are written whole', async () => {
    const { engine, ops, constants, arenaFloats } = await record(tower(1, 4, 16))
    // Behind the kind stand the input and the second slot, of five numbers each, then the output.
    const offset = 1 + 5 + 5
    for (const by of [1, 8, 15]) {
      const moved = ops.slice()
      moved[offset] = (moved[offset] ?? 0) + by
      expect(() => addon.createProgram(engine, moved, constants, arenaFloats)).toThrow(/begins within a line/)
    }
    expect(() => addon.createProgram(engine, ops, constants, arenaFloats + 8)).toThrow(/begins within a line/)
  })

  test('refuses numbers that are no sizes, wherever they come', () => {
    const engine = addon.createEngine(instructionSet, 1)
    const region = addon.allocate(1024)
    if (region === null) throw new Error('no memory')
    const values = new Float32Array(16)
    const job: [() => void, Int32Array] = [nothing, new Int32Array(64)]
    for (const wrong of [Number.NaN, -1, 0.5, 1e300, Number.POSITIVE_INFINITY]) {
      expect(() => addon.createEngine(instructionSet, wrong)).toThrow(TypeError)
      expect(() => addon.allocate(wrong)).toThrow(TypeError)
      expect(() => addon.packedFloats(engine, wrong, 4, 4)).toThrow(TypeError)
      expect(() => addon.packedFloats(engine, 0, wrong, 4)).toThrow(TypeError)
      expect(() => addon.packedFloats(engine, 0, 4, wrong)).toThrow(TypeError)
      expect(() => addon.pack(engine, region, wrong, 0, 4, 4, [nothing, values])).toThrow(TypeError)
      expect(() => addon.pack(engine, region, 0, wrong, 4, 4, [nothing, values])).toThrow(TypeError)
      expect(() => addon.pack(engine, region, 0, 0, wrong, 4, [nothing, values])).toThrow(TypeError)
      expect(() => addon.packStored(engine, region, 0, 0, 4, wrong, [0, 0, [0, 0]], job)).toThrow(TypeError)
      expect(() => addon.packStored(engine, region, 0, 0, 4, 4, [0, 0, [wrong, 0]], job)).toThrow(TypeError)
      expect(() => addon.packStored(engine, region, 0, 0, 4, 4, [0, 3, [0, wrong]], job)).toThrow(TypeError)
      expect(() => addon.evaluate(engine, wrong, values, values)).toThrow(TypeError)
      expect(() => addon.measurePeak(engine, wrong, [nothing])).toThrow(TypeError)
    }
    expect(() => addon.pack(engine, region, 1009, 0, 16, 0, [nothing, values])).toThrow(/do not lie within/)
    expect(() => addon.pack(engine, region, 0, 0, 4, 3, [nothing, values])).toThrow(TypeError)
    expect(() => addon.packStored(engine, region, 1009, 0, 16, 0, [0, 0, [0, 0]], job)).toThrow(
      /do not lie within/,
    )
    expect(() =>
      addon.packStored(engine, region, 0, 0, 4, 4, [0, 0, [0, 0]], [nothing, new Int32Array(63)]),
    ).toThrow(/digest of 16 values has 64 words/)
    for (const closed of [1e6, -1])
      expect(() => addon.packStored(engine, region, 0, 0, 4, 4, [closed, 0, [0, 0]], job)).toThrow(
        expect.objectContaining({ code: 'unreadable' }),
      )
    expect(() => addon.packStored(engine, region, 0, 0, 4, 4, [-2, 0, [0, 0]], job)).toThrow(TypeError)
    expect(() => addon.packStored(engine, region, 0, 0, 4, 4, [0, 4, [0, 0]], job)).toThrow(TypeError)
    expect(() => addon.packStored(engine, region, 0, 0, 16, 0, [0, 3, [0, 0]], job)).toThrow(/have no rows/)
    for (const parts of [
      [],
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    ] as [number, number][][])
      expect(() => addon.packStored(engine, region, 0, 0, 4, 4, [0, 0, ...parts], job)).toThrow(/equal parts/)
    expect(() => addon.packedFloats(engine, 0, 2 ** 40, 2 ** 40)).toThrow(
      expect.objectContaining({ code: 'out-of-memory' }),
    )
    // The largest number whose bytes are counted: no machine has them.
    expect(addon.allocate(2 ** 53)).toBeNull()
  })

  test('refuses to map what no file has, to read beside a region, and to pack into a file', () => {
    const engine = addon.createEngine(instructionSet, 1)
    const region = addon.allocate(64)
    if (region === null) throw new Error('no memory')
    for (const wrong of [Number.NaN, -1, 0.5, 1e300, Number.POSITIVE_INFINITY]) {
      expect(() => addon.mapRegion(0, wrong, 4)).toThrow(TypeError)
      expect(() => addon.mapRegion(0, 0, wrong)).toThrow(TypeError)
      expect(() => addon.readRegion(region, wrong, new Float32Array(1))).toThrow(TypeError)
    }
    expect(() => addon.mapRegion(0, 0, 0)).toThrow(TypeError)
    expect(() => addon.mapRegion(0, 4, 4)).toThrow(/is that of no page/)
    expect(() => addon.mapRegion(-2, 0, 4)).toThrow(TypeError)
    const unreadable = expect.objectContaining({ code: 'unreadable' })
    for (const closed of [1e6, -1]) expect(() => addon.mapRegion(closed, 0, 4)).toThrow(unreadable)
    using file = openFileOf(import.meta.filename)
    expect(() => addon.mapRegion(file.descriptor, 0, 2 ** 40)).toThrow(unreadable)
    expect(() => addon.mapRegion(file.descriptor, 2 ** 40, 4)).toThrow(unreadable)
    const mapped = addon.mapRegion(file.descriptor, 0, 16)
    const read = new Float32Array(16)
    addon.readRegion(mapped, 0, read)
    expect(Buffer.from(read.buffer).toString('latin1')).toBe(
      readFileSync(import.meta.filename, 'latin1').slice(0, 64),
    )
    for (const [offset, floats] of [
      [0, 17],
      [16, 1],
      [17, 0],
    ] as const) {
      expect(() => addon.readRegion(mapped, offset, new Float32Array(floats))).toThrow(/do not lie within/)
    }
    expect(() => addon.pack(engine, mapped, 0, 0, 16, 0, [nothing, read])).toThrow(/belongs to a file/)
    expect(() => addon.digestRegion(engine, mapped, [nothing, new Int32Array(63)])).toThrow(
      /digest of 16 values has 64 words/,
    )
  })

  test('refuses a digest of another length than the values have, and arrays of other kinds', () => {
    const values = new Float32Array(2 ** 18 + 1)
    for (const length of [0, 64, 127, 129, 192])
      expect(() => addon.digest(instructionSet, [nothing, values, new Int32Array(length)])).toThrow(
        /digest of 262145 values has 128 words/,
      )
    for (const wrong of [new Float64Array(1), new Uint8Array(4), [1], null])
      expect(() => addon.digest(instructionSet, [nothing, wrong as never, new Int32Array(64)])).toThrow(
        TypeError,
      )
    expect(() => addon.digest('no set' as never, [nothing, values, new Int32Array(128)])).toThrow(TypeError)
  })

  test('refuses a handle of one kind where it wants another, and what is no handle', () => {
    const engine = addon.createEngine(instructionSet, 1)
    const region = addon.allocate(16)
    const job = addon.measurePeak(engine, 0, [nothing])
    const program = addon.createProgram(engine, new Float64Array(), new Float32Array(), 0)
    const handles: readonly unknown[] = [engine, region, job, program, {}, null, 7, 'engine', undefined]
    const wants: readonly (readonly [unknown, (handle: never) => unknown])[] = [
      [engine, (handle) => addon.packedFloats(handle, 0, 4, 4)],
      [engine, (handle) => addon.releaseEngine(handle, [nothing])],
      [engine, (handle) => addon.measurePeak(handle, 0, [nothing])],
      [region, addon.releaseRegion],
      [program, addon.releaseProgram],
      [job, addon.cancel],
    ]
    for (const [right, call] of wants) {
      for (const handle of handles) {
        if (handle !== right) expect(() => call(handle as never)).toThrow(TypeError)
      }
    }
  })
})
