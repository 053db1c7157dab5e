/** `plumage picture pca` shows patches as colours: what the network takes for alike has one colour, in all photos. */
import { Command, Option } from 'commander'
import { given } from '../../../encoder/choose-recipe.js'
import type { PatchClick } from '../../../picture/foreground.js'
import { PATCH_COLOR_METHODS, type PatchColors } from '../../../picture/patch-colors.js'
import type { PatchMap } from '../../../picture/patch-map.js'
import { muxerOrNull } from '../../../platform/node/video/video-name.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { addFrameOptions } from '../../film-inputs.js'
import { keepPhotos } from './kept-photos.js'
import { type EncodedPhoto, makePicture, type PictureKind, type PictureWork } from './make-picture.js'
import { type GivenPlace, parsePoint, patchesIn } from './parse-place.js'
import {
  checkColorOptions,
  coloured,
  fittedColors,
  type PcaOptions,
  saveColors,
  savedColorsOrNull,
  titleOf,
} from './pca-colors.js'
import { addPictureOptions } from './picture-options.js'
import type { Tile } from './picture-place.js'

export function pcaCommand(context: CommandContext): Command {
  const command = new Command('pca').description(
    'show the three strongest differences among patches as red, green and blue, the same colours for all photos',
  )
  addFrameOptions(addPictureOptions(command))
    .addOption(
      new Option('--method <method>', 'how components become colours (default: plumage)').choices(
        PATCH_COLOR_METHODS,
      ),
    )
    .option(
      '--foreground [x,y]',
      'colour things alone, as far as they can be told from their background; a point of the first photo says what is a thing (can be repeated)',
      addPoint,
    )
    .option('--no-foreground', 'take no patch for background, whatever the method does')
    .option('--save-colors <file>', 'keep the colours in a JSON file')
    .option('--colors <file>', 'take the colours from such a file, so that they mean the same as there')
  return command.action(async (inputs: string[], options: PcaOptions) => {
    const { output } = options
    if (output === undefined || muxerOrNull(output) === null)
      return await makePicture(context, inputs, options, pcaPicture(context, options))
    if (options.tiles !== undefined)
      throw new UsageError('--tiles: films are encoded frame by frame, each as a whole. Leave it out.')
    const { filmPicture } = await import('./film-picture.js')
    await filmPicture(context, inputs, { ...options, output })
  })
}

/** Commander gives true for the option without a point, and the points so far with one. */
function addPoint(text: string, points: unknown): readonly GivenPlace[] {
  return [...(Array.isArray(points) ? points : []), parsePoint(text)]
}

function pcaPicture(context: CommandContext, options: PcaOptions): PictureKind {
  checkColorOptions(options)
  const { every, from, to, toneMap } = options
  return {
    frames: given({ every, from, to, toneMap }),
    title: titleOf(options),
    takesTiles: true,
    upsamples: true,
    async *draw(work) {
      const saved = await savedColorsOrNull(context, options)
      if (saved !== null) return yield* drawn(work.photos(), saved, options)
      const { sample, first, photos } = await keepPhotos(work)
      if (first === null) return
      const colors = await fitted(work, sample.maps, first, options)
      await saveColors(context, colors, options)
      yield* drawn(photos(), colors, options)
    },
  }
}

async function* drawn(
  photos: AsyncIterable<EncodedPhoto>,
  colors: PatchColors,
  options: PcaOptions,
): AsyncGenerator<Tile, void, undefined> {
  for await (const { path, photo, features } of photos)
    yield { path, image: coloured(photo, features, colors, options) }
}

/** @param first is the first of the photos that the maps are of */
async function fitted(
  work: PictureWork,
  maps: readonly PatchMap[],
  first: EncodedPhoto,
  options: PcaOptions,
): Promise<PatchColors> {
  work.phase('finding the colours')
  const { foreground } = options
  const clicks = Array.isArray(foreground) ? clicksOf(work, first, foreground) : []
  return await fittedColors(maps, { ...options, clicks }, work)
}

function clicksOf(
  work: PictureWork,
  first: EncodedPhoto,
  points: readonly GivenPlace[],
): readonly PatchClick[] {
  work.assertFirst(first, 'The points of --foreground were given in it.')
  return points.flatMap((point) =>
    patchesIn('--foreground', point, first).map((patch) => ({ map: 0, patch })),
  )
}
