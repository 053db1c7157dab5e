import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { hashedCheckpoint } from '../verify/hashed-checkpoint.js'
import { decodeNetworks } from './decode-networks.js'
import { NETWORK_LINES } from './network-lines.js'
import { findNetwork, isRunnable, networkNames, networkOfFileOrNull } from './networks.js'

const line = 'vit_x ViT 224x192 86 16 12 12 768 3072 0.1 class_token=false window_size=[14,7]'

test('a line holds the six settings of every network by place and others by name', () => {
  expect([...decodeNetworks(line)]).toEqual([
    [
      'vit_x',
      {
        class: 'ViT',
        config: {
          patch_size: 16,
          num_layers: 12,
          num_heads: 12,
          hidden_dim: 768,
          mlp_dim: 3072,
          drop_path_rate: 0.1,
          class_token: false,
          window_size: [14, 7],
        },
        size: [224, 192],
        parameters: 86,
      },
    ],
  ])
})

test('a network that Birder could not build has neither size nor count', () => {
  const network = decodeNetworks(line.replace('224x192 86', '- -')).get('vit_x')
  expect(network).toMatchObject({ size: null, parameters: null })
})

test.each([
  ['a field too few', 'vit_x ViT 224x192 86 16 12 12 768 3072', /lacks its drop_path_rate/],
  ['two spaces', line.replace(' ViT', '  ViT'), /lacks its class/],
  ['one side only', line.replace('224x192', '224'), /the size 224,/],
  ['a word for a number', line.replace('768', 'wide'), /has wide for its hidden_dim/],
  ['a count that is none', line.replace(' 86 ', ' 8e '), /has 8e for its parameters/],
  ['a value without a key', line.replace('class_token=', '='), /has =false where key=value is expected/],
  ['a value that is no JSON', line.replace('=false', '=no'), /vit_x's class_token is not JSON/],
  ['a network twice', `${line}\n${line}`, /Two lines describe the network vit_x/],
])('%s: refused', (_, lines, message) => {
  expect(() => decodeNetworks(lines)).toThrow(message)
})

test("the networks are those of Birder's registry, by the digest of all their fields", () => {
  const digest = createHash('sha256').update(JSON.stringify([...decodeNetworks(NETWORK_LINES)]))
  expect(digest.digest('hex')).toBe('ece0e098045b892ce19938507ebb1bf1a7cd6ea1d57befe8065f8dcf388b20d5')
})

interface Dump {
  readonly networks: {
    readonly [name: string]: {
      readonly class: string
      readonly config: object
      readonly size?: readonly number[]
      readonly parameters_0_classes?: number
      /** Holds the shapes of all tensors but those of blocks behind the first. */
      readonly state?: { readonly [tensor: string]: readonly number[] }
    }
  }
}

const registry = '../shared/birder/configs.json'
test.skipIf(!existsSync(registry))(
  "the networks are Birder's registry to the last field, in its order",
  () => {
    const { networks } = JSON.parse(readFileSync(registry, 'utf8')) as Dump
    expect([...decodeNetworks(NETWORK_LINES)]).toEqual(
      Object.entries(networks).map(
        ([name, { class: kind, config, size = null, parameters_0_classes = null }]) => [
          name,
          { class: kind, config, size, parameters: parameters_0_classes },
        ],
      ),
    )
  },
)

test.skipIf(!existsSync(registry))(
  'every network that can be run has the tensors of Birder, each with its shape',
  () => {
    const { networks } = JSON.parse(readFileSync(registry, 'utf8')) as Dump
    const leftOut: string[] = []
    for (const [
      name,
      { size: [height, width] = [], state, parameters_0_classes: parameters },
    ] of Object.entries(networks)) {
      if (!isRunnable(name) || height === undefined || width === undefined || state === undefined) {
        leftOut.push(name)
        continue
      }
      const { tensors } = hashedCheckpoint(name, [height, width], 'x')
      const isFurther = (tensor: string) => /^(encoder\.block|body)\.[1-9]/.test(tensor)
      const own = [...tensors].filter(([tensor]) => !isFurther(tensor))
      const counted = Object.entries(state).filter(
        ([tensor]) => !tensor.endsWith('num_batches_tracked') && !isFurther(tensor),
      )
      expect(Object.fromEntries(own.map(([tensor, { shape }]) => [tensor, shape])), name).toEqual(
        Object.fromEntries(counted),
      )
      // Tables that are not learnt, running statistics, and what balances experts are no parameters.
      const parameterTensors = [...tensors].filter(
        ([tensor, { shape }]) =>
          !/running_|\.expert_bias$/.test(tensor) && (tensor !== 'pos_embedding' || shape.length > 2),
      )
      expect(
        parameterTensors.reduce((sum, [, { byteLength }]) => sum + byteLength / 4, 0),
        name,
      ).toBe(parameters)
    }
    // Birder itself cannot build this one.
    expect(leftOut.filter(isRunnable)).toEqual(['flexivit_reg8_b14_ap'])
    expect(leftOut.length).toBeLessThan(60)
  },
)

interface Weights {
  readonly weights: { readonly [name: string]: { readonly net: { readonly network: string } } }
}

const published = '../shared/birder/weights.json'
test.skipIf(!existsSync(published))(
  'every published file of these classes is of a network that can be run',
  () => {
    const { weights } = JSON.parse(readFileSync(published, 'utf8')) as Weights
    const refused = Object.values(weights).flatMap(({ net }) =>
      isRunnable(net.network) ? [] : [net.network],
    )
    expect(refused).toEqual([])
  },
)

test('a name is found in any case; one of Object is no network', () => {
  expect(findNetwork('ViT_B16').name).toBe('vit_b16')
  expect(() => findNetwork('constructor')).toThrow(/No network is named constructor/)
})

test('every file that is named as Birder names it tells its network, whatever the folder', () => {
  for (const name of networkNames()) {
    expect(networkOfFileOrNull(`models/vit/${name}_tag.pt`)).toBe(name)
    expect(networkOfFileOrNull(`C:\\models\\${name.toUpperCase()}.safetensors`)).toBe(name)
  }
})

test('the longest name wins, and a name that only begins the word is none', () => {
  expect(networkOfFileOrNull('vit_b16_ap_x.pt')).toBe('vit_b16_ap')
  expect(networkOfFileOrNull('vit_b16x.pt')).toBeNull()
  expect(networkOfFileOrNull('weights.pt')).toBeNull()
})
