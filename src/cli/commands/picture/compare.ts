/** `plumage picture compare` shows the patches of photos as two models, or two blocks of one model, see them, side by side. */
import { Command, InvalidArgumentError } from 'commander'
import type { RgbImage } from '../../../image/image.js'
import { drawPatchColors } from '../../../picture/draw/draw-patches.js'
import { captioned, contactSheet } from '../../../picture/draw/layout.js'
import { colorPatches, fitPatchColors, type PatchColors } from '../../../picture/patch-colors.js'
import type { PatchMap } from '../../../picture/patch-map.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { addFrameOptions } from '../../film-inputs.js'
import {
  type EncodedPhoto,
  makePicture,
  type PictureKind,
  type PictureWork,
  type SeenPhoto,
} from './make-picture.js'
import { addPairOptions, type PairOptions } from './picture-options.js'

interface CompareOptions extends PairOptions {
  readonly with?: string
  readonly layers?: readonly [first: number, second: number]
}

export function compareCommand(context: CommandContext): Command {
  const command = new Command('compare').description(
    'show patches as two models, or two blocks of one model, see them',
  )
  addFrameOptions(addPairOptions(command))
    .option('--with <model>', 'the second model, as --model names the first')
    .option('--layers <first,second>', 'two blocks instead: 0 is the first, -1 the last', parseLayers)
  return command.action((inputs: string[], options: CompareOptions) =>
    makePicture(context, inputs, options, comparePicture(options)),
  )
}

/** Parts the photo and its two sides, in pixels. */
const GAP = 8

/** Is one of the two sides: its name, and the patches of each photo by path. */
interface Side {
  readonly name: string
  readonly photos: ReadonlyMap<string, EncodedPhoto>
  readonly mapOf: (features: SeenPhoto) => PatchMap
}

function comparePicture(options: CompareOptions): PictureKind {
  const { with: other, layers } = options
  if ((other === undefined) === (layers === undefined))
    throw new UsageError(
      'What is compared? Give one of --with <model> and --layers <first,second>, such as --layers 5,-1.',
    )
  return {
    title:
      'Patches as colours, by three principal components of each side (after Oquab et al., DINOv2, 2023).',
    async *draw(work) {
      const sides =
        layers === undefined ? await modelSides(work, other ?? '') : await layerSides(work, layers)
      const [first] = sides
      const colors: PatchColors[] = []
      work.phase('finding the colours')
      for (const { photos, mapOf } of sides) {
        const maps = [...photos.values()].map(({ features }) => mapOf(features))
        if (maps.length === 0) return
        colors.push(await fitPatchColors(maps, { products: work.products, signal: work.signal }))
      }
      for (const [path, { photo }] of first?.photos ?? []) {
        const drawn = sides.flatMap((side, index) => sideOf(side, path, colors[index]))
        // A photo that one of the two could not take is told already.
        if (drawn.length === sides.length)
          yield { path, image: contactSheet([captioned(photo, 'photo'), ...drawn], drawn.length + 1, GAP) }
      }
    },
  }
}

function sideOf({ name, photos, mapOf }: Side, path: string, colors: PatchColors | undefined): RgbImage[] {
  const found = photos.get(path)
  if (found === undefined || colors === undefined) return []
  const { photo, features } = found
  const { rows, columns } = features.grid
  const drawn = drawPatchColors(photo, features, colorPatches(mapOf(features), colors))
  return [captioned(drawn, `${name}, ${rows} × ${columns}`)]
}

async function modelSides(work: PictureWork, other: string): Promise<readonly Side[]> {
  const own = await sideBy(work)
  using second = (await work.load(other)).encoder
  return [own, await sideBy(work, second)]
}

async function sideBy(work: PictureWork, encoder = work.encoder): Promise<Side> {
  const photos = new Map<string, EncodedPhoto>()
  for await (const photo of work.photos({}, encoder)) photos.set(photo.path, photo)
  return { name: encoder.identity.model, photos, mapOf: (features) => features }
}

async function layerSides(
  work: PictureWork,
  layers: readonly [first: number, second: number],
): Promise<readonly Side[]> {
  const photos = new Map<string, EncodedPhoto>()
  for await (const photo of work.photos({ layers: [...new Set(layers)] })) photos.set(photo.path, photo)
  return layers.map((layer) => ({
    name: `block ${layer < 0 ? layer + work.encoder.depth : layer}`,
    photos,
    mapOf: ({ grid, layers: found }) => {
      const tokens = found.get(layer) ?? new Float32Array()
      // Special tokens stand before the patches.
      return { patches: tokens.subarray(tokens.length - grid.rows * grid.columns * work.encoder.width), grid }
    },
  }))
}

function parseLayers(text: string): readonly [number, number] {
  const [first, second, ...others] = text
    .split(',')
    .map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  if (Number.isSafeInteger(first) && Number.isSafeInteger(second) && others.length === 0)
    return [first ?? 0, second ?? 0]
  throw new InvalidArgumentError(`Expected two whole numbers, such as 5,-1; found ${text}.`)
}
