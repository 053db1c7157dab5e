/**
 * Runs two networks that are no image encoders on the engines of plans: Meta's DPT head on levels of another plan, and CLIP's text tower on ids, of whose table of
 * tokens only some rows are read. Their answers are those of Meta's and of transformers' own code; heads/data/README.md says how they were made.
 */
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import type { ByteSource, OpenCheckpoint } from '../../src/checkpoint/checkpoint.js'
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js'
import { Network } from '../../src/encoder/network.js'
import type { Engine } from '../../src/engine/engine.js'
import type { RowChoice } from '../../src/engine/plan.js'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import { readVit } from '../../src/model/read-vit.js'
import { toFloat32 } from '../../src/tensor/tensor.js'
import { ENGINE_VARIANTS } from '../support/engines.js'
import { countingSource, memorySource } from '../support/memory-source.js'
import { clipTextWeights, planClipText, readPositions } from './plan-clip-text.js'
import { DptPlan } from './plan-dpt.js'

const FAMILIES = new URL('../golden/families/families/', import.meta.url)
const DATA = new URL('data/', import.meta.url)
const sourceOf = (folder: URL, name: string) => memorySource(readFileSync(new URL(name, folder)), name)
const open = async (source: ByteSource) => await openCheckpoint(source)
const valuesOf = async (checkpoint: OpenCheckpoint, name: string) => toFloat32(await checkpoint.read(name))

/** Of the fast engines those that multiply in float32; a GPU is tried on every step in test/conformance. */
const exact = ENGINE_VARIANTS.filter(
  ({ name, precision }) => precision === 'float32' && !name.startsWith('webgpu'),
)
const reference = createReferenceEngine()
afterAll(async () => await reference[Symbol.asyncDispose]())
const ENGINES: readonly (readonly [string, () => Promise<Engine>])[] = [
  ['reference', async () => reference],
  ...exact.map(({ name, engine }) => [name, engine] as const),
]

/** Turns [1, channels, pixels] into [pixels, channels]. */
function rowsOf(planes: Float32Array, channels: number): Float32Array {
  const pixels = planes.length / channels
  return planes.map((_, i) => planes[(i % channels) * pixels + Math.floor(i / channels)] ?? Number.NaN)
}

function largestDifference(found: Float32Array | undefined, expected: Float32Array): number {
  expect(found).toHaveLength(expected.length)
  return expected.reduce((most, value, i) => Math.max(most, Math.abs((found?.[i] ?? Number.NaN) - value)), 0)
}

describe('a DPT head on four levels', () => {
  const [WIDTH, CHANNELS, LEAST] = [16, 8, 0.001]
  /** Are sixteen times the noise of float32 that PyTorch shows, as the index of the golden cases has them. */
  const CASES = [
    {
      name: '28x28',
      size: [28, 28],
      grid: [4, 4],
      atol: {
        'reassembled.0': 4e-6,
        'reassembled.1': 6e-6,
        'reassembled.2': 3e-5,
        'reassembled.3': 2e-5,
        'fused.0': 9e-6,
        'fused.1': 3e-5,
        'fused.2': 4e-5,
        'depth.grid': 3e-5,
        depth: 3e-5,
      },
    },
    {
      name: '25x33',
      size: [25, 33],
      grid: [4, 5],
      atol: {
        'reassembled.0': 4e-6,
        'reassembled.1': 2e-5,
        'reassembled.2': 2e-5,
        'reassembled.3': 2e-5,
        'fused.0': 2e-5,
        'fused.1': 3e-5,
        'fused.2': 3e-5,
        'depth.grid': 3e-5,
        depth: 3e-5,
      },
    },
  ] as const
  const channelsOf = (name: string) =>
    /^reassembled/.test(name) ? WIDTH / 2 ** (3 - Number(name.at(-1))) : /^fused/.test(name) ? CHANNELS : 1

  test.each(ENGINES)('on %s every map is that of Meta, from levels that are given', async (_, engine) => {
    await using head = await open(sourceOf(DATA, 'head.pth'))
    for (const { name, grid, size, atol } of CASES) {
      await using expected = await open(sourceOf(DATA, `${name}.expected.safetensors`))
      const dpt = new DptPlan(grid, WIDTH, CHANNELS, LEAST, size)
      const levels = await Promise.all(
        [0, 1, 2, 3].map(async (level) => {
          const token = await valuesOf(expected, `levels.${level}.class_token`)
          const patches = rowsOf(await valuesOf(expected, `levels.${level}.patches`), WIDTH)
          return [`levels.${level}`, Float32Array.of(...token, ...patches)] as const
        }),
      )
      using model = await (await engine()).load(dpt.plan, dpt.weightsOf(head))
      using program = model.compile(dpt.plan, [...dpt.outputs.values()])
      const run = await program.run(new Map(levels))
      for (const [map, tolerance] of Object.entries(atol)) {
        const wanted = rowsOf(await valuesOf(expected, map), channelsOf(map))
        const found = run.get(dpt.outputs.get(map) ?? '')
        expect(largestDifference(found, wanted), `${name} ${map}`).toBeLessThanOrEqual(tolerance)
      }
    }
  })

  test('from pixels, through the network and then the head, on the engine that is fastest here', async () => {
    const [name, engine] = ENGINES[1] ?? ENGINES[0] ?? ['none', async () => reference]
    await using backbone = await open(sourceOf(FAMILIES, 'heads/backbone.pth'))
    await using head = await open(sourceOf(DATA, 'head.pth'))
    await using expected = await open(sourceOf(DATA, '28x28.expected.safetensors'))
    const vit = readVit(backbone, { heads: 2 })
    using network = await Network.load(vit, await engine())
    const grid = { rows: 4, columns: 4 }
    const blocks = network.planFor(grid).slots.blocks
    const pixels = await valuesOf(expected, 'pixels')
    const tokens = await network.run(pixels, { grid, outputs: blocks })
    const dpt = new DptPlan([4, 4], WIDTH, CHANNELS, LEAST, [28, 28])
    using model = await (await engine()).load(dpt.plan, dpt.weightsOf(head))
    using program = model.compile(dpt.plan, ['depth'])
    const levels = new Map(
      blocks.map((block, level) => [`levels.${level}`, tokens.get(block) ?? new Float32Array()]),
    )
    const depth = (await program.run(levels)).get('depth')
    const wanted = await valuesOf(expected, 'depth')
    // What the network is off by on its levels is within their tolerance, 4e-5 at most.
    expect(largestDifference(depth, wanted), name).toBeLessThanOrEqual(4e-5)
    // The head's limits change nothing here, so that they are no step of its plan.
    expect(Math.min(...wanted)).toBeGreaterThan(LEAST)
    expect(Math.max(...wanted)).toBeLessThan(10)
  })
})

describe("CLIP's text tower", () => {
  const TINY = { width: 16, depth: 2, heads: 2, hidden: 32 }
  const CASES = [
    {
      name: 'clip/model.16x16',
      model: 'clip/model.safetensors',
      text: { ...TINY, tokens: 12, vocabulary: 64, projection: 24 },
      choice: { kind: 'first', id: 63 },
      atol: {
        'text.tokens_in': 5e-7,
        'text.blocks.1': 2e-5,
        'text.pooler_output': 2e-5,
        text_features: 2e-5,
      },
    },
    {
      name: 'clip-legacy-eos/model.12x12',
      model: 'clip-legacy-eos/model.safetensors',
      text: { ...TINY, tokens: 10, vocabulary: 40, projection: 16 },
      choice: { kind: 'largest' },
      atol: {
        'text.tokens_in': 5e-7,
        'text.blocks.1': 3e-5,
        'text.pooler_output': 2e-5,
        text_features: 2e-5,
      },
    },
  ] as const
  const slotOf = (tensor: string) => (tensor === 'text_features' ? 'features' : tensor.slice('text.'.length))

  test.each(ENGINES)('on %s is that of transformers, from ids', async (_, engine) => {
    for (const { name, model: file, text, choice, atol } of CASES) {
      await using checkpoint = await open(sourceOf(FAMILIES, `hugging-face/${file}`))
      await using expected = await open(sourceOf(FAMILIES, `hugging-face/${name}.expected.safetensors`))
      const chosen: RowChoice = choice
      const plan = planClipText({ ...text, choice: chosen }, await readPositions(checkpoint))
      using model = await (await engine()).load(plan, clipTextWeights(checkpoint))
      using program = model.compile(plan, Object.keys(atol).map(slotOf))
      const ids = await valuesOf(expected, 'input_ids')
      const run = await program.run(ids, { batch: ids.length / text.tokens })
      for (const [tensor, tolerance] of Object.entries(atol)) {
        const difference = largestDifference(run.get(slotOf(tensor)), await valuesOf(expected, tensor))
        expect(difference, `${name} ${tensor}`).toBeLessThanOrEqual(tolerance)
      }
    }
  })

  test('reads of the table of tokens nothing but the rows of its ids, each once', async () => {
    const [{ model: file, text, choice }] = CASES
    const source = countingSource(sourceOf(FAMILIES, `hugging-face/${file}`))
    await using checkpoint = await open(source)
    const plan = planClipText({ ...text, choice }, await readPositions(checkpoint))
    using model = await reference.load(plan, clipTextWeights(checkpoint))
    using program = model.compile(plan, ['features'])
    const before = source.bytesRead()
    const ids = Float32Array.of(62, 5, 17, 5, 63, 63, 63, 63, 63, 63, 63, 63)
    await program.run(ids)
    expect(source.bytesRead() - before).toBe(new Set(ids).size * text.width * 4)
    await expect(program.run(ids.map((id) => id + 1))).rejects.toMatchObject({ code: 'unsupported' })
  })
})
