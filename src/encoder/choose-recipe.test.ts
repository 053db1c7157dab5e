import { expect, test } from 'vitest'
import { findNetwork } from '../model/networks.js'
import { readVit } from '../model/read-vit.js'
import { hashedCheckpoint } from '../verify/hashed-checkpoint.js'
import { recipeFor } from './choose-recipe.js'

const { name } = findNetwork('vit_reg4_s14_nps_ls')
const vit = readVit(hashedCheckpoint(name, [56, 56], 'recipe'), { network: name })

test.each(['birder', 'facebook', 'hugging-face', 'timm'] as const)(
  'a checkpoint laid out as %s does is prepared as that library does, unless another recipe is asked for',
  (dialect) => {
    expect(recipeFor({ ...vit, dialect }, {}).name).toBe(dialect)
    expect(recipeFor({ ...vit, dialect }, { recipe: 'native' }).name).toBe('native')
  },
)

test('one side stands for both, and a size between patches is refused with the nearest', () => {
  expect(recipeFor(vit, { size: 42 }).size).toEqual([42, 42])
  expect(recipeFor(vit, { size: [42, 28] }).size).toEqual([42, 28])
  expect(() => recipeFor(vit, { size: 43 })).toThrow(/nearest size is 42 x 42/)
})
