/** `plumage picture similar` shows where photos look like a place in the first of them. */
import { Command } from 'commander'
import type { Features } from '../../../encoder/types.js'
import type { Box, RgbImage } from '../../../image/image.js'
import { copyOf } from '../../../picture/draw/canvas.js'
import { drawBox, drawRing } from '../../../picture/draw/draw-lines.js'
import { drawHeat, rangeOf } from '../../../picture/draw/draw-patches.js'
import { legendBar } from '../../../picture/draw/layout.js'
import { boxOn, patchAtPoint, pointOn } from '../../../picture/draw/placement.js'
import { patchAt, patchSimilarity } from '../../../picture/patch-similarity.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { composed, MARK, opacityOf } from './composed.js'
import { type EncodedPhoto, makePicture, type PictureKind } from './make-picture.js'
import { boxIn, type GivenPlace, parseBox, parsePoint, pointIn, unseenPlace } from './parse-place.js'
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
  readonly mark: (drawn: RgbImage, placed: Features) => void
}

function similarPicture(options: SimilarOptions): PictureKind {
  const queryIn = queryOf(options)
  return {
    title: 'Cosine similarity of patches to the place that is marked in the first photo.',
    async *draw(work) {
      const found: EncodedPhoto[] = []
      for await (const photo of work.photos()) found.push(photo)
      const [first] = found
      if (first === undefined) return
      work.assertFirst(first, 'The place was given in it, and there is nothing to look for in the others.')
      const query = queryIn(first)
      const maps = found.map((photo) => ({
        ...photo,
        values: patchSimilarity(query.features, photo.features),
      }))
      // All photos share a range: else the best place of a photo without any likeness would look like a find.
      const range = rangeOf(...maps.map(({ values }) => values))
      for (const { path, photo, features, values } of maps) {
        const heat = { map: options.map, range, opacity: opacityOf(options, 0.75) }
        const drawn = drawHeat(photo, features, values, heat)
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

function queryAtPoint({ path, features }: EncodedPhoto, point: GivenPlace): Query {
  const at = pointIn(point, features.imageSize, path)
  const patch = patchAtPoint(features, at)
  if (patch === null) throw unseenPlace('--point', point, path)
  return {
    features: patchAt(features, patch.row, patch.column),
    mark: (drawn, placed) => drawRing(drawn, pointOn(drawn, placed, at), Math.max(6, drawn.width / 60), MARK),
  }
}

function queryInBox({ path, features }: EncodedPhoto, given: GivenPlace): Query {
  const box = boxIn(given, features.imageSize, path)
  const mean = meanWithin(features, box)
  if (mean === null) throw unseenPlace('--box', given, path)
  return { features: mean, mark: (drawn, placed) => drawBox(drawn, boxOn(drawn, placed, box), MARK) }
}

/** Gives the mean direction of the patches whose middle lies in the box, [D]; null where there is none. */
function meanWithin(features: Features, box: Box): Float32Array | null {
  const { rows, columns } = features.grid
  const sum = new Float32Array(features.patches.length / (rows * columns))
  let count = 0
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const patch = features.patchBox(row, column)
      const [y, x] = [(patch.top + patch.bottom) / 2, (patch.left + patch.right) / 2]
      if (y < box.top || y >= box.bottom || x < box.left || x >= box.right) continue
      const values = patchAt(features, row, column)
      const length = Math.hypot(...values)
      for (const [index, value] of values.entries()) sum[index] = (sum[index] ?? 0) + value / length
      count++
    }
  return count === 0 ? null : sum
}
