/**
 * Birder's classes that have the tensors of a ViT and compute something else, in files that are not named as Birder names them. Each is refused by
 * a trace that it leaves, or what is assumed is said, with the option that settles it.
 */
import { expect, test } from 'vitest'
import type { Checkpoint, TensorInfo } from '../../src/checkpoint/checkpoint.js'
import { CheckpointError } from '../../src/checkpoint/checkpoint-error.js'
import { decodeNetworks } from '../../src/model/decode-networks.js'
import { NETWORK_LINES } from '../../src/model/network-lines.js'
import { canRun, isPlain, networksLikeVit, type RegisteredNetwork } from '../../src/model/networks.js'
import { readVit } from '../../src/model/read-vit.js'
import type { PlainRecord } from '../../src/plain-value.js'
import { elementCount, type Shape } from '../../src/tensor/shape.js'
import { hashedCheckpoint } from '../../src/verify/hashed-checkpoint.js'

const STATS = { mean: [0.5248, 0.5372, 0.5086], std: [0.2135, 0.2103, 0.2622] }
const networks = networksLikeVit()
const network = (name: string): RegisteredNetwork => {
  const found = networks.find((one) => one.name === name)
  if (found === undefined) throw new Error(`There is no network ${name}.`)
  return found
}

/** Leaves out the settings that ViT does not have, which leave nothing in tensors. */
function settingsThatShow(config: PlainRecord): PlainRecord {
  const foreign = /^(rope_|pt_grid|window|num_windows|global_attn|naflex|pos_embed_inter)/
  return Object.fromEntries(Object.entries(config).filter(([key]) => !foreign.test(key)))
}

/** Makes a file as Birder's `checkpoint_model` writes it. */
function checkpointOf({ config }: RegisteredNetwork, label: string, more: PlainRecord = {}): Checkpoint {
  const patch = config.patch_size === 14 ? 14 : config.patch_size === 32 ? 32 : 16
  const size = [8 * patch, 8 * patch] as const
  const made = hashedCheckpoint('vit_t16', size, 'x', settingsThatShow(config))
  const metadata: PlainRecord = {
    birder_version: '0.8.4',
    task: 'image_classification',
    signature: { inputs: [{ data_shape: [0, 3, ...size] }], outputs: [{ data_shape: [0, 0] }] },
    class_to_idx: {},
    rgb_stats: STATS,
    ...more,
  }
  return { ...made, label, metadata }
}

function refusalOrNull(read: () => unknown): CheckpointError | null {
  try {
    read()
    return null
  } catch (error) {
    if (error instanceof CheckpointError) return error
    throw error
  }
}

const FOREIGN = [
  'rope_vit_t16',
  'rope_vit5_reg4_t16',
  'rope_flexivit_s16',
  'vit_windowed_reg4_s14_nps_ls',
  'vit_windowed_s16',
]

test.each(FOREIGN)(
  '%s as best.pt is refused, or it is said that another is assumed and how to say which',
  (name) => {
    const file = checkpointOf(network(name), 'best.pt')
    const refusal = refusalOrNull(() => readVit(file))
    const said = refusal?.message ?? readVit(file).assumptions.join(' ')
    expect(said).toContain(network(name).class)
    expect(said).toContain('--network')
  },
)

test('each network is made here of as many numbers as Birder counts in it', () => {
  for (const { name, config, size, parameters } of networks) {
    // What Birder could not build has no count, and a norm over batches has running statistics, which are no parameters.
    if (size === null || parameters === null || config.stem_norm_layer_type === 'BatchNorm2d') continue
    const { tensors } = hashedCheckpoint('vit_t16', size, 'x', settingsThatShow(config))
    const count = [...tensors.values()].reduce((sum, { byteLength }) => sum + byteLength / 4, 0)
    expect(count, name).toBe(parameters)
  }
})

test.each<readonly [string, readonly (readonly [string, Shape])[]]>([
  ['routed experts', [['encoder.block.11.mlp.router.gate.weight', [4, 192]]]],
])('a network that is told by its own tensors is refused as it: %s', (kind, own) => {
  const file = withTensors(checkpointOf(network('vit_t16'), 'best.pt'), own)
  expect(refusalOrNull(() => readVit(file))).toMatchObject({
    code: 'unsupported-network',
    message: expect.stringContaining(kind),
  })
})

/** Adds tensors of these names and shapes, or changes the shapes of those that are there. */
function withTensors(file: Checkpoint, own: readonly (readonly [string, Shape])[]): Checkpoint {
  const added = own.map(([name, shape]): [string, TensorInfo] => [
    name,
    { dtype: 'F32', shape, byteLength: 4 * elementCount(shape) },
  ])
  return { ...file, tensors: new Map([...file.tensors, ...added]) }
}

const CUSTOM = { num_layers: 7 }
const custom = (name: string, label: string) =>
  checkpointOf({ ...network(name), config: { ...network(name).config, ...CUSTOM } }, label)

test.each(['rope_vit5_reg4_t16', 'rope_cs_vit_reg4_b16_nape_ls'])(
  'a network that nobody registered is refused where only %s and others that cannot be run are built so',
  (name) => {
    expect(refusalOrNull(() => readVit(custom(name, 'best.pt'), { heads: 3 }))).toMatchObject({
      code: 'unsupported-network',
      message: expect.stringMatching(
        /no registered one, and only networks such as .*config\.json.*--network/,
      ),
    })
  },
)

test.each([
  ['my_rope_vit_100.pt', 'RoPE_ViT'],
  ['runs/vit_windowed-sea/best.pt', 'ViT_Windowed'],
  ['naflex_rope_vit_s12.pt', 'NaFlex_RoPE_ViT'],
  ['rope_vit_s16_larger/last.pt', 'RoPE_ViT'],
])('a network that nobody registered is refused by the class of which its path speaks: %s', (label, kind) => {
  expect(refusalOrNull(() => readVit(custom('vit_t16', label), { heads: 3 }))).toMatchObject({
    code: 'unsupported-network',
    message: expect.stringContaining(`its path speaks of Birder's class ${kind}:`),
  })
})

test('of networks that have the same tensors, the class of which a path speaks is the one that is meant', () => {
  const file = checkpointOf(network('vit_t16'), 'rope_vit_of_mine/best.pt')
  expect(readVit(file).assumptions.join(' ')).toContain('rope_vit_t16 (RoPE_ViT), which is assumed')
  expect(readVit(file).config.rotary).not.toBeNull()
  const nearer = { ...file, label: 'rope_vit_of_mine/baseline-vit_t16.pt' }
  expect(readVit(nearer).assumptions.join(' ')).toMatch(
    /vit_t16 \(ViT\) is assumed, since its path speaks of it/,
  )
})

test('tensors that only a rotary network has are taken for those of it, which is said', () => {
  const { config, assumptions } = readVit(checkpointOf(network('rope_vit5_reg4_t16'), 'best.pt'))
  expect(config.rotary?.registers).toEqual({ temperature: 100 })
  expect(assumptions.join(' ')).toContain('rope_vit5_reg4_t16 (RoPE_ViT5) is assumed')
})

test.each(FOREIGN)('%s is read as itself where a name tells it', (name) => {
  const file = checkpointOf(network(name), 'best.pt')
  const told = [
    readVit({ ...file, label: `models/${name}_tag_0.pt` }),
    readVit({ ...file, label: `runs/best-${name}.pt` }),
    readVit({ ...file, label: `runs/${name}_tag/best.pt` }),
    readVit(file, { network: name }),
    readVit(file, { configFile: { registered_name: name } }),
  ]
  for (const { config } of told) {
    expect(config.rotary === null).toBe(name.startsWith('vit_windowed'))
    expect(config.windows !== null).toBe(name.startsWith('vit_windowed'))
  }
})

test('of all networks none that computes something else is read without a word', () => {
  const silent = networks.filter((one) => {
    if (isPlain(one)) return false
    const file = checkpointOf(one, 'best.pt')
    let said = 0
    const refusal = refusalOrNull(() => {
      said = readVit(file).assumptions.length
    })
    return refusal === null && said === 0
  })
  expect(silent.map(({ name }) => name)).toEqual([])
  expect(networks.length).toBeGreaterThan(250)
})

test('a file that is named after any network of a class that cannot be run is refused as that class', () => {
  const file = checkpointOf(network('vit_t16'), 'best.pt')
  for (const [name, one] of decodeNetworks(NETWORK_LINES)) {
    if (canRun(one)) continue
    const refusal = refusalOrNull(() => readVit({ ...file, label: `${name}_x.pt` }))
    expect(refusal?.message, name).toContain(one.class)
  }
})

test.each(['flexivit_s16', 'naflex_vit_b16'])(
  '%s computes what ViT does, and runs under its name',
  (name) => {
    const { config, assumptions } = readVit(checkpointOf(network(name), `${name}_x.pt`))
    expect(config).toMatchObject({ network: name, rgbStats: STATS })
    expect(assumptions).toEqual([])
  },
)

test('a network with settings that no registered one has is asked for its heads, and what is assumed is said', () => {
  const own = { ...network('vit_t16'), config: { ...network('vit_t16').config, num_layers: 3 } }
  const file = checkpointOf(own, 'best.pt')
  expect(refusalOrNull(() => readVit(file))?.message).toMatch(/heads.*--heads/)
  expect(readVit(file, { heads: 3 }).assumptions.join(' ')).toMatch(
    /no registered one: Birder's class ViT is assumed.*such as .*\(RoPE_ViT\).*\(ViT_Windowed\).*config\.json.*--network/,
  )
})

test('a bare state dict says that its normalisation is assumed, unless it is told', () => {
  const file = { ...checkpointOf(network('vit_t16'), 'vit_t16_x.pt'), metadata: {} }
  expect(readVit(file).assumptions.join(' ')).toMatch(/ImageNet's are assumed.*--normalisation/)
  expect(readVit(file, { normalisation: STATS }).assumptions).toEqual([])
})

test.each([
  ['another stem', { config: { stem_type: 'conv' } }, 'stem_type'],
  ['a stem norm without a stem', { config: { stem_norm_layer_type: 'BatchNorm2d' } }, 'stem_norm_layer_type'],
  ['levels of one channel', { rgb_stats: { mean: [0.5], std: [0.5] } }, 'rgb_stats'],
  [
    'two inputs',
    {
      signature: {
        inputs: [{ data_shape: [0, 3, 128, 128] }, { data_shape: [0, 3, 128, 128] }],
        outputs: [{ data_shape: [0, 0] }],
      },
    },
    'inputs',
  ],
])('%s is refused by the field’s name', (_, entries, name) => {
  const file = checkpointOf(network('vit_t16'), 'vit_t16_x.pt', entries)
  expect(refusalOrNull(() => readVit(file))?.message).toContain(name)
})
