import { describe, expect, test } from 'vitest'
import { prepareImage } from '../image/prepare-image.js'
import { resizedSize } from '../image/resized-size.js'
import { findNetwork } from '../model/networks.js'
import { readVit } from '../model/read-vit.js'
import { hashedCheckpoint } from '../verify/hashed-checkpoint.js'
import { type RecipeChoice, recipeFor } from './choose-recipe.js'

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

describe('sizes that keep the aspect ratio', () => {
  const choose = (choice: RecipeChoice) => recipeFor(vit, choice)
  const sizeOf = (choice: RecipeChoice, height: number, width: number) =>
    resizedSize({ height, width }, choose(choice).resize)

  test('take one edge to a length, or both by a factor, then each side to the nearest multiple of the patch', () => {
    expect(sizeOf({ shortest: 448 }, 600, 900)).toEqual([448, 672])
    expect(sizeOf({ longest: 448 }, 600, 900)).toEqual([294, 448])
    expect(sizeOf({ scale: 1 }, 600, 900)).toEqual([602, 896])
    expect(sizeOf({ scale: 0.01 }, 600, 900)).toEqual([14, 14])
  })

  test('are of the recipe native, and exclude each other and what crops', () => {
    expect(choose({ longest: 448 }).name).toBe('native')
    expect(() => choose({ size: 224, longest: 448 })).toThrow(/size and longest each say/)
    expect(() => choose({ recipe: 'birder', scale: 1 })).toThrow(/keeps the aspect ratio/)
    expect(() => choose({ recipe: 'native', shortest: 448, maxPatches: 9 })).toThrow(/leave one out/)
    expect(() => choose({ scale: 0 })).toThrow(/above 0/)
  })

  test('an image of more tokens than allowed is refused before it is resized, with how to allow it', () => {
    const recipe = choose({ scale: 1, maxTokens: 1000 })
    const photo = { height: 700, width: 700, data: new Uint8Array(700 * 700 * 3) }
    expect(() => prepareImage(photo, recipe)).toThrow(/2,500 patches, and 9\d\d are allowed.*--max-tokens/s)
    expect(() => choose({ size: 4200 })).toThrow(/90,00\d tokens.*maxTokens: 9000\d/s)
    expect(choose({ size: 4200, maxTokens: 100_000 }).size).toEqual([4200, 4200])
  })
})
