import { expect, test } from 'vitest'
import {
  linear,
  type Shapes,
  TINY_NETWORKS,
  tinyCheckpoint,
  vectors,
} from '../../../test/support/tiny-networks.js'
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { readVit } from '../read-vit.js'
import type { VitHints } from './dialect.js'

const head = (width: number): Shapes => ({
  ...vectors('block_list.0.norm1', width),
  'block_list.0.attn.qkv.weight': [3 * width, width],
  ...linear('block_list.0.attn.proj', width, width),
  'block_list.0.ls1.gamma': [width],
  ...vectors('block_list.0.norm2', width),
  ...linear('block_list.0.mlp.w1', 8, width),
  ...linear('block_list.0.mlp.w2', 8, width),
  ...linear('block_list.0.mlp.w3', width, 8),
  'block_list.0.ls2.gamma': [width],
  ...vectors('ln_final', width),
})

function withTensors(network: Shapes, own: Shapes): Checkpoint {
  const prefixed = Object.entries(own).map(([name, shape]) => [`vision_head.${name}`, shape] as const)
  return { ...tinyCheckpoint({ ...network, ...Object.fromEntries(prefixed) }), head: 'head.pth' }
}

const { facebook, timm, 'hugging-face': huggingFace } = TINY_NETWORKS
const read = (network: Shapes, own: Shapes, hints: VitHints = {}) =>
  readVit(withTensors(network, own), { heads: 2, ...hints })

test.each([
  ['facebook', facebook],
  ['hugging-face', huggingFace],
])('a head stands on a DINOv2 whose layout is that of %s', async (_layout, network) => {
  const { config, weights, weightShapes } = read(network, head(4))
  expect(config.head).toEqual({
    depth: 1,
    hidden: 8,
    epsilon: 1e-5,
    qkvBias: false,
    layerScale: true,
    projection: null,
    patchLayer: 1,
  })
  expect(config.embedding).toBe('class-mean')
  expect(weightShapes.get('vision_head.block.0.attn.qkv.weight')).toEqual([12, 4])
  const first = await weights.read('vision_head.norm.weight', [4])
  const [own] = await weights.read('norm.weight', [4])
  expect(first[0]).not.toBe(own)
})

test('what its file does not tell is assumed aloud, and what a person says is not', () => {
  const said = { headPooling: 'max', headPatchLayer: 1 } as const
  expect(read(facebook, head(4)).assumptions.at(-1)).toMatch(/headPooling.*headPatchLayer/)
  expect(read(facebook, head(4), said).assumptions.join()).not.toMatch('head.pth')
  expect(read(facebook, head(4), said).config).toMatchObject({
    pooling: { kind: 'class-max' },
    embedding: 'pooled',
  })
})

test.each<readonly [string, Shapes, Shapes, VitHints, string]>([
  ['of another width, with both widths', facebook, head(6), {}, '6 wide, and the network of it is 4 wide'],
  ['of no such tensors', facebook, vectors('norm', 4), {}, 'no vision head of dino.txt'],
  ['with a tensor more', facebook, { ...head(4), more: [1] }, {}, 'head.pth has a tensor more that'],
  ['with patches of a block that is not there', facebook, head(4), { headPatchLayer: 2 }, 'has 1 blocks'],
  ['with patches of no block', facebook, head(4), { headPatchLayer: 0 }, 'has 1 blocks'],
  [
    'on a network with a classifier',
    { ...timm, ...linear('head', 7, 4) },
    head(4),
    {},
    'without a classifier',
  ],
])('a head %s is refused', (_what, network, own, hints, message) => {
  expect(() => read(network, own, hints)).toThrow(
    expect.objectContaining({ name: 'CheckpointError', message: expect.stringContaining(message) }),
  )
})

test('the head and the text tower alone are refused with what to give instead', () => {
  expect(() => readVit(tinyCheckpoint(head(4)))).toThrow(/this file as its head/)
  const text = { 'token_embedding.weight': [3, 4], ...vectors('blocks.0.attention_norm', 4) }
  expect(() => readVit(tinyCheckpoint(text))).toThrow(/text tower/)
})

test('what is wrong with a head is said of its file, by the name that a tensor has there', () => {
  const { 'block_list.0.mlp.w2.weight': _, ...without } = head(4)
  expect(() => read(facebook, without)).toThrow(/head\.pth has no tensor block_list\.0\.mlp\.w2\.weight/)
})

test('how a head is put on is refused where there is none', () => {
  for (const hints of [{ headPooling: 'max' }, { headPatchLayer: 1 }] as const)
    expect(() => readVit(tinyCheckpoint(facebook), { heads: 2, ...hints })).toThrow(
      /no head put on it.*headPooling/,
    )
})
