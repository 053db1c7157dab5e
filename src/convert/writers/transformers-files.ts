/** Says in transformers' words what every config.json of its has, and how images are made. */
import type { ActivationKind } from '../../engine/plan.js'
import type { Recipe } from '../../image/recipe.js'
import { TRANSFORMERS_ACTIVATIONS } from '../../model/dialects/transformers-config.js'
import type { PlainRecord } from '../../plain-value.js'
import type { WrittenNetwork } from '../writer.js'

/** Gives the fields that every network of transformers has. */
export function commonFields(
  { config, dtype, labels }: WrittenNetwork,
  names: { readonly modelType: string; readonly architecture: string },
): PlainRecord {
  const { size, patchSize, channels, width, depth, heads, epsilon, activation } = config
  const [height, breadth] = size
  return {
    architectures: [names.architecture],
    model_type: names.modelType,
    dtype,
    hidden_size: width,
    num_hidden_layers: depth,
    num_attention_heads: heads,
    hidden_act: activationName(activation),
    layer_norm_eps: epsilon,
    image_size: height === breadth ? height : [height, breadth],
    patch_size: patchSize,
    num_channels: channels,
    ...labelFields(config.classifier?.classes ?? null, labels),
  }
}

/** A network with a classifier counts its classes by their names, so that each has one, if only its number. */
function labelFields(classes: number | null, labels: readonly string[] | null): PlainRecord {
  if (classes === null) return {}
  const names = labels ?? Array.from({ length: classes }, (_, index) => `LABEL_${index}`)
  return {
    id2label: Object.fromEntries(names.map((name, index) => [`${index}`, name])),
    label2id: Object.fromEntries(names.map((name, index) => [name, index])),
  }
}

/** Gives transformers' name of an activation; it has one for each that `holdsActivation` lets pass. */
export function activationName(activation: ActivationKind): string {
  const [name = activation] = [...TRANSFORMERS_ACTIVATIONS].find(([, kind]) => kind === activation) ?? []
  return name
}

/** Lists the activations that transformers has. */
export const ACTIVATIONS: readonly ActivationKind[] = [...new Set(TRANSFORMERS_ACTIVATIONS.values())]

const PILLOW_FILTERS: readonly Recipe['filter'][] = [
  'nearest',
  'lanczos',
  'bilinear',
  'bicubic',
  'box',
  'hamming',
]

/** Gives the preprocessor_config.json of a recipe; undefined where transformers' processors have no such resize. */
export function processorFile(recipe: Recipe, type: string): PlainRecord | undefined {
  const { resize, size, filter, rgbStats } = recipe
  if (resize.kind !== 'short-side' && resize.kind !== 'squash') return undefined
  const sides = ([height, width]: readonly [number, number]) => ({ height, width })
  const isSquashed = resize.kind === 'squash'
  const crops = !isSquashed || resize.size.join() !== size.join()
  return {
    image_processor_type: type,
    do_convert_rgb: true,
    do_resize: true,
    size: isSquashed ? sides(resize.size) : { shortest_edge: resize.side },
    resample: PILLOW_FILTERS.indexOf(filter),
    do_center_crop: crops,
    ...(crops ? { crop_size: sides(size) } : {}),
    do_rescale: true,
    rescale_factor: typeof recipe.rescale === 'number' ? recipe.rescale : 1 / 255,
    do_normalize: true,
    image_mean: rgbStats.mean,
    image_std: rgbStats.std,
  }
}
