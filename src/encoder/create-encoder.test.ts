import { expect, test } from 'vitest'
import { namedRecipe } from '../image/recipe.js'
import { createEncoder } from './create-encoder.js'

test('a recipe that decodes scaled is refused before anything is read: a decoder that is a part knows of no recipe', async () => {
  const rgbStats = { mean: [0, 0, 0], std: [1, 1, 1] }
  const recipe = namedRecipe('birder', { modelSize: [28, 28], patchSize: 14, rgbStats, decode: 'scaled' })
  const making = createEncoder({ recipe, name: 'any' } as never)
  await expect(making).rejects.toThrow(RangeError)
  await expect(making).rejects.toThrow(/decode: 'scaled'.*loadEncoder/)
})
