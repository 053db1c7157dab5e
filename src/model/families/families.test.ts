/** Each family is told from every other, keeps its promises about what it leaves aside, and refuses by name what its library could not do. */
import { expect, test } from 'vitest'
import { TINY_FAMILIES } from '../../../test/support/tiny-families.js'
import { type Shapes, TINY_NETWORKS, tinyCheckpoint } from '../../../test/support/tiny-networks.js'
import type { PlainRecord } from '../../plain-value.js'
import { toFloat32 } from '../../tensor/tensor.js'
import { birder } from '../dialects/birder.js'
import type { VitHints } from '../dialects/dialect.js'
import { gridTables } from '../grid-tables.js'
import { FAMILIES, readVit, type VitModel } from '../read-vit.js'

type Family = keyof typeof TINY_FAMILIES

const SIZES: PlainRecord = { num_attention_heads: 2, image_size: 4 }
const TYPES: Readonly<Record<Family, PlainRecord>> = {
  dinov3: { model_type: 'dinov3_vit', ...SIZES, num_attention_heads: 1 },
  vit: { model_type: 'vit', ...SIZES },
  beit: { model_type: 'beit', use_relative_position_bias: true, ...SIZES },
  clip: { model_type: 'clip_vision_model', projection_dim: 6, ...SIZES },
  'clip, both towers': { model_type: 'clip', projection_dim: 6, vision_config: SIZES, text_config: {} },
  siglip: { model_type: 'siglip_vision_model', ...SIZES },
  'siglip, both towers': { model_type: 'siglip', vision_config: SIZES, text_config: {} },
  'siglip, naflex': { model_type: 'siglip2_vision_model', num_attention_heads: 2, num_patches: 4 },
  aimv2: { model_type: 'aimv2_vision_model', ...SIZES },
  tipsv2: { model_type: 'tipsv2_vision_model', num_register_tokens: 2, mlp_ratio: 2, ...SIZES },
  radio: { model_type: 'radio', num_cls_tokens: 3, num_registers: 2, mlp_ratio: 2, ...SIZES },
}
const NAMES = Object.keys(TYPES) as Family[]

const read = (family: Family, more: Shapes = {}, hints: VitHints = {}): VitModel =>
  readVit(tinyCheckpoint({ ...TINY_FAMILIES[family], ...more }), { configFile: TYPES[family], ...hints })

test.each(NAMES)('%s is recognised by one family alone, with its config or without', (family) => {
  const { tensors } = tinyCheckpoint(TINY_FAMILIES[family])
  for (const hints of [{}, { configFile: TYPES[family] }]) {
    expect(FAMILIES.filter(({ recognises }) => recognises(tensors, hints)).length).toBe(1)
  }
  expect(read(family).dialect).toBe('hugging-face')
})

test.each(Object.entries(TINY_NETWORKS))('%s, which is no family, is recognised by none', (_name, shapes) => {
  const { tensors } = tinyCheckpoint(shapes)
  expect(FAMILIES.filter(({ recognises }) => recognises(tensors, {}))).toEqual([])
})

test("Birder's dialect, which is asked first, recognises no file of another library", () => {
  const { birder: _own, ...others } = TINY_NETWORKS
  for (const [name, shapes] of Object.entries({ ...others, ...TINY_FAMILIES }))
    expect(birder.recognises(tinyCheckpoint(shapes).tensors, {}), name).toBe(false)
})

test.each(NAMES.filter((name) => name !== 'radio'))(
  '%s without its config.json is refused, since no tensor tells its heads',
  (family) => {
    expect(() => readVit(tinyCheckpoint(TINY_FAMILIES[family]))).toThrow(/no config\.json beside it/)
  },
)

test('DINOv3 under its names in memory is the same network', async () => {
  const renamed = Object.entries(TINY_FAMILIES.dinov3).map(
    ([name, shape]) => [name.replace(/^layer\./, 'model.layer.'), shape] as const,
  )
  const inMemory = readVit(tinyCheckpoint(Object.fromEntries(renamed)), { configFile: TYPES.dinov3 })
  expect(inMemory.config).toEqual(read('dinov3').config)
  const name = 'encoder.block.0.attn.qkv.weight'
  const [ours, theirs] = await Promise.all(
    [inMemory, read('dinov3')].map(({ weights }) => weights.read(name, [12, 4])),
  )
  expect(ours).toEqual(theirs)
})

test.each(NAMES)(
  "%s: code that a repository brings is not run, and its library's own class is followed",
  (family) => {
    const auto_map = { AutoModel: 'modeling_own.OwnModel' }
    const configFile: PlainRecord = { ...TYPES[family], auto_map }
    expect(read(family, {}, { configFile }).config).toEqual(read(family).config)
    const { model_type: _, ...others } = configFile
    expect(() => read(family, {}, { configFile: others })).toThrow(/auto_map, .* no model_type/)
  },
)

test.each(NAMES)('%s: heads that do not divide the width are refused when the file is read', (family) => {
  expect(() => read(family, {}, { heads: 3 })).toThrow(
    expect.objectContaining({
      code: 'contradiction',
      message: expect.stringMatching(/3 heads do not divide its width 4\b.*num_attention_heads.*--heads/),
    }),
  )
})

test('heads of rotary positions must have whole pairs of both axes', () => {
  expect(() => read('dinov3', {}, { heads: 2 })).toThrow(
    /2 heads .* width 4 into rotary positions, 4 numbers/,
  )
})

test('a scale of branches that C-RADIO has in no tensor is refused, since transformers would make it', () => {
  const configFile = { ...TYPES.radio, layerscale_value: 0.5 }
  const { 'layer_scale1.lambda1': _, ...scaleless } = TINY_FAMILIES.radio as Shapes
  const plain = Object.fromEntries(Object.entries(scaleless).filter(([name]) => !/lambda1|gamma/.test(name)))
  expect(() => readVit(tinyCheckpoint(plain), { configFile })).toThrow(/layerscale_value is 0\.5.*expected 1/)
  expect(readVit(tinyCheckpoint(plain), { configFile: TYPES.radio }).config.layerScale).toBe(false)
})

test("scales that transformers writes among NVIDIA's names are read under theirs in memory", async () => {
  const scale = 'radio_model.model.blocks.0.layer_scale1.lambda1'
  const { config, weights } = read('radio', { [scale]: [4], [scale.replace('scale1', 'scale2')]: [4] })
  expect(config.layerScale).toBe(true)
  const values = await weights.read('encoder.block.0.layer_scale_1.gamma', [4])
  expect(values).toEqual(
    await tinyCheckpoint({ ...TINY_FAMILIES.radio, [scale]: [4] })
      .read(scale)
      .then(toFloat32),
  )
})

test("NVIDIA's own files are read without one, where heads are given, and it is said what is assumed", () => {
  const shapes = tinyCheckpoint(TINY_FAMILIES.radio)
  expect(() => readVit(shapes)).toThrow(/--heads/)
  expect(readVit(shapes, { heads: 2 }).assumptions.join(' ')).toMatch(/bilinear-square.*--positions/s)
})

test.each(['clip, both towers', 'siglip, both towers'] as const)(
  '%s: the text tower is named and left aside',
  (family) => {
    const { leftOver, weightShapes } = read(family, { 'text_model.final_layer_norm.weight': [4] })
    const textTower = [...leftOver].flatMap(([name, kind]) => (kind === 'text-tower' ? [name] : []))
    expect(textTower).toContain('text_model.final_layer_norm.weight')
    expect(textTower).toContain('logit_scale')
    expect(textTower.some((tensor) => tensor.startsWith('vision_model.'))).toBe(false)
    expect(weightShapes.size).toBe(read(family).weightShapes.size)
  },
)

test('a table of a rectangle serves its own grid alone, since transformers takes it for a square elsewhere', async () => {
  const image = { ...TYPES.vit, image_size: [4, 6] }
  const vit = read('vit', { 'embeddings.position_embeddings': [1, 7, 4] }, { configFile: image })
  const tables = await vit.readTables()
  const tablesOf = (rows: number, columns: number) =>
    gridTables(vit.config, tables, { rows, columns }, vit.config.positions?.rule ?? 'antialias')
  expect(tablesOf(2, 3).get('positions')?.shape).toEqual([6, 4])
  expect(() => tablesOf(3, 2)).toThrow('2 x 3')
})

test('an image size that the table does not have is a contradiction, not a crop of the table', () => {
  for (const family of ['vit', 'clip', 'siglip', 'aimv2', 'tipsv2', 'beit'] as const) {
    const configFile = { ...TYPES[family], image_size: 8 }
    expect(() => read(family, {}, { configFile }), family).toThrow(/image_size/)
  }
})

test('a masked autoencoder says that it leaves no patch out', () => {
  const said = (mask_ratio: number) =>
    read('vit', {}, { configFile: { ...TYPES.vit, model_type: 'vit_mae', mask_ratio } }).assumptions.join(' ')
  expect(said(0.75)).toContain('mask_ratio')
  expect(said(0)).not.toContain('mask_ratio')
})

test("SigLIP's query has the first rows of PyTorch's fused matrix, keys and values the rest", async () => {
  const { weights } = read('siglip')
  const [q, kv] = await Promise.all([
    weights.read('attn_pool.q.weight', [4, 4]),
    weights.read('attn_pool.kv.weight', [8, 4]),
  ])
  expect([...kv].map((value) => value - (q[0] ?? 0))).toEqual(Array.from({ length: 32 }, (_, i) => 16 + i))
})

test('the normalisation of C-RADIO is in its first layer: w (x - mean) / std = (w / std) x - w mean / std', async () => {
  const { weights } = read('radio')
  const checkpoint = tinyCheckpoint(TINY_FAMILIES.radio)
  const raw = async (name: string) => new Float32Array((await checkpoint.read(name)).bytes.slice().buffer)
  const [mean, std, embedder] = await Promise.all([
    raw('radio_model.input_conditioner.norm_mean'),
    raw('radio_model.input_conditioner.norm_std'),
    raw('radio_model.model.patch_generator.embedder.weight'),
  ])
  const [weight, bias] = await Promise.all([
    weights.read('conv_proj.weight', [4, 12]),
    weights.read('conv_proj.bias', [4]),
  ])
  // A patch of 2 x 2 pixels has four values of each channel.
  const terms = Array.from(embedder.subarray(0, 12), (value, at) => {
    const c = Math.floor(at / 4)
    expect(weight[at]).toBeCloseTo(value / (std[c] ?? 0), 5)
    return (value * (mean[c] ?? 0)) / (std[c] ?? 1)
  })
  const sum = terms.reduce((total, term) => total - term, 0)
  expect((bias[0] ?? 0) / sum).toBeCloseTo(1, 6)
})

test('tokens that a file of C-RADIO numbers and does not have are refused', async () => {
  // Of a tiny checkpoint only the first tensor begins with 0.
  const shapes: Shapes = Object.fromEntries(Object.entries(TINY_FAMILIES.radio).reverse())
  const vit = readVit(tinyCheckpoint(shapes), { configFile: TYPES.radio })
  const tables = await vit.readTables()
  expect(() => gridTables(vit.config, tables, { rows: 2, columns: 2 }, 'bilinear-square')).toThrow(
    /5 tokens in front/,
  )
})

test.each<readonly [PlainRecord, unknown]>([
  [
    { out_features: ['stem', 'stage1'] },
    [
      [0, true],
      [1, true],
    ],
  ],
  [{ out_indices: [-1], apply_layernorm: false }, [[1, false]]],
  [{}, null],
])('%j: the layers of a backbone are %j', (fields, taps) => {
  const found = read('tipsv2', {}, { configFile: { ...TYPES.tipsv2, ...fields } }).config.taps
  expect(found?.map(({ layer, isNormed }) => [layer, isNormed]) ?? null).toEqual(taps)
})

test('layers that are not there, or that two fields name differently, are refused', () => {
  const taps = (fields: PlainRecord) => () =>
    read('tipsv2', {}, { configFile: { ...TYPES.tipsv2, ...fields } }).config.taps
  expect(taps({ out_indices: [2] })).toThrow(/out_indices/)
  expect(taps({ out_features: ['stage2'] })).toThrow(/out_features/)
  expect(taps({ out_features: ['stem'], out_indices: [1] })).toThrow(/out_features/)
})

test("DINOv3's last layer is normed in a backbone whatever the file says, and its base may stand in a record", () => {
  const config = (fields: PlainRecord) =>
    read('dinov3', {}, { configFile: { ...TYPES.dinov3, ...fields } }).config
  expect(config({ out_indices: [0, 1], apply_layernorm: false }).taps).toEqual([
    { layer: 0, isNormed: false },
    { layer: 1, isNormed: true },
  ])
  const bands = (fields: PlainRecord) => config(fields).rotary?.bands
  expect(bands({ rope_parameters: { rope_type: 'default', rope_theta: 50 } })).toEqual(
    bands({ rope_theta: 50 }),
  )
  expect(() => bands({ rope_parameters: { rope_type: 'yarn', rope_theta: 50 } })).toThrow(/rope_parameters/)
  expect(() => bands({ rope_theta: 100, rope_parameters: { rope_theta: 50 } })).toThrow(/rope_parameters/)
})

test("settings of CLIP's first files that stand twice and differ are refused", () => {
  const both = TYPES['clip, both towers']
  const twice = (heads: number) => ({ ...both, vision_config_dict: { num_attention_heads: heads } })
  expect(read('clip, both towers', {}, { configFile: twice(2) }).config.heads).toBe(2)
  expect(() => read('clip, both towers', {}, { configFile: twice(4) })).toThrow(/vision_config_dict/)
})
