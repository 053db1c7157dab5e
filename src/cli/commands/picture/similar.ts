/** `plumage picture similar` shows where photos look like a place in the first of them. */
import { Command } from 'commander'
import type { RgbImage } from '../../../image/image.js'
import { copyOf } from '../../../picture/draw/canvas.js'
import { drawBox, drawOutline, drawRing } from '../../../picture/draw/draw-lines.js'
import { heatSteps, rangeOf } from '../../../picture/draw/draw-patches.js'
import { legendBar } from '../../../picture/draw/layout.js'
import { boxOn, pointOn } from '../../../picture/draw/placement.js'
import { commonDirection, similarPatches } from '../../../picture/patch-similarity.js'
import type { Placed } from '../../../picture/patches-at.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { addLikeOption } from '../../look-like.js'
import { foundInBands, rowOf } from './bands.js'
import { composed, heatOptions, MARK, ringOn } from './composed.js'
import { drawnInTurns } from './drawn-in-turns.js'
import { type EncodedPhoto, makePicture, type PictureKind, type SeenPhoto } from './make-picture.js'
import { maskIn } from './mask-in.js'
import { boxIn, type GivenPlace, parseBox, parsePoint, patchesIn, patchesOf, pointIn } from './parse-place.js'
import { addMapOption, addPictureOptions, type HeatMapOptions } from './picture-options.js'

interface SimilarOptions extends HeatMapOptions {
  readonly point?: GivenPlace
  readonly box?: GivenPlace
  readonly mask?: string
}

export function similarCommand(context: CommandContext): Command {
  const command = new Command('similar').description(
    'show where photos look like a place in the first of them',
  )
  addLikeOption(addMapOption(addPictureOptions(command)))
    .option('--point <x,y>', 'the place, in pixels of the first photo, or in hundredths: 50%,40%', parsePoint)
    .option('--box <left,top,right,bottom>', 'a part of the first photo, in the same numbers', parseBox)
    .option(
      '--mask <picture>',
      'what is light in this picture, which is as large as the first photo: a path or an address',
    )
  return command.action((inputs: string[], options: SimilarOptions) =>
    makePicture(context, inputs, options, similarPicture(context, options)),
  )
}

/** Is what is looked for, and how it is marked in the photo that it is of. */
interface Query {
  /** [D] */
  readonly features: Float32Array
  readonly mark: (drawn: RgbImage) => void
}

type Placing = (photo: EncodedPhoto) => Query | Promise<Query>

/** Is what is kept of a photo until all have been seen: its patches have been compared. */
interface Compared extends Pick<EncodedPhoto, 'path' | 'photo'> {
  readonly placed: Placed
  readonly values: Float32Array
}

function similarPicture(context: CommandContext, options: SimilarOptions): PictureKind {
  const queryIn = placingOf(context, options)
  return {
    title: 'Cosine similarity of patches to the place that is marked in the first photo.',
    takesTiles: true,
    upsamples: true,
    likes: 'patches',
    async *draw(work) {
      const { products, signal } = work
      const compared: Compared[] = []
      let query: Query | null = null
      for await (const found of work.photos()) {
        const { path, photo, features } = found
        if (query === null) {
          work.assertFirst(
            found,
            'The place was given in it, and there is nothing to look for in the others.',
          )
          query = await queryIn(found)
        }
        const direction = query.features
        const values = await foundInBands(features, async (band) => {
          const [ofBand = new Float32Array()] = await similarPatches(direction, [band], { products, signal })
          return ofBand
        })
        const { grid, imageSize, patchBox } = features
        compared.push({ path, photo, placed: { grid, imageSize, patchBox }, values })
      }
      // All photos share a range: else the best place of a photo without any likeness would look like a find.
      const range = rangeOf(...compared.map(({ values }) => values))
      for (const [index, { path, photo, placed, values }] of compared.entries()) {
        const steps = heatSteps(photo, placed, values, heatOptions(options, range))
        const drawn = await drawnInTurns(steps, signal)
        const plain = copyOf(photo)
        if (index === 0) for (const each of [drawn, plain]) query?.mark(each)
        const image = composed(plain, drawn, options)
        const legend = legendBar({ map: options.map, range, title: 'cosine similarity' }, image.width)
        const [, best] = rangeOf(values)
        yield { path, image, legend, note: `most alike ${best.toFixed(3)}` }
      }
    },
  }
}

/** Throws `UsageError` unless one place is given. */
function placingOf(context: CommandContext, options: SimilarOptions): Placing {
  const { point, box, mask } = options
  const placings: readonly Placing[] = [
    ...(point === undefined ? [] : [(photo: EncodedPhoto) => queryAtPoint(photo, point)]),
    ...(box === undefined ? [] : [(photo: EncodedPhoto) => queryInBox(photo, box)]),
    ...(mask === undefined ? [] : [(photo: EncodedPhoto) => queryInMask(context, photo, mask, options)]),
  ]
  const [placing, ...others] = placings
  if (placing !== undefined && others.length === 0) return placing
  throw new UsageError(
    'What is looked for? Give one of --point x,y, --box left,top,right,bottom, in pixels of the first photo or in hundredths (--point 50%,40%), and --mask, a picture in which it is light.',
  )
}

function directionOf(features: SeenPhoto, patches: readonly number[]): Float32Array {
  return commonDirection(rowOf(features, patches), [...patches.keys()])
}

function queryAtPoint(photo: EncodedPhoto, point: GivenPlace): Query {
  const { path, features } = photo
  const at = pointIn('--point', point, features.imageSize, path)
  return {
    features: directionOf(features, patchesIn('--point', point, photo)),
    mark: (drawn) => drawRing(drawn, pointOn(drawn, features, at), ringOn(drawn), MARK),
  }
}

function queryInBox(photo: EncodedPhoto, given: GivenPlace): Query {
  const { path, features } = photo
  const box = boxIn(given, features.imageSize, path)
  return {
    features: directionOf(features, patchesIn('--box', given, photo)),
    mark: (drawn) => drawBox(drawn, boxOn(drawn, features, box), MARK),
  }
}

async function queryInMask(
  context: CommandContext,
  { path, features }: EncodedPhoto,
  given: string,
  options: SimilarOptions,
): Promise<Query> {
  const { imageSize } = features
  const mask = await maskIn(context, given, { path, imageSize }, options)
  const patches = patchesOf(`--mask ${given} of ${path}`, features, { mask })
  return {
    features: directionOf(features, patches),
    mark: (drawn) => drawOutline(drawn, { mask, size: imageSize }, MARK),
  }
}
