/** Weights that the addon packs from an open file are those that JavaScript would have read, to the bit, and are digested to the same states. */
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StoredValues, WeightSource } from '../../src/engine/engine.js'
import { digestWords } from '../../src/kernels/digest-words.js'
import {
  createNativeEngine,
  INSTRUCTION_SETS,
  nativeAvailability,
  nativePrecisions,
} from '../../src/platform/node/native/index.js'
import { toHalf } from '../../src/tensor/float16.js'
import { fromInt8Rows, toInt8Rows } from '../../src/tensor/int8.js'
import { elementCount, type Shape } from '../../src/tensor/shape.js'
import { toFloat32 } from '../../src/tensor/tensor.js'
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
const pixels = pseudoRandom(2 * 5000, 4)
const TYPES = ['F32', 'F16', 'BF16', 'I8'] as const
const variants = INSTRUCTION_SETS.flatMap((instructionSet) =>
  nativePrecisions(instructionSet).flatMap((precision) =>
    TYPES.map((dtype) => ({ instructionSet, precision, dtype })),
  ),
)

type DType = StoredValues['dtype']
interface Written {
  readonly file: FileHandle
  readonly bytes: Uint8Array
  /** Counts the bytes in front of each weight. */
  readonly offsets: ReadonlyMap<string, number>
}

let folder: string
const written = new Map<DType, Written>()
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumage-stored-'))
  for (const dtype of TYPES) {
    const parts = [...plan.weights].map(async ([name, shape]) => {
      const values = await weights.read(name, shape)
      if (!isInBytes(dtype, shape)) return [[name, bytesOf(values, dtype === 'I8' ? 'F32' : dtype)] as const]
      const { bytes, scales } = toInt8Rows(values, shape.at(-1) ?? 0)
      return [
        [name, new Uint8Array(bytes.buffer)] as const,
        [`${name} scales`, bytesOf(scales, 'F32')] as const,
      ]
    })
    written.set(dtype, await write(dtype, (await Promise.all(parts)).flat()))
  }
})
afterAll(async () => {
  for (const { file } of written.values()) await file.close()
  await rm(folder, { recursive: true })
})

/** What has no rows has no scales. */
function isInBytes(dtype: DType, shape: Shape): boolean {
  return dtype === 'I8' && shape.length > 1
}

function bytesOf(values: Float32Array, dtype: Exclude<DType, 'I8'>): Uint8Array {
  const words = new Uint16Array(values.buffer, values.byteOffset, 2 * values.length)
  const stored = { F32: values, F16: toHalf(values), BF16: words.filter((_, i) => i % 2 === 1) }[dtype]
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)
}

/** Writes weights with something between them that belongs to none. */
async function write(
  name: string,
  parts: readonly (readonly [name: string, bytes: Uint8Array])[],
): Promise<Written> {
  const offsets = new Map<string, number>()
  let end = 12
  for (const [part, { byteLength }] of parts) {
    offsets.set(part, end)
    end += byteLength + 8
  }
  const bytes = new Uint8Array(end).fill(255)
  for (const [part, content] of parts) bytes.set(content, offsets.get(part))
  const file = await open(join(folder, name), 'w+')
  await file.writeFile(bytes)
  return { file, bytes, offsets }
}

function writtenAs(dtype: DType): Written {
  const found = written.get(dtype)
  if (found === undefined) throw new Error(`nothing was written as ${dtype}`)
  return found
}

/** Reads as JavaScript does. */
function valuesIn({ file, bytes, offsets }: Written, dtype: DType, name: string, shape: Shape): Float32Array {
  const start = offsets.get(name) ?? -1
  if (isInBytes(dtype, shape)) {
    const [rows = 0] = shape
    const scales = valuesIn({ file, bytes, offsets }, 'F32', `${name} scales`, [rows])
    return fromInt8Rows({
      bytes: new Int8Array(bytes.slice(start, start + elementCount(shape)).buffer),
      scales,
    })
  }
  if (dtype === 'I8') return valuesIn({ file, bytes, offsets }, 'F32', name, shape)
  const length = elementCount(shape) * (dtype === 'F32' ? 4 : 2)
  return toFloat32({ dtype, shape, bytes: bytes.subarray(start, start + length) })
}

const untouched: WeightSource['read'] = () => Promise.reject(new Error('it lies in a file'))
const storedIn = (
  { offsets }: Written,
  descriptor: number,
  dtype: DType = 'F32',
  told: Partial<StoredValues> = {},
) => ({
  stored: async (name: string, shape: Shape): Promise<StoredValues> => {
    const offset = offsets.get(name) ?? -1
    if (!isInBytes(dtype, shape))
      return { descriptor, dtype: dtype === 'I8' ? 'F32' : dtype, places: [{ offset }], ...told }
    return { descriptor, dtype, places: [{ offset, scales: offsets.get(`${name} scales`) ?? -1 }], ...told }
  },
})

async function outputWith(
  source: WeightSource,
  options: Parameters<typeof createNativeEngine>[0] = {},
): Promise<Float32Array> {
  await using engine = createNativeEngine(options)
  using model = await engine.load(plan, source)
  using program = model.compile(plan, [output])
  return outputOf(await program.run(pixels.subarray(0, 3 * 1000)), output)
}

describe.skipIf(!nativeAvailability().available)('weights in a file', () => {
  test.each(variants)('are packed as those in memory, %o', async ({ dtype, ...options }) => {
    const found = writtenAs(dtype)
    const inMemory = { read: async (name: string, shape: Shape) => valuesIn(found, dtype, name, shape) }
    const stored = { read: untouched, ...storedIn(found, found.file.fd, dtype) }
    expect(await outputWith(stored, options)).toEqual(await outputWith(inMemory, options))
  })

  test('in bytes have the packed form of those that they were made of, and are digested as what they stand for', async () => {
    const found = writtenAs('I8')
    for (const { instructionSet } of variants.filter(
      ({ precision, dtype }) => precision === 'int8' && dtype === 'I8',
    )) {
      const states = new Map<string, Int32Array>()
      const source: WeightSource = {
        read: untouched,
        async stored(name, shape) {
          const place = await storedIn(found, found.file.fd, 'I8').stored(name, shape)
          return { ...place, digested: (given) => states.set(name, given) }
        },
      }
      const options = { instructionSet, precision: 'int8', threads: 3 } as const
      expect(await outputWith(source, options), instructionSet).toEqual(await outputWith(weights, options))
      for (const [name, shape] of plan.weights)
        expect(states.get(name), name).toEqual(digestWords(valuesIn(found, 'I8', name, shape)))
    }
  })

  test.each(['F32', 'F16', 'BF16'] as const)(
    'of %s are digested as those in memory, whatever they are',
    async (dtype) => {
      // Every half there is, NaN of all kinds among them.
      const halves = Uint16Array.from({ length: 2 * 601 * 1000 }, (_, i) => i * 40503 + (i >> 16))
      const parts = [...plan.weights].map(([name, shape]) => {
        const length = elementCount(shape) * (dtype === 'F32' ? 4 : 2)
        return [name, new Uint8Array(halves.buffer, 0, length)] as const
      })
      const found = await write(`every-${dtype}`, parts)
      const states = new Map<string, Int32Array>()
      const source: WeightSource = {
        read: untouched,
        stored: async (name) => ({
          descriptor: found.file.fd,
          dtype,
          places: [{ offset: found.offsets.get(name) ?? -1 }],
          digested: (given) => states.set(name, given),
        }),
      }
      await outputWith(source, { threads: 3 })
      await found.file.close()
      for (const [name, shape] of plan.weights) {
        expect(states.get(name), name).toEqual(digestWords(valuesIn(found, dtype, name, shape)))
      }
    },
  )

  test('in parts, one below the other in the weight and anywhere in the file, are packed and digested as one', async () => {
    // A part has more values than a block of a digest, and ends within a panel.
    const [rows, depth] = [67 * 3, 5000]
    const fused = planOf(
      [2, depth],
      [{ op: 'linear', input: 'x', output: 'y', weight: 'fused', bias: 'bias' }],
      { y: [2, rows] },
      { fused: [rows, depth], bias: [rows] },
    )
    for (const dtype of TYPES) {
      const whole = await Promise.all(
        [...fused.plan.weights].map(async ([name, shape]) => {
          const values = await weights.read(name, shape)
          if (!isInBytes(dtype, shape))
            return [[name, bytesOf(values, dtype === 'I8' ? 'F32' : dtype)] as const]
          const { bytes, scales } = toInt8Rows(values, depth)
          return [
            [name, new Uint8Array(bytes.buffer)] as const,
            [`${name} scales`, bytesOf(scales, 'F32')] as const,
          ]
        }),
      )
      const parts = whole.flat().flatMap(([name, bytes]) => {
        const length = bytes.length / 3
        // The last part comes first.
        return [2, 0, 1].map(
          (part) => [`${name} ${part}`, bytes.slice(part * length, (part + 1) * length)] as const,
        )
      })
      const found = await write(`parts-${dtype}`, parts)
      const together = await write(`whole-${dtype}`, whole.flat())
      const states = new Map<string, Int32Array>()
      const source: WeightSource = {
        read: untouched,
        async stored(name, shape) {
          const inBytes = isInBytes(dtype, shape)
          const at = (what: string) => found.offsets.get(what) ?? -1
          const places = [0, 1, 2].map((part) => ({
            offset: at(`${name} ${part}`),
            ...(inBytes ? { scales: at(`${name} scales ${part}`) } : {}),
          }))
          const own = dtype === 'I8' && !inBytes ? 'F32' : dtype
          return {
            descriptor: found.file.fd,
            dtype: own,
            places,
            digested: (given) => states.set(name, given),
          }
        },
      }
      const inMemory = { read: async (name: string, shape: Shape) => valuesIn(together, dtype, name, shape) }
      for (const precision of nativePrecisions()) {
        const outputs = [source, inMemory].map(async (own) => {
          await using engine = createNativeEngine({ precision, threads: 3 })
          using model = await engine.load(fused.plan, own)
          using program = model.compile(fused.plan, ['y'])
          return outputOf(await program.run(pixels.subarray(0, 2 * depth)), 'y')
        })
        const [fromFile, fromMemory] = await Promise.all(outputs)
        expect(fromFile, `${dtype} ${precision}`).toEqual(fromMemory)
      }
      for (const [name, shape] of fused.plan.weights)
        expect(states.get(name), name).toEqual(digestWords(valuesIn(together, dtype, name, shape)))
      await found.file.close()
      await together.file.close()
    }
  })

  test('are asked for in the usual way where the file does not give them', async () => {
    const expected = await outputWith(weights)
    const closed = await open(join(folder, 'F32'))
    const { fd } = closed
    await closed.close()
    const short = await open(join(folder, 'short'), 'w+')
    for (const descriptor of [fd, short.fd, -1]) {
      const read: string[] = []
      const source: WeightSource = {
        read: (name, shape) => {
          read.push(name)
          return weights.read(name, shape)
        },
        ...storedIn(writtenAs('F32'), descriptor, 'F32', {
          digested: () => expect.unreachable('nothing was read'),
        }),
      }
      expect(await outputWith(source)).toEqual(expected)
      expect(read.sort()).toEqual([...plan.weights.keys()].sort())
    }
    await short.close()
  })

  test('in bytes are asked for in the usual way where a scale is none', async () => {
    const found = writtenAs('I8')
    const scales = found.offsets.get('large scales') ?? -1
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
      const bytes = Buffer.from(found.bytes)
      bytes.writeFloatLE(wrong, scales + 4 * 600)
      const damaged = await open(join(folder, 'damaged'), 'w+')
      await damaged.writeFile(bytes)
      const read: string[] = []
      const source: WeightSource = {
        read: (name, shape) => {
          read.push(name)
          return weights.read(name, shape)
        },
        ...storedIn(found, damaged.fd, 'I8'),
      }
      await outputWith(source)
      await damaged.close()
      expect(read).toEqual(['large'])
    }
  })
})
