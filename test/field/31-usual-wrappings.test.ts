/**
 * Checkpoints in the wrappings that training leaves around a network. The right values are timm's, computed by PyTorch, of the network's tensors alone:
 * whatever lies around them, they are the same.
 */
import { expect, test } from 'vitest'
import type { Picklable } from '../support/torch-file.js'
import { EXTRA_TENSOR, embeddingOf, type SmallNetwork, smallNetwork } from './wrapped.js'

const RIGHT = [-0.124, 0.1822, -0.0345, -0.1944]
const network = await smallNetwork('31-usual-wrappings/network.safetensors')
const dict = (...entries: (readonly [string | number, Picklable])[]): Picklable => ({ dict: entries })
const tensor = EXTRA_TENSOR

const WRAPPINGS: { readonly [what: string]: (network: SmallNetwork) => Picklable } = {
  "PyTorch's tutorial": ({ stateDict }) =>
    dict(
      ['epoch', 5],
      ['model_state_dict', dict(...stateDict())],
      ['optimizer_state_dict', dict(['state', dict([0, dict(['exp_avg', tensor])])])],
      ['loss', 0.4],
    ),
  Lightning: ({ stateDict }) =>
    dict(
      ['epoch', 1],
      ['global_step', 10],
      ['pytorch-lightning_version', '2.4.0'],
      ['state_dict', dict(...stateDict('model.'))],
      ['loops', dict(['fit_loop', dict()])],
      ['callbacks', dict()],
      ['optimizer_states', { list: [dict(['state', dict()])] }],
      ['lr_schedulers', { list: [] }],
      ['hparams_name', 'kwargs'],
      ['hyper_parameters', dict(['lr', 0.1])],
    ),
  "Lightning's encoder with a head and a metric": ({ stateDict }) =>
    dict([
      'state_dict',
      dict(...stateDict('encoder.'), ['classifier.weight', tensor], ['train_acc.total', tensor]),
    ]),
  'data parallel in Lightning': ({ stateDict }) => dict(['state_dict', dict(...stateDict('model.module.'))]),
  'sharded (FSDP)': ({ stateDict }) => dict(...stateDict('_fsdp_wrapped_module.')),
  'compiled and data parallel': ({ stateDict }) => dict(['net', dict(...stateDict('module._orig_mod.'))]),
  "open_clip's image tower": ({ stateDict }) =>
    dict(
      ...stateDict('visual.trunk.'),
      ['logit_scale', tensor],
      ['positional_embedding', tensor],
      ['text.transformer.norm.weight', tensor],
      ['visual.head.proj.weight', tensor],
    ),
  "Meta's training": ({ stateDict, otherStateDict }) =>
    dict(
      [
        'model',
        dict(
          ...otherStateDict('student.backbone.'),
          ...stateDict('teacher.backbone.'),
          ['teacher.dino_head.mlp.0.weight', tensor],
          ['student.ibot_head.last_layer.weight', tensor],
          ['ibot_patch_loss.center', tensor],
        ),
      ],
      ['optimizer', dict()],
      ['iteration', 9],
    ),
  'DINO v1': ({ stateDict, otherStateDict }) =>
    dict(
      ['student', dict(...otherStateDict('module.backbone.'), ['module.head.mlp.0.weight', tensor])],
      ['teacher', dict(...stateDict('backbone.'), ['head.mlp.0.weight', tensor])],
      ['optimizer', dict()],
      ['epoch', 100],
      ['fp16_scaler', dict(['scale', 2])],
      ['dino_loss', dict(['center', tensor])],
    ),
  MMPretrain: ({ stateDict }) =>
    dict(
      ['meta', dict(['mmengine_version', '0.10.7'])],
      ['state_dict', dict(...stateDict('backbone.'), ['head.layers.head.weight', tensor])],
      ['message_hub', dict()],
    ),
  'an averaged model alone': ({ stateDict }) =>
    dict(['model', dict(['n_averaged', tensor], ...stateDict('module.'))]),
  'a dict in a dict in a dict': ({ stateDict }) =>
    dict(['checkpoint', dict(['model', dict(['state_dict', dict(...stateDict('net.vit.'))])])]),
}

test.each(Object.keys(WRAPPINGS))('%s: the features are those of the network alone', async (what) => {
  const wrapped = WRAPPINGS[what]
  if (wrapped === undefined) throw new Error(`There is no wrapping ${what}.`)
  const found = await embeddingOf(network.torchFile(wrapped(network)))
  for (const [index, right] of RIGHT.entries()) expect(found[index]).toBeCloseTo(right, 3)
})

test.each(['model.', 'timm_model.', 'teacher.backbone.', 'module._orig_mod.'])(
  'a safetensors file with %s before every name is read as one without',
  async (prefix) => {
    const file = network.safetensors((name) => prefix + name)
    const found = await embeddingOf(file, {}, 'model.safetensors')
    for (const [index, right] of RIGHT.entries()) expect(found[index]).toBeCloseTo(right, 3)
  },
)

test('two networks that nothing tells apart are refused with both names, and the one that is named is run', async () => {
  const { stateDict, otherStateDict } = network
  const file = network.torchFile(
    dict(['encoder', dict(...otherStateDict())], ['target_encoder', dict(...stateDict('module.'))]),
  )
  await expect(embeddingOf(file)).rejects.toMatchObject({
    code: 'ambiguous-entry',
    message: expect.stringMatching(/encoder, target_encoder\.module.*--entry encoder/),
  })
  const found = await embeddingOf(file, { entry: 'target_encoder.module' })
  for (const [index, right] of RIGHT.entries()) expect(found[index]).toBeCloseTo(right, 3)
})

test.each([
  ['normalizer.mean', /holds normalizer\.mean beside its network/],
  ['lora.A', /holds lora\.A beside its network/],
  ['somewhere.else', /holds somewhere\.else .*--ignore-field somewhere\.else.*--entry model/],
])(
  'a tensor beside the network that may change its features is refused by name: %s',
  async (name, message) => {
    const file = network.torchFile(dict(...network.stateDict('model.'), [name, tensor]))
    await expect(embeddingOf(file)).rejects.toMatchObject({
      code: 'unknown-field',
      message: expect.stringMatching(message),
    })
    for (const options of [{ entry: 'model' }, { ignoreFields: [name] }]) {
      expect((await embeddingOf(file, options))[0]).toBeCloseTo(RIGHT[0] ?? Number.NaN, 3)
    }
  },
)

test.each(['mean', 'img_size', 'normalization', 'frobnicate'])(
  'an entry that may change the features is refused by name: %s',
  async (name) => {
    const file = network.torchFile(dict(['model', dict(...network.stateDict())], [name, 0.5]))
    await expect(embeddingOf(file)).rejects.toMatchObject({
      code: 'unknown-field',
      message: expect.stringContaining(name),
    })
  },
)
