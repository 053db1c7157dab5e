/** Weights that lie packed in a file give the results of those in memory, to the bit, and no result where the file is not what it was. */
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Engine, PackedFile, PackingFacts, WeightSource } from '../../src/engine/engine.js'
import {
  createNativeEngine,
  INSTRUCTION_SETS,
  nativeAvailability,
  nativePrecisions,
} from '../../src/platform/node/native/index.js'
import { outputOf, planOf, pseudoRandom, weights } from '../conformance/one-step.js'

/** Its weights take several blocks of a digest. */
const { plan, output } = planOf(
  [3, 1000],
  [
    { op: 'linear', input: 'x', output: 'wide', weight: 'large', bias: 'bias' },
    { op: 'linear', input: 'wide', output: 'y', weight: 'ragged', bias: null },
  ],
  { wide: [3, 2001], y: [3, 70] },
  { large: [2001, 1000], bias: [2001], ragged: [70, 2001] },
)
const pixels = pseudoRandom(3 * 1000, 4)
const untouched: WeightSource = { read: () => Promise.reject(new Error('it lies packed in a file')) }
/** A whole number of pages on every system. */
const OFFSET = 2 ** 16

const folder = mkdtempSync(join(tmpdir(), 'plumage-packed-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Written extends Disposable {
  readonly descriptor: number
  readonly path: string
  readonly bytes: Uint8Array
  readonly states: Int32Array
  readonly output: Float32Array
  /** Gives the file as an engine takes it, and counts what the engine has found. */
  file(states?: Int32Array): PackedFile & { readonly found: (Int32Array | null)[] }
}

/** Packs the weights in memory, and writes them behind something that is none. */
async function write(engine: Engine, name: string): Promise<Written> {
  using model = await engine.load(plan, weights)
  const packed = model.packed
  if (packed === undefined) throw new Error('the native engine gives no packed weights')
  const bytes = Buffer.concat([...packed.pieces()])
  const path = join(folder, name)
  writeFileSync(path, Buffer.concat([Buffer.alloc(OFFSET, 7), bytes]))
  const descriptor = openSync(path, 'r+')
  const states = await packed.digest()
  expect(bytes.length).toBe(model.byteLength)
  using program = model.compile(plan, [output])
  return {
    descriptor,
    path,
    bytes,
    states,
    output: outputOf(await program.run(pixels), output),
    file(wanted = states) {
      const found: (Int32Array | null)[] = []
      const accepts = (given: Int32Array | null) => {
        found.push(given)
        return given !== null && Buffer.from(given.buffer).equals(Buffer.from(wanted.buffer))
      }
      return { descriptor, offset: OFFSET, accepts, found }
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  }
}

const variants = INSTRUCTION_SETS.flatMap((instructionSet) =>
  nativePrecisions(instructionSet).map((precision) => ({ instructionSet, precision })),
)

describe.skipIf(!nativeAvailability().available)('weights that lie packed in a file', () => {
  test.each(variants)('give the very results of those in memory, %o', async (options) => {
    await using engine = createNativeEngine(options)
    using written = await write(engine, 'whole')
    const file = written.file()
    using model = await engine.load(plan, untouched, { packed: file })
    expect(file.found).toEqual([written.states])
    using program = model.compile(plan, [output])
    expect(outputOf(await program.run(pixels), output)).toEqual(written.output)
    // What was found can be put into another file.
    expect(Buffer.concat([...(model.packed?.pieces() ?? [])]).equals(written.bytes)).toBe(true)
  })

  test('are packed from their source where any bit of the file is another', async () => {
    await using engine = createNativeEngine({ threads: 2 })
    using written = await write(engine, 'flipped')
    const { length } = written.bytes
    for (const at of [0, 1, Math.floor(length / 2), length - 65, length - 1]) {
      const byte = written.bytes[at] ?? 0
      writeSync(written.descriptor, Uint8Array.of(byte ^ (1 << (at % 8))), 0, 1, OFFSET + at)
      const file = written.file()
      using model = await engine.load(plan, weights, { packed: file })
      using program = model.compile(plan, [output])
      expect(outputOf(await program.run(pixels), output)).toEqual(written.output)
      expect(file.found).toHaveLength(1)
      expect(file.found[0]).not.toEqual(written.states)
      writeSync(written.descriptor, Uint8Array.of(byte), 0, 1, OFFSET + at)
    }
  })

  test('are packed from their source where the file does not have them, or is none', async () => {
    await using engine = createNativeEngine()
    using written = await write(engine, 'short')
    const { length } = written.bytes
    for (const left of [OFFSET + length - 1, OFFSET, 0]) {
      ftruncateSync(written.descriptor, left)
      const file = written.file()
      using model = await engine.load(plan, weights, { packed: file })
      using program = model.compile(plan, [output])
      expect(outputOf(await program.run(pixels), output)).toEqual(written.output)
      expect(file.found).toEqual([null])
    }
    for (const descriptor of [-1, 1e6]) {
      const file = { ...written.file(), descriptor }
      using _model = await engine.load(plan, weights, { packed: file })
      expect(file.found).toEqual([null])
    }
  })

  test('give no result after the file was cut off or written into, and the process goes on', async () => {
    await using engine = createNativeEngine()
    const lost = expect.objectContaining({ code: 'weights-lost' })
    for (const [name, spoil] of [
      ['cut', (descriptor: number) => ftruncateSync(descriptor, OFFSET + 4096)],
      ['all cut', (descriptor: number) => ftruncateSync(descriptor, 0)],
      ['written', (descriptor: number) => writeSync(descriptor, Uint8Array.of(1, 2, 3, 4), 0, 4, OFFSET)],
    ] as const) {
      using written = await write(engine, name)
      using model = await engine.load(plan, untouched, { packed: written.file() })
      using program = model.compile(plan, [output])
      expect(outputOf(await program.run(pixels), output)).toEqual(written.output)
      spoil(written.descriptor)
      await expect(program.run(pixels), name).rejects.toEqual(lost)
      await expect(program.run(pixels), name).rejects.toEqual(lost)
      await expect(model.packed?.digest(), name).rejects.toEqual(lost)
    }
    using whole = await write(engine, 'afterwards')
    using model = await engine.load(plan, untouched, { packed: whole.file() })
    using program = model.compile(plan, [output])
    expect(outputOf(await program.run(pixels), output)).toEqual(whole.output)
  })

  test('stay what they are where the file is replaced or removed', async () => {
    await using engine = createNativeEngine()
    using written = await write(engine, 'replaced')
    using model = await engine.load(plan, untouched, { packed: written.file() })
    rmSync(written.path)
    writeFileSync(written.path, 'another')
    using program = model.compile(plan, [output])
    expect(outputOf(await program.run(pixels), output)).toEqual(written.output)
  })

  test('are told apart by all that changes how they are packed', async () => {
    const facts: PackingFacts[] = []
    for (const options of variants) {
      await using engine = createNativeEngine(options)
      const found = await engine.packing?.factsOf(plan)
      if (found === undefined) throw new Error('the native engine does not say how it packs')
      expect(await engine.packing?.factsOf(plan)).toEqual(found)
      expect({ instructionSet: found.instructionSet, precision: found.precision }).toEqual(options)
      using model = await engine.load(plan, weights)
      expect(found.byteLength).toBe(model.byteLength)
      facts.push(found)
    }
    const texts = facts.map((found) => JSON.stringify(found))
    expect(new Set(texts).size).toBe(variants.length)
    // Kernels of other forms of weights make other bytes of the same numbers.
    const [first] = facts
    const others = facts.filter(({ instructionSet }) => instructionSet === first?.instructionSet)
    expect(new Set(others.map(({ probe }) => JSON.stringify(probe))).size).toBe(others.length)
  })
})
