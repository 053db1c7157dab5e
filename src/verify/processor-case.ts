/**
 * Compares what the files of a model say about making input with what its own library makes of pictures: a picture goes through the recipe that the
 * files give, and its pixels are held against the library's.
 */
import { recipeFor } from '../encoder/choose-recipe.js'
import { prepareImage } from '../image/prepare-image.js'
import { namedRecipe, type Resampler } from '../image/recipe.js'
import { readProcessor } from '../model/dialects/transformers-processor.js'
import {
  type Comparison,
  type GoldenCase,
  type GoldenContext,
  type GoldenFile,
  readExpected,
  required,
} from './case.js'
import { GoldenError } from './golden-error.js'
import { compare } from './judge.js'
import { patchRows } from './patch-rows.js'
import { readJson } from './read-json.js'

interface ProcessorCase extends GoldenCase {
  readonly images?: readonly (GoldenFile & { readonly id: string })[]
  readonly about?: string
}

export async function* runProcessorCase(
  golden: ProcessorCase,
  context: GoldenContext,
): AsyncGenerator<Comparison, void, undefined> {
  if (golden.library === 'timm') {
    yield* runTransformCase(golden, context)
    return
  }
  if (golden.library !== 'transformers')
    throw new GoldenError(
      'unsupported',
      `The processor of ${golden.library} in ${golden.id} is not compared yet.`,
    )
  const [file] = required(golden.checkpoints, 'checkpoints', golden)
  const { path } = required(file, 'preprocessor_config.json', golden)
  const { preparation, rgbStats } = readProcessor(
    { name: 'preprocessor_config.json', settings: await readJson(path, context) },
    path,
  )
  const expected = await readExpected(golden, context.open)
  for (const { id, path: picture } of required(golden.images, 'images', golden)) {
    const image = await context.decode(picture)
    const [height = 1, width = 1] = golden.tensors?.[`${id}/pixel_values`]?.shape.slice(2) ?? []
    // Rows of patches are [1, patches, P * P * 3].
    const patchSize = preparation.kind === 'patches' ? Math.sqrt(height / 3) : 1
    const recipe = namedRecipe('hugging-face', {
      modelSize: [height, width],
      patchSize,
      rgbStats,
      preparation: { ...preparation, transparency: 'white' },
      ...resamplerOf(golden, preparation.resampler),
    })
    const prepared = prepareImage(image, recipe)
    const ours =
      recipe.resize.kind === 'patches'
        ? patchRows(prepared, recipe.resize)
        : new Map([['pixel_values', prepared.pixels]])
    for (const [tensor, values] of ours) {
      const name = `${id}/${tensor}`
      yield compare(golden, name, values, expected.get(name))
    }
  }
}

/** timm's file is one with that of the network, which lies beside it. */
async function* runTransformCase(
  golden: ProcessorCase,
  { open, openModel, decode }: GoldenContext,
): AsyncGenerator<Comparison, void, undefined> {
  const [file] = required(golden.checkpoints, 'checkpoints', golden)
  const { path } = required(file, 'config.json', golden)
  await using model = await openModel(path.replace(/[^/]*$/, 'model.safetensors'), {})
  const recipe = recipeFor(model.vit, {})
  const expected = await readExpected(golden, open)
  for (const { id, path: picture } of required(golden.images, 'images', golden)) {
    const { pixels } = prepareImage(await decode(picture), recipe)
    const name = `${id}/pixels`
    yield compare(golden, name, pixels, expected.get(name))
  }
}

/** transformers has a class on Pillow and one on torchvision for each file; which of the two has made the numbers, the case says. */
function resamplerOf(
  { about = '' }: ProcessorCase,
  own: Resampler | undefined,
): { readonly resampler?: Resampler } {
  if (own !== undefined) return {}
  return { resampler: /^\w+ProcessorPil\b/.test(about) ? 'pillow' : 'torch-uint8' }
}
