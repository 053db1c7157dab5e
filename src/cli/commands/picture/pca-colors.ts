/** Finds, keeps and takes up the colours of `picture pca`, of photos and of films alike. */
import { given } from '../../../encoder/choose-recipe.js'
import { METHODS } from '../../../encoder/like.js'
import type { RgbImage } from '../../../image/image.js'
import type { Products } from '../../../numerics/products.js'
import { patchColorSteps } from '../../../picture/draw/draw-patches.js'
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
  type PatchColorMethod,
  type PatchColors,
} from '../../../picture/patch-colors.js'
import type { PatchMap } from '../../../picture/patch-map.js'
import { readPatchColors, writePatchColors } from '../../../picture/saved-colors.js'
import { concatenateBytes } from '../../../tensor/concatenate.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { bandsOf, drawnInBands } from './bands.js'
import { composed, opacityOf, upsamplingOf } from './composed.js'
import { drawnInTurns } from './drawn-in-turns.js'
import type { SeenPhoto } from './make-picture.js'
import type { GivenPlace } from './parse-place.js'
import type { PictureOptions } from './picture-options.js'

export interface PcaOptions extends PictureOptions {
  readonly method?: PatchColorMethod
  /** Is true where it is to be found, or lists points of the first photo that belong to it. */
  readonly foreground?: boolean | readonly GivenPlace[]
  readonly colors?: string
  readonly saveColors?: string
}

const TITLES: Readonly<Record<PatchColorMethod, string>> = {
  plumage:
    'Patches as colours: three principal components of all patches together (after Oquab et al., DINOv2, 2023).',
  dinov2: 'Patches as colours, as DINOv2 shows them (Oquab et al., 2023).',
  dinov3: 'Patches as colours, as DINOv3 shows them (Siméoni et al., 2025).',
  birder: "Patches as colours, as Birder's FeaturePCA shows them.",
}

export function titleOf({ method = 'plumage' }: PcaOptions): string {
  return TITLES[method]
}

/** Has components become colours as they do in the tool that is followed. Throws `UsageError` where that is said twice. */
export function colouredLike(options: PcaOptions): PcaOptions {
  const { like, method, colors } = options
  if (like === undefined) return options
  if (method !== undefined)
    throw new UsageError(`--like ${like} sets what --method sets: leave one of the two out.`)
  // Colours that are kept are what they are.
  return colors === undefined ? { ...options, method: METHODS[like].colors } : options
}

/** Throws `UsageError` where colours are to be taken from a file and found as well. */
export function checkColorOptions({ colors, method, foreground, saveColors }: PcaOptions): void {
  if (colors === undefined || (method ?? foreground ?? saveColors) === undefined) return
  throw new UsageError(
    '--colors takes colours as they were fitted: leave --method, --foreground and --save-colors out.',
  )
}

/** Is what the fitting of colours needs, and tells. */
interface Fitting {
  readonly products: Products
  readonly signal: AbortSignal
  remark(text: string): void
}

/** @param options `clicks` are patches that belong to the foreground */
export async function fittedColors(
  maps: readonly PatchMap[],
  options: PcaOptions & { readonly clicks: readonly PatchClick[] },
  { products, signal, remark }: Fitting,
): Promise<PatchColors> {
  const { method, foreground, clicks } = options
  const cut = await foregroundOf(maps, foreground, { products, signal, clicks })
  const colors = await fitPatchColors(maps, { ...given({ method, foreground: cut }), products, signal })
  if (colors.foreground !== null) remark(foregroundText(colors.foreground, clicks.length > 0))
  return colors
}

/** Gives undefined where the method decides, and null where all is to be coloured. */
async function foregroundOf(
  maps: readonly PatchMap[],
  foreground: PcaOptions['foreground'],
  options: Parameters<typeof fitForeground>[1],
): Promise<Foreground | null | undefined> {
  if (foreground === undefined) return undefined
  return foreground === false ? null : await fitForeground(maps, options)
}

function foregroundText({ separability, cut }: Foreground, isClicked: boolean): string {
  const share = `separability ${separability.toFixed(2)} (Otsu, 1979)`
  if (cut === null)
    return `No background is cut off: ${share} is below ${LEAST_SEPARABILITY}; --foreground x,y says what is a thing.`
  return isClicked ? `Background told by clicks, ${share}.` : `Background cut off, ${share}.`
}

/** Draws the colours of a photo's patches, and dims what was taken for its background. */
export async function coloured(
  photo: RgbImage,
  features: SeenPhoto,
  colors: PatchColors,
  options: PcaOptions,
  signal: AbortSignal,
): Promise<RgbImage> {
  const cut = colors.foreground?.cut ?? null
  const mask =
    cut === null
      ? undefined
      : concatenateBytes([...bandsOf(features)].map((band) => foregroundMask(band, cut)))
  const shown = { opacity: opacityOf(options), mask, upsample: upsamplingOf(options) }
  const drawn = drawnInBands(features, (band) => colorPatches(band, colors))
  const steps = patchColorSteps(photo, features, drawn, shown)
  return composed(photo, await drawnInTurns(steps, signal), options)
}

export async function savedColorsOrNull(
  { files }: CommandContext,
  { colors: path }: PcaOptions,
): Promise<PatchColors | null> {
  if (path === undefined) return null
  const text = await files.readText(path)
  if (text === null) throw new UsageError(`--colors ${path}: there is no such file.`)
  return readPatchColors(text)
}

export async function saveColors(
  { files }: CommandContext,
  colors: PatchColors,
  { saveColors: path }: PcaOptions,
): Promise<void> {
  if (path !== undefined) await files.write(path, [`${writePatchColors(colors)}\n`])
}
