/** `plumage picture objects` shows what stands out of each photo, without labels: its patches, and a box around them. */
import { Command } from 'commander'
import { given } from '../../../encoder/choose-recipe.js'
import type { Box } from '../../../image/image.js'
import { copyOf } from '../../../picture/draw/canvas.js'
import { drawBox } from '../../../picture/draw/draw-lines.js'
import { drawMask } from '../../../picture/draw/draw-patches.js'
import { boxOn } from '../../../picture/draw/placement.js'
import { findObject } from '../../../picture/find-object.js'
import type { Placed } from '../../../picture/patches-at.js'
import type { CommandContext } from '../../context.js'
import { composed, MARK } from './composed.js'
import { type EncodedPhoto, makePicture, type PictureKind, type PictureWork } from './make-picture.js'
import { addPictureOptions, numberWithin, type PictureOptions } from './picture-options.js'
import type { Tile } from './picture-place.js'

interface ObjectsOptions extends PictureOptions {
  readonly tau?: number
}

export function objectsCommand(context: CommandContext): Command {
  const command = new Command('objects').description('show what stands out of each photo, without labels')
  addPictureOptions(command).option(
    '--tau <cosine>',
    'patches of a larger similarity belong together (default: 0.2, as in the paper)',
    numberWithin(-1, 1, 'a cosine similarity from -1 to 1, such as 0.2'),
  )
  return command.action((inputs: string[], options: ObjectsOptions) =>
    makePicture(context, inputs, options, objectsPicture(options)),
  )
}

function objectsPicture(options: ObjectsOptions): PictureKind {
  return {
    title: 'What stands out of a photo: TokenCut on output patches (Wang et al., 2022).',
    async *draw(work) {
      for await (const photo of work.photos()) {
        try {
          yield { path: photo.path, ...(await drawn(photo, work, options)) }
        } catch (error) {
          // A photo of one patch, or of too many, has no object; the others may have.
          if (!(error instanceof RangeError)) throw error
          work.fail(photo.path, error)
        }
      }
    },
  }
}

async function drawn(
  { photo, features }: EncodedPhoto,
  { products, signal }: PictureWork,
  options: ObjectsOptions,
): Promise<Pick<Tile, 'image' | 'note'>> {
  const object = await findObject(features, { ...given({ tau: options.tau }), products, signal })
  const none = new Uint8Array(features.grid.rows * features.grid.columns)
  const shown = drawMask(photo, features, object?.mask ?? none)
  const plain = copyOf(photo)
  if (object === null) return { image: composed(plain, shown, options), note: 'nothing stands out' }
  const box = pixelBox(features, object.box)
  for (const each of [plain, shown]) drawBox(each, boxOn(each, features, box), MARK)
  const { left, top, right, bottom } = box
  const place = [left, top, right, bottom].map(Math.round).join(', ')
  return {
    image: composed(plain, shown, options),
    note: `left, top, right, bottom: ${place}; score ${object.score.toFixed(3)}`,
  }
}

/** Brings a box of patches to the photo's own pixels, without what a recipe pads. */
function pixelBox({ patchBox, imageSize: [height, width] }: Placed, box: Box): Box {
  const [first, last] = [patchBox(box.top, box.left), patchBox(box.bottom - 1, box.right - 1)]
  return {
    top: Math.max(0, first.top),
    left: Math.max(0, first.left),
    bottom: Math.min(height, last.bottom),
    right: Math.min(width, last.right),
  }
}
