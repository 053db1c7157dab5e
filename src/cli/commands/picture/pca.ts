/** `plumage picture pca` shows patches as colours: what the network takes for alike has one colour, in all photos. */
import { Command, Option } from 'commander'
import { PATCH_COLOR_METHODS, type PatchColors } from '../../../picture/patch-colors.js'
import type { PatchMap } from '../../../picture/patch-map.js'
import { outputTarget } from '../../../platform/node/files/output-target.js'
import { muxerOrNull } from '../../../platform/node/video/video-name.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { addLikeOption } from '../../look-like.js'
import { rowOf } from './bands.js'
import { keepPhotos } from './kept-photos.js'
import { type EncodedPhoto, makePicture, type PictureKind, type PictureWork } from './make-picture.js'
import { type GivenPlace, parsePoint, patchesIn } from './parse-place.js'
import {
  checkColorOptions,
  coloured,
  colouredLike,
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
  addLikeOption(addPictureOptions(command))
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
    .option('--save-colors <file>', 'keep the colours in a JSON file or object (s3:, az:, gs:)')
    .option(
      '--colors <file>',
      'take the colours from such a file, at a path or an address, so that they mean the same as there',
    )
  return command.action(async (inputs: string[], asked: PcaOptions) => {
    const options = colouredLike(asked)
    const { output, saveColors } = options
    // What cannot be written is told before the work.
    if (saveColors !== undefined) await outputTarget(context.files.resolve(saveColors))
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
  return {
    title: titleOf(options),
    takesTiles: true,
    upsamples: true,
    likes: 'patches',
    async *draw(work) {
      const saved = await savedColorsOrNull(context, options)
      if (saved !== null) return yield* drawn(work, work.photos(), saved, options)
      const { sample, first, photos } = await keepPhotos(work)
      if (first === null) return
      const colors = await fitted(work, sample.maps, first, options)
      await saveColors(context, colors, options)
      yield* drawn(work, photos(), colors, options)
    },
  }
}

async function* drawn(
  { signal }: PictureWork,
  photos: AsyncIterable<EncodedPhoto>,
  colors: PatchColors,
  options: PcaOptions,
): AsyncGenerator<Tile, void, undefined> {
  for await (const { path, photo, features } of photos)
    yield { path, image: await coloured(photo, features, colors, options, signal) }
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
  const clicked = Array.isArray(foreground) ? clickedIn(work, first, foreground) : []
  if (first.features.tiled === undefined || clicked.length === 0)
    return await fittedColors(maps, { ...options, clicks: clicked.map((patch) => ({ map: 0, patch })) }, work)
  // A map of tiles is fitted to by some of its patches, and those that were clicked may not be among them: they are a map of their own.
  const clicks = clicked.map((_, patch) => ({ map: 0, patch }))
  return await fittedColors([rowOf(first.features, clicked), ...maps], { ...options, clicks }, work)
}

/** Gives the numbers of the patches at the points, in the first photo. */
function clickedIn(work: PictureWork, first: EncodedPhoto, points: readonly GivenPlace[]): readonly number[] {
  work.assertFirst(first, 'The points of --foreground were given in it.')
  return points.flatMap((point) => patchesIn('--foreground', point, first))
}
