import { describe, expect, test } from 'vitest'
import { Network } from '../encoder/network.js'
import { createReferenceEngine } from '../engine/reference/reference-engine.js'
import { readVit } from '../model/read-vit.js'
import { hashedCheckpoint } from '../verify/hashed-checkpoint.js'
import { inferBatch, probabilities } from './infer-image.js'
import { ndArray } from './nd-array.js'
import { BirderNet } from './net.js'
import {
  getChannelsFromSignature,
  getNumLabelsFromSignature,
  getSizeFromSignature,
  signatureOf,
} from './signature.js'

const small = { patch_size: 14, num_layers: 2, num_heads: 2, hidden_dim: 32, mlp_dim: 64 }

/** Makes a tiny network with registers from the registry's entry by overriding its sizes. */
async function tinyNet(): Promise<BirderNet> {
  const { tensors, ...rest } = hashedCheckpoint('vit_reg4_s14_nps_ls', [56, 84], 'tiny', small)
  return new BirderNet(
    await Network.load(
      readVit({ tensors, ...rest }, { network: 'vit_reg4_s14_nps_ls', config: small }),
      createReferenceEngine(),
    ),
  )
}

const image = (height: number, width: number, batch = 1) =>
  ndArray(
    Float32Array.from({ length: batch * 3 * height * width }, (_, i) => Math.sin(i * 0.7)),
    [batch, 3, height, width],
  )

describe('the network object', () => {
  test('shapes and order are Birder’s: registers, class token, patches', async () => {
    using net = await tinyNet()
    const features = await net.forwardFeatures(image(56, 84))
    expect(features.shape).toEqual([1, 4 + 1 + 4 * 6, 32])
    const embedding = await net.embedding(image(56, 84))
    expect(embedding.shape).toEqual([1, 32])
    expect(Array.from(features.data.subarray(4 * 32, 5 * 32))).toEqual(Array.from(embedding.data))
  })

  test('detection features are maps with channels first, under stage1', async () => {
    using net = await tinyNet()
    const { stage1, ...others } = await net.detectionFeatures(image(56, 84, 2))
    expect(stage1?.shape).toEqual([2, 32, 4, 6])
    expect(others).toEqual({})
  })

  test('without a classifier the scores are the embedding, and probabilities sum to 1', async () => {
    using net = await tinyNet()
    const [logits, embedding] = await inferBatch(net, image(56, 84), {
      returnEmbedding: true,
      returnLogits: true,
    })
    expect(logits.data).toEqual(embedding?.data)
    const [out] = await inferBatch(net, image(56, 84))
    expect(out.data.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5)
  })

  test('another size is refused until it is asked for, and both ways differ', async () => {
    using net = await tinyNet()
    await expect(net.embedding(image(28, 28))).rejects.toThrow(/expects 56 x 84 pixels, got 28 x 28/)
    net.setDynamicSize()
    const dynamic = await net.embedding(image(28, 28))
    net.setDynamicSize(false)
    net.adjustSize([28, 28])
    const adjusted = await net.embedding(image(28, 28))
    expect(dynamic.data).not.toEqual(adjusted.data)
    expect(() => net.setDynamicSize()).toThrow(/twice/)
  })

  test('a missing batch axis is named', async () => {
    using net = await tinyNet()
    await expect(net.embedding(ndArray(new Float32Array(3 * 56 * 84), [3, 56, 84]))).rejects.toThrow(
      /unsqueeze\(0\)/,
    )
  })

  test('after disposing it says so', async () => {
    const net = await tinyNet()
    net[Symbol.dispose]()
    await expect(net.embedding(image(56, 84))).rejects.toThrow(/disposed/)
  })
})

describe('arrays', () => {
  test('unsqueeze puts an axis in, counting from either end', () => {
    const array = ndArray(new Float32Array(6), [2, 3])
    expect(array.unsqueeze(0).shape).toEqual([1, 2, 3])
    expect(array.unsqueeze(-1).shape).toEqual([2, 3, 1])
    expect(() => array.unsqueeze(3)).toThrow(/no place 3/)
  })

  test('numbers must fill the shape', () =>
    expect(() => ndArray(new Float32Array(5), [2, 3])).toThrow(/holds 6 numbers, got 5/))

  test('softmax works row by row', () => {
    expect(Array.from(probabilities(ndArray(Float32Array.of(0, 0, 1000, 0), [2, 2])).data)).toEqual([
      0.5, 0.5, 1, 0,
    ])
  })
})

describe('signatures', () => {
  const signature = { inputs: [{ data_shape: [0, 3, 518, 224] }], outputs: [{ data_shape: [0, 10] }] }

  test('size, channels and labels', () => {
    expect(getSizeFromSignature(signature)).toEqual([518, 224])
    expect(getChannelsFromSignature(signature)).toBe(3)
    expect(getNumLabelsFromSignature(signature)).toBe(10)
  })

  test('a file without one is sent to loadEncoder', () => {
    expect(signatureOf({ signature }, 'x')).toBe(signature)
    expect(() => signatureOf({}, 'x.pt')).toThrow(/x.pt has no signature.*loadEncoder/)
  })
})
