/** Weights that the addon packs from an open file are those that JavaScript would have read, to the bit, and are digested to the same states. */
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StoredValues, WeightSource } from '../../src/engine/engine.js'
import type { Plan } from '../../src/engine/plan.js'
import { digestWords } from '../../src/kernels/digest-words.js'
import {
  createNativeEngine,
  INSTRUCTION_SETS,
  nativeAvailability,
  nativePrecisions,
} from '../../src/platform/node/native/index.js'
import { outputOf, planOf, pseudoRandom, weights } from '../conformance/one-step.js'

/** The largest weight has three blocks of a digest, and panels that reach from one into the next; others end within a panel or have one value. */
const { plan, output } = planOf(
  [3, 1000],
  [
    { op: 'linear', input: 'x', output: 'wide', weight: 'large', bias: 'bias' },
    { op: 'linear', input: 'wide', output: 'narrow', weight: 'ragged', bias: null },
    { op: 'linear', input: 'narrow', output: 'y', weight: 'one', bias: 'long' },
    { op: 'scale', input: 'y', output: 'z', gamma: 'long' },
  ],
  { wide: [3, 601], narrow: [3, 1], y: [3, 300_000], z: [3, 300_000] },
  { large: [601, 1000], bias: [601], ragged: [1, 601], one: [300_000, 1], long: [300_000] },
)
const pixels = pseudoRandom(3 * 1000, 4)
const variants = INSTRUCTION_SETS.flatMap((instructionSet) =>
  nativePrecisions(instructionSet).map((precision) => ({ instructionSet, precision })),
)

let folder: string
let file: FileHandle
/** Counts the bytes in front of each weight; what lies between them is not a number. */
const offsets = new Map<string, number>()
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumage-stored-'))
  file = await open(join(folder, 'weights'), 'w+')
  let end = 12
  for (const [name, shape] of plan.weights) {
    const values = await weights.read(name, shape)
    offsets.set(name, end)
    await file.write(new Uint8Array(values.buffer), 0, values.byteLength, end)
    end += values.byteLength + 8
  }
})
afterAll(async () => {
  await file.close()
  await rm(folder, { recursive: true })
})

const untouched: WeightSource['read'] = () => Promise.reject(new Error('it lies in a file'))
const storedIn = (descriptor: number, told: Partial<StoredValues> = {}) => ({
  stored: async (name: string) => ({ descriptor, offset: offsets.get(name) ?? -1, ...told }),
})

async function valuesOf(
  source: WeightSource,
  options: Parameters<typeof createNativeEngine>[0],
  of: Plan = plan,
): Promise<Float32Array> {
  await using engine = createNativeEngine(options)
  using model = await engine.load(of, source)
  using program = model.compile(of, [output])
  return outputOf(await program.run(pixels), output)
}

describe.skipIf(!nativeAvailability().available)('weights in a file', () => {
  test.each(variants)('are packed as those in memory, %o', async (options) => {
    const found = await valuesOf({ read: untouched, ...storedIn(file.fd) }, options)
    expect(found).toEqual(await valuesOf(weights, options))
  })

  test('are digested as those in memory', async () => {
    const states = new Map<string, Int32Array>()
    const source: WeightSource = {
      read: untouched,
      stored: async (name) => ({
        descriptor: file.fd,
        offset: offsets.get(name) ?? -1,
        digested: (found) => states.set(name, found),
      }),
    }
    await valuesOf(source, { threads: 3 })
    expect([...states.keys()].sort()).toEqual([...plan.weights.keys()].sort())
    for (const [name, shape] of plan.weights) {
      expect(states.get(name), name).toEqual(digestWords(await weights.read(name, shape)))
    }
  })

  test('are asked for in the usual way where the file does not give them', async () => {
    const expected = await valuesOf(weights, {})
    const closed = await open(join(folder, 'weights'))
    const { fd } = closed
    await closed.close()
    const short = await open(join(folder, 'short'), 'w+')
    for (const descriptor of [fd, short.fd]) {
      const read: string[] = []
      const source: WeightSource = {
        read: (name, shape) => {
          read.push(name)
          return weights.read(name, shape)
        },
        ...storedIn(descriptor, { digested: () => expect.unreachable('nothing was read') }),
      }
      expect(await valuesOf(source, {})).toEqual(expected)
      expect(read.sort()).toEqual([...plan.weights.keys()].sort())
    }
    await short.close()
  })

  test('may lie in a file that is closed meanwhile', async () => {
    const expected = await valuesOf(weights, {})
    const own = await open(join(folder, 'weights'))
    let asked = 0
    const source: WeightSource = {
      read: weights.read,
      stored: async (name) => {
        if (++asked === 2) await own.close()
        return { descriptor: own.fd, offset: offsets.get(name) ?? -1 }
      },
    }
    expect(await valuesOf(source, {})).toEqual(expected)
  })
})
