/** `plumage picture pca` shows patches as colours: what the network takes for alike has one colour, in all photos. */
import { Command, Option } from 'commander'
import { given } from '../../../encoder/choose-recipe.js'
import { drawPatchColors } from '../../../picture/draw/draw-patches.js'
import {
  type Foreground,
  fitForeground,
  foregroundMask,
  LEAST_SEPARABILITY,
  type PatchClick,
} from '../../../picture/foreground.js'
import {
  colorPatches,
  fitPatchColors,
  PATCH_COLOR_METHODS,
  type PatchColorMethod,
  type PatchColors,
} from '../../../picture/patch-colors.js'
import { readPatchColors, writePatchColors } from '../../../picture/saved-colors.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { composed, opacityOf } from './composed.js'
import { type EncodedPhoto, makePicture, type PictureKind, type PictureWork } from './make-picture.js'
import { type GivenPlace, parsePoint, patchesIn } from './parse-place.js'
import { addPictureOptions, type PictureOptions } from './picture-options.js'

interface PcaOptions extends PictureOptions {
  readonly method?: PatchColorMethod
  /** Is true where it is to be found, or lists points of the first photo that belong to it. */
  readonly foreground?: boolean | readonly GivenPlace[]
  readonly colors?: string
  readonly saveColors?: string
}

export function pcaCommand(context: CommandContext): Command {
  const command = new Command('pca').description(
    'show the three strongest differences among patches as red, green and blue, the same colours for all photos',
  )
  addPictureOptions(command)
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
  return command.action((inputs: string[], options: PcaOptions) =>
    makePicture(context, inputs, options, pcaPicture(context, options)),
  )
}

/** Commander gives true for the option without a point, and the points so far with one. */
function addPoint(text: string, points: unknown): readonly GivenPlace[] {
  return [...(Array.isArray(points) ? points : []), parsePoint(text)]
}

const TITLES: Readonly<Record<PatchColorMethod, string>> = {
  plumage:
    'Patches as colours: three principal components of all patches together (after Oquab et al., DINOv2, 2023).',
  dinov2: 'Patches as colours, as DINOv2 shows them (Oquab et al., 2023).',
  dinov3: 'Patches as colours, as DINOv3 shows them (Siméoni et al., 2025).',
  birder: "Patches as colours, as Birder's FeaturePCA shows them.",
}

function pcaPicture(context: CommandContext, options: PcaOptions): PictureKind {
  if (
    options.colors !== undefined &&
    (options.method ?? options.foreground ?? options.saveColors) !== undefined
  )
    throw new UsageError(
      '--colors takes colours as they were fitted: leave --method, --foreground and --save-colors out.',
    )
  return {
    title: TITLES[options.method ?? 'plumage'],
    async *draw(work) {
      const saved = options.colors === undefined ? null : await savedColors(context, options.colors)
      const found: EncodedPhoto[] = []
      for await (const photo of work.photos()) found.push(photo)
      if (found.length === 0) return
      const colors = saved ?? (await fitted(work, found, options))
      if (options.saveColors !== undefined)
        await context.files.write(options.saveColors, [`${writePatchColors(colors)}\n`])
      for (const { path, photo, features } of found) {
        const cut = colors.foreground?.cut ?? null
        const mask = cut === null ? undefined : foregroundMask(features, cut)
        const shown = { opacity: opacityOf(options), mask }
        const drawn = drawPatchColors(photo, features, colorPatches(features, colors), shown)
        yield { path, image: composed(photo, drawn, options) }
      }
    },
  }
}

async function fitted(
  work: PictureWork,
  photos: readonly EncodedPhoto[],
  options: PcaOptions,
): Promise<PatchColors> {
  work.phase('finding the colours')
  const { products, signal } = work
  const maps = photos.map(({ features }) => features)
  const foreground = await foregroundOf(work, photos, options)
  const { method } = options
  const colors = await fitPatchColors(maps, { ...given({ method, foreground }), products, signal })
  if (colors.foreground !== null) work.remark(foregroundText(colors.foreground, options))
  return colors
}

/** Gives undefined where the method decides, and null where all is to be coloured. */
async function foregroundOf(
  work: PictureWork,
  photos: readonly EncodedPhoto[],
  { foreground }: PcaOptions,
): Promise<Foreground | null | undefined> {
  if (foreground === undefined) return undefined
  if (foreground === false) return null
  const { products, signal } = work
  const maps = photos.map(({ features }) => features)
  const clicks = foreground === true ? [] : clicksOf(work, photos, foreground)
  return await fitForeground(maps, { products, signal, clicks })
}

function clicksOf(
  work: PictureWork,
  [first]: readonly EncodedPhoto[],
  points: readonly GivenPlace[],
): readonly PatchClick[] {
  if (first === undefined) return []
  work.assertFirst(first, 'The points of --foreground were given in it.')
  return points.flatMap((point) =>
    patchesIn('--foreground', point, first).map((patch) => ({ map: 0, patch })),
  )
}

function foregroundText({ separability, cut }: Foreground, { foreground }: PcaOptions): string {
  const share = `separability ${separability.toFixed(2)} (Otsu, 1979)`
  if (cut === null)
    return `No background is cut off: ${share} is below ${LEAST_SEPARABILITY}; --foreground x,y says what is a thing.`
  return Array.isArray(foreground) ? `Background told by clicks, ${share}.` : `Background cut off, ${share}.`
}

async function savedColors({ files }: CommandContext, path: string): Promise<PatchColors> {
  const text = await files.readText(path)
  if (text === null) throw new UsageError(`--colors ${path}: there is no such file.`)
  return readPatchColors(text)
}
