/** Makes the numbers of a recipe of what the files of a model say in transformers' way. */
import type { EdgePreparation, MultiplePreparation, PatchPreparation } from './preparation.js'
import type { Resize } from './resize.js'

/** Is in pixels. */
type Size = readonly [height: number, width: number]

interface Sizes {
  readonly modelSize: Size
  readonly patchSize: number
  /** Replaces the size that the files give. */
  readonly size?: Size
}

interface Followed extends Pick<EdgePreparation, 'filter' | 'rescale'> {
  readonly size: Size
  readonly resize: Resize
}

/** Follows what a file says, but for what the options replace. */
export function followedRecipe(
  told: EdgePreparation | MultiplePreparation | PatchPreparation,
  options: Sizes,
): Followed {
  switch (told.kind) {
    case 'edges':
      return edgeRecipe(told, options.size)
    case 'patches':
      return patchRecipe(told, options)
    case 'multiples':
      return multipleRecipe(told, options)
  }
}

/** Another size stands for that of the file, and the rest is followed as it is told. */
function multipleRecipe(
  { resize, divisor, filter, rescale }: MultiplePreparation,
  { size = resize?.size, modelSize }: Sizes,
): Followed {
  const { multiple = 1, keepRatio = false } = resize ?? {}
  return {
    size: modelSize,
    filter,
    rescale,
    resize: { kind: 'multiples', size: size ?? null, multiple, keepRatio, divisor },
  }
}

/** Who asks for a size of the input gets it, whatever shape the image has. */
function patchRecipe(
  { maxPatches, filter, rescale }: PatchPreparation,
  { size, modelSize, patchSize }: Sizes,
): Followed {
  if (size !== undefined) return { size, filter, rescale, resize: { kind: 'squash', size } }
  return {
    size: modelSize,
    filter,
    rescale,
    resize: { kind: 'patches', rounding: 'up', patchSize, maxPatches },
  }
}

/** Another input size than the files' own scales the edge along. */
function edgeRecipe({ resize, crop, filter, rescale }: EdgePreparation, size?: Size): Followed {
  if (resize === null) {
    const kept = size ?? crop
    if (kept === null) throw new RangeError('What is neither resized nor cropped has no input size.')
    return { size: kept, filter, rescale, resize: { kind: 'none' } }
  }
  if (typeof resize !== 'number') {
    const kept = size ?? crop ?? resize
    const grown = (side: 0 | 1) =>
      crop === null ? kept[side] : Math.round((resize[side] * kept[side]) / crop[side])
    return { size: kept, filter, rescale, resize: { kind: 'squash', size: [grown(0), grown(1)] } }
  }
  const trained = crop ?? [resize, resize]
  const kept = size ?? trained
  const side = Math.round((resize * Math.min(...kept)) / Math.min(...trained))
  return { size: kept, filter, rescale, resize: { kind: 'short-side', side } }
}
