/** Chooses the model of a picture where none was named, and loads it as pictures want it: with the photo's aspect kept. */
import { shortDigest } from '../../../encoder/short-digest.js'
import { DEFAULT_MODEL } from '../../../hub/default-model.js'
import { BETTER_FOR_PICTURES } from '../../../hub/picture-models.js'
import type { FileEncoder } from '../../../work/file-encoder.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { loadChosenEncoder } from '../../load-chosen-encoder.js'
import { assertTileOptions, tiledLoad } from '../../tile-options.js'
import type { PairOptions } from './picture-options.js'

/** Makes 32 x 32 patches of a square photo: more cost more than twice as much for twice as many. */
export const DEFAULT_PATCHES = 1024

export interface PictureModel {
  readonly encoder: FileEncoder
  /** Says which model makes the picture, and what would make a better one. */
  readonly caption: string
}

export async function choosePictureModel(
  context: CommandContext,
  options: Omit<PairOptions, 'caption' | 'upsample'>,
): Promise<PictureModel> {
  if (options.decode === 'scaled') {
    throw new UsageError('--decode scaled: pictures are drawn on whole photos. Leave it out.')
  }
  const model =
    options.model ?? (await context.pictures.bestModelOrNull(context.signal)) ?? DEFAULT_MODEL.name
  assertTileOptions(options)
  const { size, recipe, shortest, longest, scale } = tiledLoad(options)
  const isShaped = [size, recipe, shortest, longest, scale].some((option) => option !== undefined)
  const shape = isShaped ? {} : ({ recipe: 'native', maxPatches: DEFAULT_PATCHES } as const)
  const patches = options.patches === undefined ? {} : { maxPatches: options.patches }
  const encoder = await loadChosenEncoder(context, { ...tiledLoad(options), ...shape, ...patches, model })
  return { encoder, caption: captionOf(encoder, model) }
}

function captionOf({ identity }: FileEncoder, model: string): string {
  const name = model === identity.model ? model : `${identity.model} (${model})`
  const made = `Made with ${name}, ${shortDigest(identity.digest)}.`
  if (model !== DEFAULT_MODEL.name) return made
  return `${made} It is small and ships with plumage; a model that shows more: plumage pull ${BETTER_FOR_PICTURES}`
}
