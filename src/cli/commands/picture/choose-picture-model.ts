/** Chooses the model of a picture where none was named, and loads it as pictures want it: with the photo's aspect kept. */
import { given } from '../../../encoder/choose-recipe.js'
import { METHODS } from '../../../encoder/like.js'
import { shortDigest } from '../../../encoder/short-digest.js'
import { DEFAULT_MODEL } from '../../../hub/default-model.js'
import { BETTER_FOR_PICTURES } from '../../../hub/picture-models.js'
import type { FileEncoder } from '../../../work/file-encoder.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { loadChosenEncoder } from '../../load-chosen-encoder.js'
import { isSized, sizedLike } from '../../look-like.js'
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
  const { like } = options
  const loading = sizedLike(like, tiledLoad(options))
  // A tool that is followed has the network's own size where it has none of its own.
  const isShaped = like !== undefined || isSized(loading)
  if (isShaped) assertUnbounded(options)
  const shape = isShaped ? {} : ({ recipe: 'native', maxPatches: DEFAULT_PATCHES } as const)
  const patches = options.patches === undefined ? {} : { maxPatches: options.patches }
  const encoder = await loadChosenEncoder(context, { ...loading, ...shape, ...patches, model })
  const followed = like === undefined ? '' : `As in ${METHODS[like].about}. `
  return { encoder, caption: `${followed}${captionOf(encoder, model)}` }
}

/** The bound is of photos that keep their aspect. Throws `UsageError` where something else says how large they become. */
function assertUnbounded(options: Omit<PairOptions, 'caption' | 'upsample'>): void {
  const { patches, recipe, size, shortest, longest, scale, tiles, like } = options
  if (patches === undefined || recipe === 'native') return
  const said = given({ '--size': size, '--shortest': shortest, '--longest': longest, '--scale': scale })
  const [name] = Object.keys({ ...said, ...given({ '--recipe': recipe, '--tiles': tiles, '--like': like }) })
  throw new UsageError(
    `--patches bounds how many patches a photo has that keeps its aspect, and ${name} says how large photos become: leave one of the two out.`,
  )
}

function captionOf({ identity }: FileEncoder, model: string): string {
  const name = model === identity.model ? model : `${identity.model} (${model})`
  const made = `Made with ${name}, ${shortDigest(identity.digest)}.`
  if (model !== DEFAULT_MODEL.name) return made
  return `${made} It is small and ships with plumage; a model that shows more: plumage pull ${BETTER_FOR_PICTURES}`
}
