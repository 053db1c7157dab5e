import { createHash } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { Network } from '../../encoder/network.js'
import { createReferenceEngine } from '../../engine/reference/reference-engine.js'
import type { RgbImage } from '../../image/image.js'
import { readVit } from '../../model/read-vit.js'
import { hashedCheckpoint } from '../../verify/hashed-checkpoint.js'
import { classificationTransform } from '../classification-transform.js'
import { featureMatching } from '../feature-matching.js'
import { ndArray } from '../nd-array.js'
import { BirderNet } from '../net.js'
import { AttentionRollout } from './attention-rollout.js'
import { FeaturePCA } from './feature-pca.js'
import { predictClass } from './interpretability-result.js'
import { MoERouting } from './moe-routing.js'
import { showMaskOnImage } from './show-mask-on-image.js'

const stats = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const
const small = { patch_size: 14, num_layers: 2, num_heads: 2, hidden_dim: 32, mlp_dim: 64 }
const photo = (height: number, width: number): RgbImage => ({
  height,
  width,
  data: Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7919) % 256),
})
const transform = classificationTransform([56, 84], stats)
let net: BirderNet

beforeAll(async () => {
  const checkpoint = hashedCheckpoint('vit_reg4_s14_nps_ls', [56, 84], 'tiny', small)
  const vit = readVit(checkpoint, { network: 'vit_reg4_s14_nps_ls', config: small })
  net = new BirderNet(await Network.load(vit, createReferenceEngine()))
})

/** Makes numbers from 0 to 1 without a pattern, the same everywhere. */
const values = (count: number) =>
  Float64Array.from({ length: count }, (_, i) => ((i + 1) * 0.6180339887498949) % 1)

// Digests of what birder 0.8.4 with matplotlib gives for the same numbers.
test.each([
  [0.4, 'd12bb4bee44ecdafcb41ecfc81a9b704c7c68fc73272bef10a1beff85b3170f7'],
  [0.5, '5c818b4227bf42cf4db74b42b1741abde2e697ac30aa9787f2466194109417b5'],
])(
  'the overlay of a mask with values below 0 and above 1 has Birder’s bytes, at the weight %d',
  (weight, digest) => {
    const image = ndArray(
      Float32Array.from(values(3600), (value) => Math.min(1, Math.floor(value * 256) / 255)),
      [40, 30, 3],
    )
    const mask = ndArray(
      Float32Array.from(values(1200), (value) => value * 1.2 - 0.1),
      [40, 30],
    )
    const { data, ...size } = showMaskOnImage(image, mask, weight)
    expect(size).toEqual({ height: 40, width: 30 })
    expect(createHash('sha256').update(data).digest('hex')).toBe(digest)
  },
)

test('a rollout has the shapes of the input, and its scores', async () => {
  const result = await new AttentionRollout(net, transform, stats).call(photo(100, 90))
  expect(result.originalImage.shape).toEqual([56, 84, 3])
  expect(result.rawOutput.shape).toEqual([56, 84])
  expect([result.visualization.height, result.visualization.width]).toEqual([56, 84])
  expect(result.visualization.data).toHaveLength(56 * 84 * 3)
  expect(result.logits?.shape).toEqual([1, 32])
  expect(result.predictedClass).toBe(result.logits?.data.indexOf(Math.max(...(result.logits?.data ?? []))))
})

test('attention is in Birder’s order: rows sum to 1, and heads that are made one are those of each', async () => {
  const input = transform(photo(56, 84)).unsqueeze(0)
  const each = await net.forwardWithAttention(input)
  const tokens = 5 + 24
  expect(each.attentions.map(({ shape }) => shape)).toEqual(Array(2).fill([1, 2, tokens, tokens]))
  const [layer] = each.attentions
  const first = layer?.data.subarray(0, tokens) ?? new Float32Array()
  expect(first.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5)
  const joined = await net.forwardWithAttention(input, { headFusion: 'max' })
  const heads = layer?.data ?? new Float32Array()
  const size = tokens * tokens
  for (const at of [0, 5, size - 1])
    expect(joined.attentions[0]?.data[at]).toBeCloseTo(Math.max(heads[at] ?? 0, heads[size + at] ?? 0), 6)
  expect(each.logits.data).toEqual(joined.logits.data)
})

test('the image comes back from what the network got of it', async () => {
  const given = photo(56, 84)
  const { originalImage, visualization, rawOutput, logits, predictedClass } = await new FeaturePCA(
    net,
    transform,
    stats,
    {
      normalize: true,
    },
  ).call(given)
  expect(originalImage.data).toEqual(Float32Array.from(given.data, (level) => level / 255))
  expect(rawOutput.shape).toEqual([4, 6, 3])
  expect(Math.min(...rawOutput.data)).toBe(0)
  expect(Math.max(...rawOutput.data)).toBeCloseTo(1, 6)
  expect([visualization.height, visualization.width]).toEqual([56, 84])
  expect([logits, predictedClass]).toEqual([null, null])
})

test('an image matches itself patch by patch, each box where it is', async () => {
  const image = photo(56, 84)
  const { matches, thresholdSimilarity } = await featureMatching(net, image, image, transform, {
    threshold: 0.99,
  })
  expect(thresholdSimilarity).toBeCloseTo(1, 6)
  expect(matches).toHaveLength(24)
  for (const { patch1, patch2 } of matches) expect(patch1).toEqual(patch2)
  const last = matches.find(({ patch1 }) => patch1.index === 23)
  expect(last?.patch1.box).toEqual([70, 42, 84, 56])
  expect(last?.patch1.center).toEqual([77, 49])
})

test('of scores the first largest is the class', () => {
  expect(predictClass(ndArray(Float32Array.of(1, 2, 0.5), [1, 3]))).toBe(1)
  expect(predictClass(ndArray(Float32Array.of(2, 2), [1, 2]))).toBe(0)
})

test('mistakes are told', async () => {
  const image = photo(56, 84)
  expect(() => new AttentionRollout(net, transform, stats, { discardRatio: 2 })).toThrow('[0, 1], got 2')
  expect(() => new AttentionRollout(net, transform, stats, { headFusion: 'sum' as 'max' })).toThrow('got sum')
  await expect(new FeaturePCA(net, transform, stats, { stage: 'stage9' }).call(image)).rejects.toThrow(
    'no stage stage9: this network gives stage1',
  )
  await expect(new MoERouting(net, transform, stats).call(image)).rejects.toMatchObject({
    code: 'unsupported',
  })
})
