/** `plumage picture similar` shows where photos look like a place in the first of them. */
import { Command } from 'commander'
import type { RgbImage } from '../../../image/image.js'
import { copyOf } from '../../../picture/draw/canvas.js'
import { drawBox, drawRing } from '../../../picture/draw/draw-lines.js'
import { drawHeat, rangeOf } from '../../../picture/draw/draw-patches.js'
import { legendBar } from '../../../picture/draw/layout.js'
import { boxOn, pointOn } from '../../../picture/draw/placement.js'
import { commonDirection, similarPatches } from '../../../picture/patch-similarity.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { composed, heatOptions, MARK, ringOn } from './composed.js'
import { type EncodedPhoto, makePicture, type PictureKind, type SeenPhoto } from './make-picture.js'
import { boxIn, type GivenPlace, parseBox, parsePoint, patchesIn, pointIn } from './parse-place.js'
import { addMapOption, addPictureOptions, type HeatMapOptions } from './picture-options.js'

interface SimilarOptions extends HeatMapOptions {
  readonly point?: GivenPlace
  readonly box?: GivenPlace
}

export function similarCommand(context: CommandContext): Command {
  const command = new Command('similar').description(
    'show where photos look like a place in the first of them',
  )
  addMapOption(addPictureOptions(command))
    .option('--point <x,y>', 'the place, in pixels of the first photo, or in hundredths: 50%,40%', parsePoint)
    .option('--box <left,top,right,bottom>', 'a part of the first photo, in the same numbers', parseBox)
  return command.action((inputs: string[], options: SimilarOptions) =>
    makePicture(context, inputs, options, similarPicture(options)),
  )
}

/** Is what is looked for, and how it is marked in the photo that it is of. */
interface Query {
  /** [D] */
  readonly features: Float32Array
  readonly mark: (drawn: RgbImage, placed: SeenPhoto) => void
}

function similarPicture(options: SimilarOptions): PictureKind {
  const queryIn = queryOf(options)
  return {
    title: 'Cosine similarity of patches to the place that is marked in the first photo.',
    takesTiles: true,
    upsamples: true,
    async *draw(work) {
      const found: EncodedPhoto[] = []
      for await (const photo of work.photos()) found.push(photo)
      const [first] = found
      if (first === undefined) return
      work.assertFirst(first, 'The place was given in it, and there is nothing to look for in the others.')
      const query = queryIn(first)
      const { products, signal } = work
      const photos = found.map(({ features }) => features)
      const maps = await similarPatches(query.features, photos, { products, signal })
      // All photos share a range: else the best place of a photo without any likeness would look like a find.
      const range = rangeOf(...maps)
      for (const [index, { path, photo, features }] of found.entries()) {
        const values = maps[index] ?? new Float32Array()
        const drawn = drawHeat(photo, features, values, heatOptions(options, range))
        const plain = copyOf(photo)
        if (features === first.features) for (const each of [drawn, plain]) query.mark(each, features)
        const image = composed(plain, drawn, options)
        const legend = legendBar({ map: options.map, range, title: 'cosine similarity' }, image.width)
        const [, best] = rangeOf(values)
        yield { path, image, legend, note: `most alike ${best.toFixed(3)}` }
      }
    },
  }
}

/** Throws `UsageError` unless one place is given. */
function queryOf({ point, box }: SimilarOptions): (photo: EncodedPhoto) => Query {
  if (point !== undefined && box === undefined) return (photo) => queryAtPoint(photo, point)
  if (box !== undefined && point === undefined) return (photo) => queryInBox(photo, box)
  throw new UsageError(
    'What is looked for? Give one of --point x,y and --box left,top,right,bottom, in pixels of the first photo or in hundredths (--point 50%,40%).',
  )
}

function queryAtPoint(photo: EncodedPhoto, point: GivenPlace): Query {
  const { path, features } = photo
  const at = pointIn('--point', point, features.imageSize, path)
  return {
    features: commonDirection(features, patchesIn('--point', point, photo)),
    mark: (drawn, placed) => drawRing(drawn, pointOn(drawn, placed, at), ringOn(drawn), MARK),
  }
}

function queryInBox(photo: EncodedPhoto, given: GivenPlace): Query {
  const { path, features } = photo
  const box = boxIn(given, features.imageSize, path)
  return {
    features: commonDirection(features, patchesIn('--box', given, photo)),
    mark: (drawn, placed) => drawBox(drawn, boxOn(drawn, placed, box), MARK),
  }
}
