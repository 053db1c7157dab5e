import { expect, test } from 'vitest'
import { unwrapNames } from './unwrap-names.js'

const unwrap = (...names: string[]) => {
  const { tensors, wrapping, dropped } = unwrapNames(new Map(names.map((name) => [name, name])))
  return { names: [...tensors.keys()], from: [...tensors.values()], wrapping, dropped }
}

test('wrappers around every name are removed, however many there are', () => {
  expect(unwrap('module._orig_mod.a', 'module._orig_mod.b')).toEqual({
    names: ['a', 'b'],
    from: ['module._orig_mod.a', 'module._orig_mod.b'],
    wrapping: 'module._orig_mod.',
    dropped: [],
  })
})

test('a wrapper around some names only stays', () => {
  expect(unwrap('module.a', 'b')).toMatchObject({ names: ['module.a', 'b'], wrapping: '', dropped: [] })
})

test('heads beside a backbone are dropped and told', () => {
  expect(unwrap('backbone.a', 'dino_head.w', 'backbone.b')).toMatchObject({
    names: ['a', 'b'],
    wrapping: 'backbone.',
    dropped: ['dino_head.w'],
  })
})

test('a backbone that is not the larger part is left alone', () => {
  expect(unwrap('backbone.a', 'neck.w')).toMatchObject({
    names: ['backbone.a', 'neck.w'],
    wrapping: '',
    dropped: [],
  })
})

test('a name that is nothing but the wrapper keeps it', () => {
  expect(unwrap('module.')).toMatchObject({ names: ['module.'], wrapping: '' })
})

test('chunks of blocks counted through are flattened', () => {
  expect(
    unwrap('cls_token', 'blocks.0.0.norm1.weight', 'blocks.0.1.norm1.weight', 'blocks.1.2.norm1.weight')
      .names,
  ).toEqual(['cls_token', 'blocks.0.norm1.weight', 'blocks.1.norm1.weight', 'blocks.2.norm1.weight'])
})

test('chunks that each count from 0 are not: two blocks would have one name', () => {
  const names = ['blocks.0.0.norm1.weight', 'blocks.1.0.norm1.weight']
  expect(unwrap(...names).names).toEqual(names)
})

test('blocks without chunks stay, also where a layer has a number for a name', () => {
  const names = ['blocks.0.norm1.weight', 'blocks.0.mlp.0.weight', 'blocks.1.2.weight']
  expect(unwrap(...names).names).toEqual(names)
})
