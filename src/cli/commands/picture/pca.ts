/** `plumage picture pca` shows patches as colours: what the network takes for alike has one colour, in all photos. */
import { Command } from 'commander'
import { drawPatchColors } from '../../../picture/draw/draw-patches.js'
import { colorPatches, fitPatchColors } from '../../../picture/patch-colors.js'
import type { CommandContext } from '../../context.js'
import { composed, opacityOf } from './composed.js'
import { type EncodedPhoto, makePicture, type PictureKind } from './make-picture.js'
import { addPictureOptions, type PictureOptions } from './picture-options.js'

export function pcaCommand(context: CommandContext): Command {
  const command = new Command('pca').description(
    'show the three strongest differences among patches as red, green and blue, the same colours for all photos',
  )
  return addPictureOptions(command).action((inputs: string[], options: PictureOptions) =>
    makePicture(context, inputs, options, pcaPicture(options)),
  )
}

function pcaPicture(options: PictureOptions): PictureKind {
  return {
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
