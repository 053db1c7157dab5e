import { expect, test } from 'vitest'
import { chooseNetwork } from './choose-network.js'

const choose = (names: readonly string[], entry?: string, fromMmengine = false) => {
  const stored = new Map(names.map((name) => [name, name]))
  const { tensors, ...chosen } = chooseNetwork(stored, { label: 'it', entry, fromMmengine })
  return { names: [...tensors.keys()], from: [...tensors.values()], ...chosen }
}
const STEM = 'patch_embed.proj.weight'
const vit = (place: string) => [`${place}${STEM}`, `${place}blocks.0.norm1.weight`]

test.each([
  ['', ''],
  ['model.', 'model.'],
  ['model_state_dict/', 'model_state_dict'],
  ['state_dict/model.module.encoder.', 'state_dict/model.module.encoder.'],
  ['any/thing/at_all.', 'any/thing/at_all.'],
])('a network lies behind whatever stands before its patch embedding: %j', (place, wrapping) => {
  expect(choose(vit(place))).toMatchObject({ names: vit(''), from: vit(place), wrapping, choice: null })
})

test.each([
  'patch_embed.proj.weight',
  'conv_proj.weight',
  'conv_proj.0.weight',
  'embeddings.patch_embeddings.projection.weight',
])('the libraries call it %s', (stem) => {
  expect(choose([`a.${stem}`, 'a.x', 'my_head.w'])).toMatchObject({
    names: [stem, 'x'],
    dropped: ['my_head.w'],
  })
})

test('what compiling, sharding and checkpointing put into names is removed wherever it stands, and shown where it stands in front', () => {
  const names = [
    `module._orig_mod.${STEM}`,
    'module._orig_mod.blocks.0._fsdp_wrapped_module._checkpoint_wrapped_module.norm1.weight',
  ]
  expect(choose(names)).toMatchObject({ names: vit(''), from: names, wrapping: 'module._orig_mod.' })
})

test('a classifier of transformers belongs to its network, whose own name stays in front', () => {
  const names = ['dinov2.embeddings.patch_embeddings.projection.weight', 'dinov2.x', 'classifier.weight']
  expect(choose(names)).toMatchObject({ names, wrapping: '', dropped: [] })
  expect(choose(names.map((name) => `model.${name}`))).toMatchObject({ names, wrapping: 'model.' })
})

test('two tensors never get one name', () => {
  const names = ['a.w', '_orig_mod.a.w']
  expect(choose(names).names).toEqual(names)
})

test.each([
  ['model', 'model_ema'],
  ['model', 'ema'],
  ['state_dict', 'state_dict_ema'],
  ['model_state_dict', 'model_state_dict_ema'],
  ['state_dict', 'ema_state_dict'],
  ['model', 'module_ema'],
  ['net', 'ema_model'],
  ['net', 'emaModel'],
  ['params', 'params_ema'],
  ['model', 'swa_model'],
  ['model', 'averaged_model'],
  ['student', 'teacher'],
  ['current_model_state', 'state_dict'],
  ['model_without_ema', 'model'],
  ['momentum_encoder', 'base_encoder'],
  ['encoder_k', 'encoder_q'],
])('of %s and %s the second is taken, in either order, as entries and as prefixes', (left, taken) => {
  for (const end of ['/', '.']) {
    for (const order of [
      [left, taken],
      [taken, left],
    ]) {
      const found = choose(order.flatMap((name) => vit(name + end)))
      expect(found).toMatchObject({ names: vit(''), wrapping: end === '/' ? taken : `${taken}.` })
      expect(found.choice).toMatchObject({ entry: taken, others: [left], asked: false })
    }
  }
})

test('MMEngine keeps the average in state_dict, and the model in ema_state_dict', () => {
  const names = [...vit('state_dict/'), ...vit('ema_state_dict/module.')]
  expect(choose(names, undefined, true)).toMatchObject({
    wrapping: 'state_dict',
    dropped: ['ema_state_dict'],
  })
  expect(choose(names).wrapping).toBe('ema_state_dict/module.')
})

test.each([
  [['model/', 'net/'], /model, net.*--entry model/],
  [['encoder.', 'target_encoder.', 'predictor.'], /encoder, target_encoder, predictor/],
  [['ema/', 'teacher/', 'student/'], /holds 2 networks, ema, teacher/],
])('networks that nothing tells apart are named, and none is chosen: %j', (places, message) => {
  expect(() => choose(places.flatMap(vit))).toThrow(
    expect.objectContaining({ code: 'ambiguous-entry', message: expect.stringMatching(message) }),
  )
})

test('a student alone is not taken unless it is named', () => {
  expect(() => choose(vit('student.'))).toThrow(/holds student alone.*--entry student/)
  expect(choose(vit('student.'), 'student').names).toEqual(vit(''))
})

test.each(['model.student.backbone', 'model/student.backbone.', 'student.backbone'])(
  'an entry is named whole or by its end: %s',
  (entry) => {
    const names = [...vit('model/student.backbone.'), ...vit('model/teacher.backbone.')]
    expect(choose(names, entry)).toMatchObject({
      wrapping: 'model/student.backbone.',
      dropped: ['teacher.backbone.'],
      choice: { entry: 'model.student.backbone', asked: true },
    })
  },
)

test('an entry that is none, and one that could be two, are answered with those there are', () => {
  const names = [...vit('a.backbone.'), ...vit('b.backbone.')]
  expect(() => choose(names, 'c')).toThrow(/no network at the entry c; it has a\.backbone, b\.backbone/)
  expect(() => choose(names, 'backbone')).toThrow(/ambiguous|holds 2 networks/)
  expect(() => choose(vit(''), 'model')).toThrow(
    /no network at the entry model; its one network is the file itself/,
  )
})

test('the network at the top is named by a dot', () => {
  expect(choose([...vit(''), ...vit('ema.')], '.').wrapping).toBe('')
})

test('an optimiser that keeps tensors under the names of weights is no network', () => {
  const names = [...vit('model/'), ...vit('optimizer/exp_avg/'), ...vit('optimizer_states/0/')]
  expect(choose(names)).toMatchObject({ wrapping: 'model', dropped: ['optimizer', 'optimizer_states'] })
  expect(() => choose(vit('optimizer/exp_avg/'))).toThrow(/state of an optimiser and no network/)
})

test('what lies beside the network is told by name: heads, other networks, other dicts', () => {
  const names = [
    ...vit('model/teacher.backbone.'),
    ...vit('model/student.backbone.'),
    'model/teacher.dino_head.w',
    'other/w',
    'model/deep/w',
  ]
  expect([...choose(names).dropped].sort()).toEqual(
    ['model/deep', 'other', 'student.backbone.', 'teacher.dino_head.w'].sort(),
  )
})

test('a file of no known network is freed of what stands around every name', () => {
  expect(choose(['module.backbone.a', 'module.backbone.b', 'module.head.w'])).toMatchObject({
    names: ['a', 'b'],
    wrapping: 'module.backbone.',
    dropped: ['module.head.w'],
  })
  expect(choose(['module.a', 'b']).names).toEqual(['module.a', 'b'])
  expect(choose(['module.']).names).toEqual(['module.'])
})

test('chunks of blocks counted through are flattened', () => {
  const names = ['cls_token', 'blocks.0.0.norm1.weight', 'blocks.0.1.norm1.weight', 'blocks.1.2.norm1.weight']
  const flat = ['cls_token', 'blocks.0.norm1.weight', 'blocks.1.norm1.weight', 'blocks.2.norm1.weight']
  expect(choose(names).names).toEqual(flat)
})

test('chunks that each count from 0 are not: two blocks would have one name', () => {
  const names = ['blocks.0.0.norm1.weight', 'blocks.1.0.norm1.weight']
  expect(choose(names).names).toEqual(names)
})

test('blocks without chunks stay, also where a layer has a number for a name', () => {
  const names = ['blocks.0.norm1.weight', 'blocks.0.mlp.0.weight', 'blocks.1.2.weight']
  expect(choose(names).names).toEqual(names)
})
