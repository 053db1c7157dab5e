/** Reads each registered network from numbers that are made up, since the weights of that many networks could not be kept here. */
import { describe, expect, test } from 'vitest'
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import { elementCount } from '../tensor/shape.js'
import { hashedCheckpoint, hashedValues } from '../verify/hashed-checkpoint.js'
import { decodeNetworks } from './decode-networks.js'
import { NETWORK_LINES } from './network-lines.js'
import { planVit } from './plan-vit.js'
import { readVit } from './read-vit.js'

const vits = [...decodeNetworks(NETWORK_LINES)]
  .filter(([, network]) => network.class === 'ViT')
  .map(
    ([name, { size, config, parameters }]) =>
      ({ name, size: size ?? [224, 224], config, parameters }) as const,
  )

describe('every network of class ViT that Birder registers', () => {
  test('there are 127 of them', () => expect(vits).toHaveLength(127))

  test.each(vits)('$name has exactly as many parameters as Birder counts', ({ name, size, parameters }) => {
    const { tensors } = hashedCheckpoint(name, size, 'x')
    let count = 0
    for (const [tensor, { shape }] of tensors)
      if (!/running_|num_batches/.test(tensor)) count += elementCount(shape)
    expect(count).toBe(parameters)
  })

  test.each(vits)(
    '$name is recognised from its tensors and plans with an embedding of its width',
    ({ name, size, config }) => {
      const vit = readVit(hashedCheckpoint(name, size, 'x'), { network: name })
      const { patchSize } = vit.config
      const grid = { rows: size[0] / patchSize, columns: size[1] / patchSize }
      const { plan, slots } = planVit(vit.config, grid, null)
      expect(plan.slots.get(slots.embedding)).toEqual([1, config.hidden_dim])
    },
  )
})

test('a bare state dict without name or config gives the same config as the registry, but for what leaves no trace', () => {
  const name = 'vit_reg4_l14_nps_ls'
  const checkpoint: Checkpoint = {
    ...hashedCheckpoint(name, [518, 518], 'x'),
    label: 'weights.pt',
    metadata: {},
  }
  const named = readVit(checkpoint, { network: name }).config
  expect(readVit(checkpoint).config).toEqual({ ...named, network: null })
})

test.each([
  ['vit_windowed_s16', [232, 224]],
  ['vit_t16', [224, 230]],
] as const)('%s of an input of %j, which is no whole number of patches, is refused', (name, size) => {
  const checkpoint = hashedCheckpoint(name, [224, 224], 'x')
  expect(() => readVit(checkpoint, { network: name, size })).toThrow(
    expect.objectContaining({
      code: 'contradiction',
      message: expect.stringMatching(
        /input of \d+ x \d+ pixels is no whole number of patches of 16.*trainedSize/,
      ),
    }),
  )
})

test('a network of another class is refused by its name', () => {
  const checkpoint = hashedCheckpoint('vit_s16', [224, 224], 'x')
  const configFile = { name: 'Hiera', model_config: {} }
  expect(() => readVit({ ...checkpoint, label: 'a.pt' }, { configFile })).toThrow(/class Hiera/)
})

test('a file that is named after a network of routed experts has none of them: refused', () => {
  const checkpoint = hashedCheckpoint('vit_b16', [224, 224], 'x')
  const label = 'vit_moe_b16_32e1s_2k_every2_avg_some-tag.pt'
  expect(() => readVit({ ...checkpoint, label })).toThrow(/router/)
})

test('an unknown network is answered with the nearest names', () => {
  const checkpoint = hashedCheckpoint('vit_s16', [224, 224], 'x')
  expect(() => readVit(checkpoint, { network: 'vit_s61' })).toThrow(/nearest names are .*vit_s16/)
})

test('a config that promises a million blocks is refused for the tensors that it lacks, before anything is planned', () => {
  const checkpoint = hashedCheckpoint('vit_s16', [224, 224], 'x')
  expect(() => readVit(checkpoint, { network: 'vit_s16', config: { num_layers: 1e6 } })).toThrow(
    /the config says 1000000 blocks, and the file has only \d+ tensors/,
  )
  const routed = hashedCheckpoint('vit_moe_t16_4e1s_2c_last1_avg', [32, 32], 'x')
  const network = 'vit_moe_t16_4e1s_2c_last1_avg'
  expect(() => readVit(routed, { network, config: { moe_num_shared_experts: 1e6 } })).toThrow(
    /the config says 1000004 experts in a block, and the file has only/,
  )
})

test('hashed numbers are those of the golden cases', () => {
  expect(Array.from(hashedValues('large-1', 'class_token', 3, 1, 0))).toEqual([
    0.07477641105651855, 0.9896247386932373, 0.21205520629882812,
  ])
})
