/** timm's further classes: whatever their files say there is a network or a `CheckpointError`, and what no tensor tells comes from the architecture. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packageRoot } from '../../../test/support/repository.js'
import { type Shapes, tinyCheckpoint } from '../../../test/support/tiny-networks.js'
import { TINY_EVA, TINY_NAFLEX, TINY_TIMM_CLASSES } from '../../../test/support/tiny-timm-classes.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { openCheckpoint } from '../../checkpoint/open-checkpoint.js'
import type { PlainRecord, PlainValue } from '../../plain-value.js'
import { openFile } from '../../platform/node/open-file.js'
import type { Shape } from '../../tensor/shape.js'
import type { VitHints } from '../dialects/dialect.js'
import { timmArchitectures } from '../dialects/timm-architectures.js'
import { readVit } from '../read-vit.js'
import { TIMM_CLASS_ARGS } from './timm-class-args.js'

const ARGS: PlainRecord = { num_heads: 2, img_size: 4, patch_size: 2, embed_dim: 8, depth: 1, mlp_ratio: 2 }

const read = (shapes: Shapes, architecture: string, args: PlainRecord = {}, hints: VitHints = {}) =>
  readVit(tinyCheckpoint(shapes), {
    configFile: {
      architecture,
      // The names of architectures count registers that these networks do not have.
      model_args: { ...ARGS, ...args },
      pretrained_cfg: { input_size: [3, 4, 4] },
    },
    ...hints,
  })

function refuses(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error
  }
}

const sizes = fc.oneof(fc.integer({ min: 0, max: 16 }), fc.constant(2 ** 31), fc.constant(2 ** 53))
const nearShape = (shape: Shape) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(shape) },
    { weight: 1, arbitrary: fc.array(sizes, { maxLength: 5 }) },
    { weight: 1, arbitrary: fc.tuple(...shape.map((size) => fc.oneof(fc.constant(size), sizes))) },
  )

test.each(TINY_TIMM_CLASSES)('%s is read', (_name, architecture, shapes) => {
  expect(read(shapes, architecture).config).toMatchObject({ width: 8, heads: 2, depth: 1, hidden: 16 })
})

test.each(TINY_TIMM_CLASSES)(
  '%s: whatever shapes the headers have, there is a network or a CheckpointError',
  (_name, architecture, shapes) => {
    const entries = Object.entries<Shape>(shapes)
    const arbitrary = fc.record(
      Object.fromEntries(entries.map(([tensor, shape]) => [tensor, nearShape(shape)])),
      { requiredKeys: entries.map(([tensor]) => tensor).filter((tensor) => /norm1|qkv|proj/.test(tensor)) },
    )
    fc.assert(
      fc.property(arbitrary, (headers) => refuses(() => read(headers, architecture).readPreparation())),
      { numRuns: 300 },
    )
  },
)

const values = fc.oneof(
  fc.constantFrom<PlainValue>(
    0,
    1,
    2,
    3,
    8,
    -1,
    0.5,
    1e6,
    true,
    false,
    null,
    '',
    'avg',
    'map',
    'token',
    'xy',
  ),
  fc.constantFrom<PlainValue>('mixed', 'dinov3', 'cat', 'bilinear', [4, 4], [0.5], [2], [{}]),
  fc.jsonValue({ maxDepth: 2 }).map((json) => JSON.parse(JSON.stringify(json)) as PlainValue),
)

test.each(TINY_TIMM_CLASSES)(
  '%s: whatever its arguments are, there is a network or a CheckpointError',
  (_name, architecture, shapes) => {
    const found = timmArchitectures().find(({ name }) => name === architecture)
    const { fields } = TIMM_CLASS_ARGS[found?.class ?? 'VisionTransformer']
    const counted = Object.keys(fields).filter((name) => fields[name]?.use === 'counts')
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...counted), values), (args) =>
        refuses(() => read(shapes, architecture, args)),
      ),
      { numRuns: 300 },
    )
  },
)

test("each architecture's line names levels, a crop and a size, and the class of its blocks is known", () => {
  const all = timmArchitectures()
  expect(new Set(all.map(({ class: kind }) => kind)).size).toBe(5)
  for (const { name, heads, width, inputs } of all) {
    expect(Number.isInteger(heads) && width % heads === 0, name).toBe(true)
    for (const { preparation } of inputs.values()) {
      expect(preparation.cropFraction, name).toBeGreaterThan(0)
      expect(Number.isInteger(preparation.size?.[0]), name).toBe(true)
    }
  }
})

test('rotary positions are those of the architecture, unless an argument says otherwise', () => {
  const rotary = (architecture: string, args: PlainRecord = {}) => {
    const { pos_embed: _, ...placeless } = TINY_EVA
    return read(architecture.includes('dinov3') ? placeless : TINY_EVA, architecture, args).config.rotary
  }
  expect(rotary('eva02_tiny_patch14_224')).toMatchObject({
    coordinates: { kind: 'whole', offset: 0, reference: { rows: 16, columns: 16 } },
    bands: { kind: 'temperature', temperature: 10000 },
    firstAxis: 'rows',
    pairs: 'neighbours',
  })
  expect(rotary('vit_small_patch16_dinov3_qkvb', { use_fc_norm: true })).toMatchObject({
    coordinates: { kind: 'centred' },
    bands: { temperature: 100 },
    pairs: 'halves',
  })
  expect(rotary('eva_giant_patch14_224')).toBeNull()
  expect(rotary('eva02_tiny_patch14_224', { ref_feat_shape: null, rope_grid_offset: 1 })).toMatchObject({
    coordinates: { kind: 'whole', offset: 1, reference: null },
  })
})

test('heads whose columns are no multiple of four cannot be turned', () => {
  expect(() => read(TINY_EVA, 'eva02_tiny_patch14_224', { num_heads: 4 })).toThrow(/in fours.*4 heads/)
})

test('a table that NaFlexVit cannot resample here is refused by its settings', () => {
  const way = { pos_embed_ar_preserving: true }
  expect(() => read(TINY_NAFLEX, 'naflexvit_base_patch16_map', way)).toThrow(
    expect.objectContaining({
      code: 'unsupported-field',
      message: expect.stringMatching(/pos_embed_ar_preserving/),
    }),
  )
})

test("another norm than AIMv2's is refused, since that of its patches would keep an epsilon of its own", async () => {
  const folder = join(packageRoot, 'test/golden/families/families/timm/aimv2')
  const file = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as {
    readonly model_args: PlainRecord
  }
  await using checkpoint = await openCheckpoint(await openFile(join(folder, 'model.safetensors')))
  const readWith = (more: PlainRecord) =>
    readVit(checkpoint, { configFile: { ...file, model_args: { ...file.model_args, ...more } } })
  expect(readWith({}).config.epsilon).toBe(1e-5)
  expect(() => readWith({ norm_layer: 'rmsnorm' })).toThrow(
    /model_args\.norm_layer is "rmsnorm".*norm on patches/,
  )
})

test('a size of images that no file says is told, since timm would take its own', () => {
  const [, architecture, shapes] = TINY_TIMM_CLASSES[0] ?? []
  if (architecture === undefined || shapes === undefined) throw new Error('There is a network of each class.')
  const file = (input: PlainRecord, args: PlainRecord = {}) => ({
    configFile: { architecture, model_args: { ...ARGS, ...args }, pretrained_cfg: input },
  })
  const assumed = (hints: VitHints) => read(shapes, architecture, {}, hints).assumptions.join(' ')
  expect(assumed(file({}))).toMatch(/no input_size, of which timm makes 224x224.*4x4 of img_size.*--size/)
  expect(assumed(file({ input_size: [3, 4, 4] }))).not.toMatch('input_size')
})
