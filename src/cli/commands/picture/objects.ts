/** `plumage picture objects` shows what stands out of each photo, without labels: its patches, and a box around them. */
import { Command, Option } from 'commander'
import { given } from '../../../encoder/choose-recipe.js'
import type { Box } from '../../../image/image.js'
import { copyOf } from '../../../picture/draw/canvas.js'
import { drawBox } from '../../../picture/draw/draw-lines.js'
import { maskSteps } from '../../../picture/draw/draw-patches.js'
import { boxOn } from '../../../picture/draw/placement.js'
import {
  findObject,
  OBJECT_KEYS,
  OBJECT_SETTINGS,
  type ObjectFacet,
  objectFacetOf,
} from '../../../picture/find-object.js'
import type { Placed } from '../../../picture/patches-at.js'
import type { CommandContext } from '../../context.js'
import { composed, MARK, upsamplingOf } from './composed.js'
import { drawnInTurns } from './drawn-in-turns.js'
import { type EncodedPhoto, makePicture, type PictureKind, type PictureWork } from './make-picture.js'
import { addPictureOptions, numberWithin, type PictureOptions } from './picture-options.js'
import type { Tile } from './picture-place.js'

interface ObjectsOptions extends PictureOptions {
  readonly tau?: number | 'otsu'
  readonly facet?: ObjectFacet
}

export function objectsCommand(context: CommandContext): Command {
  const command = new Command('objects').description('show what stands out of each photo, without labels')
  addPictureOptions(command).option(
    '--tau <cosine>',
    'patches of a larger similarity belong together; otsu finds what parts those of a photo (default: what was measured for what is looked in)',
    parseTau,
  )
  command.addOption(
    new Option(
      '--facet <facet>',
      "look among output patches, or among keys of the last block but one (default: in which more was found for the model's family)",
    ).choices(FACETS),
  )
  return command.action((inputs: string[], options: ObjectsOptions) =>
    makePicture(context, inputs, options, objectsPicture(options)),
  )
}

const FACETS = ['patches', 'keys'] as const satisfies readonly ObjectFacet[]

function parseTau(text: string): number | 'otsu' {
  return text === 'otsu'
    ? text
    : numberWithin(-1, 1, 'otsu, or a cosine similarity from -1 to 1, such as 0.2')(text)
}

function objectsPicture(options: ObjectsOptions): PictureKind {
  return {
    title: 'What stands out of a photo (TokenCut; Wang et al., 2022).',
    upsamples: true,
    async *draw(work) {
      const { depth, identity } = work.encoder
      const facet = options.facet ?? objectFacetOf(identity.model)
      const keys = { ...OBJECT_KEYS, layer: Math.max(OBJECT_KEYS.layer, -depth) }
      for await (const photo of work.photos(facet === 'keys' ? { facets: [keys] } : {})) {
        try {
          yield { path: photo.path, ...(await drawn(photo, facet, work, options)) }
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
  facet: ObjectFacet,
  { products, signal }: PictureWork,
  options: ObjectsOptions,
): Promise<Pick<Tile, 'image' | 'note'>> {
  const { grid, identity, facets = [] } = features
  const [seen] = facet === 'keys' ? facets : [features]
  if (seen === undefined) throw new Error('the encoder was asked for keys and gave none')
  const setting = { ...OBJECT_SETTINGS[facet], ...given({ tau: options.tau }) }
  const object = await findObject({ patches: seen.patches, grid, identity }, { ...setting, products, signal })
  const none = new Uint8Array(grid.rows * grid.columns)
  const upsample = upsamplingOf(options)
  const steps = maskSteps(photo, features, object?.mask ?? none, given({ upsample }))
  const shown = await drawnInTurns(steps, signal)
  const plain = copyOf(photo)
  if (object === null) return { image: composed(plain, shown, options), note: 'nothing stands out' }
  const box = pixelBox(features, object.box)
  for (const each of [plain, shown]) drawBox(each, boxOn(each, features, box), MARK)
  const { left, top, right, bottom } = box
  const place = [left, top, right, bottom].map(Math.round).join(', ')
  return {
    image: composed(plain, shown, options),
    note: `left, top, right, bottom: ${place}; score ${object.score.toFixed(3)}, in ${facet}`,
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
