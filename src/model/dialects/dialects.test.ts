/** Reads tiny networks whose numbers tell which tensor they come from. */
import { expect, test } from 'vitest'
import { type Shapes, TINY_NETWORKS, tinyCheckpoint } from '../../../test/support/tiny-networks.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { readVit } from '../read-vit.js'
import type { VitHints } from './dialect.js'

type Name = Exclude<keyof typeof TINY_NETWORKS, 'birder'>

/** Lists each canonical weight with the tensors and the part of their elements that make it; tokens with positions are looked at apart. */
type Expected = readonly (readonly [
  weight: string,
  tensors: readonly string[],
  part?: readonly [number, number],
])[]

const both = (weight: string, ...modules: readonly string[]): Expected => [
  [`${weight}.weight`, modules.map((module) => `${module}.weight`)],
  [`${weight}.bias`, modules.map((module) => `${module}.bias`)],
]
const halves = (module: string): Expected => [
  ['encoder.block.0.mlp.fc1_g.weight', [`${module}.weight`], [0, 32]],
  ['encoder.block.0.mlp.fc1_g.bias', [`${module}.bias`], [0, 8]],
  ['encoder.block.0.mlp.fc1_x.weight', [`${module}.weight`], [32, 64]],
  ['encoder.block.0.mlp.fc1_x.bias', [`${module}.bias`], [8, 16]],
]
const meta: Expected = [
  ...both('conv_proj', 'patch_embed.proj'),
  ...both('encoder.block.0.norm1', 'blocks.0.norm1'),
  ...both('encoder.block.0.attn.qkv', 'blocks.0.attn.qkv'),
  ...both('encoder.block.0.attn.proj', 'blocks.0.attn.proj'),
  ['encoder.block.0.layer_scale_1.gamma', ['blocks.0.ls1.gamma']],
  ...both('encoder.block.0.norm2', 'blocks.0.norm2'),
  ['encoder.block.0.layer_scale_2.gamma', ['blocks.0.ls2.gamma']],
  ...both('norm', 'norm'),
]
const layer = 'encoder.layer.0'
const huggingFace: Expected = [
  ['reg_tokens', ['embeddings.register_tokens']],
  ...both('conv_proj', 'embeddings.patch_embeddings.projection'),
  ...both('encoder.block.0.norm1', `${layer}.norm1`),
  ...both(
    'encoder.block.0.attn.qkv',
    `${layer}.attention.attention.query`,
    `${layer}.attention.attention.key`,
    `${layer}.attention.attention.value`,
  ),
  ...both('encoder.block.0.attn.proj', `${layer}.attention.output.dense`),
  ['encoder.block.0.layer_scale_1.gamma', [`${layer}.layer_scale1.lambda1`]],
  ...both('encoder.block.0.norm2', `${layer}.norm2`),
  ['encoder.block.0.layer_scale_2.gamma', [`${layer}.layer_scale2.lambda1`]],
  ...both('norm', 'layernorm'),
]
const twoLayers = (block: string): Expected => [
  ...both('encoder.block.0.mlp.0', `${block}.mlp.fc1`),
  ...both('encoder.block.0.mlp.3', `${block}.mlp.fc2`),
]
const gateOut = 'encoder.block.0.mlp.fc2'

const expected: { readonly [name in Name]: Expected } = {
  facebook: [...meta, ['reg_tokens', ['register_tokens']], ...twoLayers('blocks.0')],
  'facebook, gated': [
    ...meta,
    ['reg_tokens', ['register_tokens']],
    ...halves('blocks.0.mlp.w12'),
    ...both(gateOut, 'blocks.0.mlp.w3'),
  ],
  timm: [...meta, ...twoLayers('blocks.0'), ...both('classifier', 'head')],
  'timm, gated': [...meta, ...halves('blocks.0.mlp.fc1'), ...both(gateOut, 'blocks.0.mlp.fc2')],
  'hugging-face': [...huggingFace, ...twoLayers(layer)],
  'hugging-face, gated': [
    ...huggingFace,
    ...halves(`${layer}.mlp.weights_in`),
    ...both(gateOut, `${layer}.mlp.weights_out`),
  ],
}

const names = Object.keys(expected) as Name[]

test.each(names)('%s: every canonical weight is made of the tensors that hold it', async (name) => {
  const file = tinyCheckpoint(TINY_NETWORKS[name])
  const vit = readVit(file, { heads: 2 })
  expect(vit.dialect).toBe(name.split(',')[0])
  const raw = async (tensor: string) => {
    const { bytes } = await file.read(tensor)
    return Array.from(new Float32Array(bytes.buffer as ArrayBuffer))
  }
  const weight = async (canonical: string) => {
    const shape = vit.weightShapes.get(canonical)
    if (shape === undefined) throw new Error(`The plan has no ${canonical}.`)
    return Array.from(await vit.weights.read(canonical, shape))
  }
  for (const [canonical, tensors, part] of expected[name]) {
    const whole = (await Promise.all(tensors.map(raw))).flat()
    expect(await weight(canonical), canonical).toEqual(part === undefined ? whole : whole.slice(...part))
  }
  const tokens = name.startsWith('timm') ? ['class_token', 'reg_tokens'] : ['class_token']
  const listed = [...tokens, ...expected[name].map(([canonical]) => canonical)]
  expect([...vit.weightShapes.keys()].sort()).toEqual(listed.sort())
})

test.each(names)(
  '%s: row 0 of the position table is added to the class token, the others are the table',
  async (name) => {
    const { weights, readTables } = readVit(tinyCheckpoint(TINY_NETWORKS[name]), { heads: 2 })
    // The class token is tensor 0 and the position table tensor 2, whose elements start at 200.
    expect(Array.from(await weights.read('class_token', [1, 4]))).toEqual([200, 202, 204, 206])
    // timm's registers, which are tensor 1, have the next two rows.
    const registers = [204 + 100, 206 + 100, 208 + 100, 210 + 100, 212 + 100, 214 + 100, 216 + 100, 218 + 100]
    const placed = name.startsWith('timm')
    if (placed) expect(Array.from(await weights.read('reg_tokens', [2, 4]))).toEqual(registers)
    const first = placed ? 212 : 204
    expect(Array.from((await readTables()).get('positions') ?? [])).toEqual(
      Array.from({ length: 16 }, (_, i) => first + i),
    )
  },
)

test.each(names)('%s: a tensor that is missing is named, and so is one too many', (name) => {
  const shapes: Shapes = TINY_NETWORKS[name]
  // timm has networks without these two.
  const needed = Object.keys(shapes).filter(
    (tensor) => /\.bias$/.test(tensor) && !/(qkv|head)\.bias$/.test(tensor),
  )
  expect(needed.length).toBeGreaterThan(5)
  for (const missing of needed) {
    const rest = Object.fromEntries(Object.entries(shapes).filter(([tensor]) => tensor !== missing))
    expect(refusalOrNull(rest), missing).toMatchObject({ code: 'missing-tensor', tensor: missing })
  }
  expect(refusalOrNull({ ...shapes, 'blocks.0.surplus': [1] })).toMatchObject({
    code: 'unexpected-tensor',
    tensor: 'blocks.0.surplus',
  })
})

function refusalOrNull(shapes: Shapes): CheckpointError | null {
  try {
    readVit(tinyCheckpoint(shapes), { heads: 2 })
    return null
  } catch (error) {
    if (error instanceof CheckpointError) return error
    throw error
  }
}

test.each([
  ['facebook', 'blocks.0.mlp.fc1.weight', undefined, 'missing-tensor'],
  ['facebook, gated', 'blocks.0.mlp.w3.weight', [8], 'wrong-shape'],
  ['hugging-face, gated', 'encoder.layer.0.mlp.weights_out.weight', undefined, 'missing-tensor'],
  ['timm', 'head.weight', [], 'wrong-shape'],
] as const)(
  '%s: %s, from which a size is read, is named where it shows none',
  (name, tensor, shape, code) => {
    const { [tensor]: _, ...rest }: Shapes = TINY_NETWORKS[name]
    expect(refusalOrNull(shape === undefined ? rest : { ...rest, [tensor]: shape })).toMatchObject({
      code,
      tensor,
    })
  },
)

test("birder: registers' positions come first in the table, then the class token's, then the patches'", async () => {
  const { weights, readTables, config } = readVit(tinyCheckpoint(TINY_NETWORKS.birder), { heads: 2 })
  expect(config).toMatchObject({ registers: 2, size: [4, 4], width: 4, hidden: 8, depth: 1 })
  const plus = (first: number, row: number, count: number) =>
    Array.from({ length: count }, (_, i) => first + i + 200 + 4 * row + i)
  expect(Array.from(await weights.read('class_token', [1, 4]))).toEqual(plus(0, 2, 4))
  expect(Array.from(await weights.read('reg_tokens', [2, 4]))).toEqual(plus(100, 0, 8))
  expect(Array.from((await readTables()).get('positions') ?? [])).toEqual(
    Array.from({ length: 16 }, (_, i) => 212 + i),
  )
})

test.each(['facebook', 'timm', 'hugging-face'] as const)(
  "%s: settings in Birder's words are refused and not passed over",
  (name) => {
    const read = (hints: VitHints) => readVit(tinyCheckpoint(TINY_NETWORKS[name]), { heads: 2, ...hints })
    expect(read({ config: {} }).config.heads).toBe(2)
    expect(() => read({ config: { act_layer_type: 'relu' } })).toThrow(
      /laid out as in .*config sets act_layer_type/,
    )
    expect(() => read({ network: 'vit_s16' })).toThrow(/laid out as in .*network \(--network\) is "vit_s16"/)
  },
)
