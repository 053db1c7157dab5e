/**
 * Training checkpoints that hold a model and its moving average, under the names that trainers give them. The right values are those of the average, which
 * timm's own loader takes, too (timm.models.load_state_dict of the file that its CheckpointSaver wrote).
 */
import { expect, test } from 'vitest'
import type { Picklable } from '../support/torch-file.js'
import { EXTRA_TENSOR, embeddingOf, smallNetwork } from './wrapped.js'

const RIGHT = [0.5128, 0.8636, -1.9216, -0.8563]
const network = await smallNetwork('11-moving-average/average.safetensors')
const average = (prefix = ''): Picklable => ({ dict: network.stateDict(prefix) })
const model = (prefix = ''): Picklable => ({ dict: network.otherStateDict(prefix) })

const FILES: readonly (readonly [string, readonly (readonly [string, Picklable])[]])[] = [
  [
    "timm's CheckpointSaver",
    [
      ['epoch', 0],
      ['arch', 'visiontransformer'],
      ['state_dict', model()],
      ['optimizer', { dict: [] }],
      ['version', 2],
      ['saver', { dict: [['last_recovery_file', '']] }],
      ['state_dict_ema', average()],
      ['metric', 0.5],
    ],
  ],
  [
    'ema',
    [
      ['model', model()],
      ['ema', average()],
      ['epoch', 3],
    ],
  ],
  [
    'model_ema',
    [
      ['model', model()],
      ['model_ema', average()],
    ],
  ],
  [
    'the average first',
    [
      ['ema_model', average()],
      ['model', model()],
    ],
  ],
  [
    'module_ema',
    [
      ['module', model()],
      ['module_ema', average('module.')],
    ],
  ],
  [
    'params_ema',
    [
      ['params', model()],
      ['params_ema', average()],
    ],
  ],
  [
    'an averaged model with its counter',
    [
      ['model', model()],
      ['swa_model', average('module.')],
    ],
  ],
  [
    "Lightning's WeightAveraging",
    [
      ['state_dict', average('model.')],
      ['current_model_state', model('model.')],
    ],
  ],
  ['two prefixes in one dict', [...network.otherStateDict('model.'), ...network.stateDict('ema_model.')]],
  [
    'teacher and student',
    [
      ['student', model('backbone.')],
      ['teacher', average('backbone.')],
    ],
  ],
  [
    'MMEngine, which keeps the average in state_dict',
    [
      ['meta', { dict: [] }],
      ['state_dict', average('backbone.')],
      ['message_hub', { dict: [] }],
      ['ema_state_dict', model('module.backbone.')],
    ],
  ],
]

test.each(FILES)('%s: the average is taken', async (_, entries) => {
  const found = await embeddingOf(network.torchFile({ dict: entries }))
  for (const [index, right] of RIGHT.entries()) expect(found[index]).toBeCloseTo(right, 3)
})

test('the model itself is run where it is named', async () => {
  const file = network.torchFile({
    dict: [
      ['model', model()],
      ['ema', average()],
    ],
  })
  const [first] = await embeddingOf(file, { entry: 'model' })
  expect(first).not.toBeCloseTo(RIGHT[0] ?? Number.NaN, 1)
})

const nameless: Picklable = { list: network.stateDict().map(([, tensor]) => tensor) }
const WITHOUT_NAMES: readonly (readonly [string, Picklable])[] = [
  ['ema', nameless],
  ['ema_params', nameless],
  [
    'model_ema',
    {
      dict: [
        ['decay', 0.99],
        ['shadow_params', nameless],
      ],
    },
  ],
]

test.each(WITHOUT_NAMES)('an average in a list (%s) is not passed over in silence', async (name, value) => {
  const file = network.torchFile({
    dict: [
      ['model', model()],
      [name, value],
    ],
  })
  await expect(embeddingOf(file)).rejects.toThrow(
    new RegExp(`holds ${name}, a moving average.*--entry model`),
  )
  const [first] = await embeddingOf(file, { entry: 'model' })
  expect(first).not.toBeCloseTo(RIGHT[0] ?? Number.NaN, 1)
})

test('numbers that an average is made by are no average', async () => {
  const file = network.torchFile({
    dict: [
      ['state_dict', average()],
      ['n_averaged', EXTRA_TENSOR],
      ['ema_optimizer', { dict: [['state', { list: [EXTRA_TENSOR] }]] }],
    ],
  })
  const [first] = await embeddingOf(file)
  expect(first).toBeCloseTo(RIGHT[0] ?? Number.NaN, 3)
})
