/** `plumage picture pca` shows patches as colours: what the network takes for alike has one colour, in all photos. */
import { Command } from 'commander'
import { given } from '../../../encoder/choose-recipe.js'
import { drawPatchColors } from '../../../picture/draw/draw-patches.js'
import { colorPatches, fitPatchColors } from '../../../picture/patch-colors.js'
import { muxerOrNull } from '../../../platform/node/video/video-name.js'
import type { CommandContext } from '../../context.js'
import { addFrameOptions, type FrameOptions } from '../../film-inputs.js'
import { composed, opacityOf } from './composed.js'
import { type EncodedPhoto, makePicture, type PictureKind } from './make-picture.js'
import { addPictureOptions, type PictureOptions } from './picture-options.js'

type PcaOptions = PictureOptions & FrameOptions

export function pcaCommand(context: CommandContext): Command {
  const command = new Command('pca').description(
    'show the three strongest differences among patches as red, green and blue, the same colours for all photos',
  )
  return addFrameOptions(addPictureOptions(command)).action(async (inputs: string[], options: PcaOptions) => {
    const { output } = options
    if (output === undefined || muxerOrNull(output) === null)
      return await makePicture(context, inputs, options, pcaPicture(options))
    const { filmPicture } = await import('./film-picture.js')
    await filmPicture(context, inputs, { ...options, output })
  })
}

function pcaPicture(options: PcaOptions): PictureKind {
  const { every, from, to, toneMap } = options
  return {
    frames: given({ every, from, to, toneMap }),
    title:
      'Patches as colours: three principal components of all patches together (Oquab et al., DINOv2, 2023).',
    async *draw(work) {
      const found: EncodedPhoto[] = []
      for await (const photo of work.photos()) found.push(photo)
      if (found.length === 0) return
      work.phase('finding the colours')
      const colors = fitPatchColors(found.map(({ features }) => features))
      for (const { path, photo, features } of found) {
        const shown = { opacity: opacityOf(options) }
        const drawn = drawPatchColors(photo, features, colorPatches(features, colors), shown)
        yield { path, image: composed(photo, drawn, options) }
      }
    },
  }
}
