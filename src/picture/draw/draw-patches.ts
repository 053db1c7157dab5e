/** Lays what is known of patches over the photo that they were seen in. What the recipe cropped away is dimmed. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import type { RgbImage } from '../../image/image.js'
import { overlayCells } from '../../numerics/mix-pixels.js'
import { largestAt } from '../patch-clusters.js'
import type { Placed } from '../patches-at.js'
import type { Upsampling } from '../upsample.js'
import { copyOf, type Rgb } from './canvas.js'
import { type ColorMapName, colorAt, colorTable } from './color-maps.js'
import { type DrawSteps, drawAll, drawPixels, type Painter } from './draw-pixels.js'
import { pixelPlaces } from './placement.js'

/** Says how colours lie over a photo. */
export interface OverlayOptions {
  /** uint8 [rows * columns], 0 or 1: where it is 0 the photo shows through, dimmed. Default: all of them are 1. */
  readonly mask?: Uint8Array | undefined
  /** Is the share of the colours where they lie; the rest is the photo. Default 1. */
  readonly opacity?: number | undefined
  /**
   * Gives each pixel a value of its own, between those of the patches around it; where there is a mask, what is masked runs into nothing. Default: a pixel has the
   * value of its patch.
   */
  readonly upsample?: Upsampling | undefined
}

const OVERLAY_OPTIONS = { mask: true, opacity: true, upsample: true } satisfies OptionNames<OverlayOptions>

/** So much of a photo's light is left where nothing was seen, or where a mask is 0. */
const DIMMED = 0.3

/**
 * Draws a colour for each patch.
 *
 * @param photo is the photo at any scale
 * @param colors has a pixel for each patch, as `colorPatches` gives them
 * @throws RangeError where `colors`, or the mask, is for another grid, and for an unknown option
 */
export function drawPatchColors(
  photo: RgbImage,
  placed: Placed,
  colors: RgbImage,
  options: OverlayOptions = {},
): RgbImage {
  return drawAll(patchColorSteps(photo, placed, colors, options))
}

/** Draws the same in steps. */
export function* patchColorSteps(
  photo: RgbImage,
  placed: Placed,
  colors: RgbImage,
  options: OverlayOptions = {},
): DrawSteps {
  checkOptionNames(options, OVERLAY_OPTIONS)
  const { upsample } = options
  const shown = shownBy(options, placed)
  const { grid } = placed
  if (colors.height !== grid.rows || colors.width !== grid.columns) {
    throw new RangeError(
      `The colours are for ${colors.height} x ${colors.width} patches, and there are ${grid.rows} x ${grid.columns}.`,
    )
  }
  if (upsample !== undefined) {
    const values = Float32Array.from(colors.data)
    return yield* drawPixels(photo, placed, { values, paint: paintLevels, way: upsample, ...shown })
  }
  const drawn = copyOf(photo)
  const places = pixelPlaces(photo, placed)
  overlayCells(drawn.data, { ...places, gridColumns: grid.columns, colors: colors.data, ...shown })
  return drawn
}

/** Checks the options that all overlays share, and fills in what is not given. */
function shownBy({ mask, opacity = 1 }: OverlayOptions, placed: Placed) {
  if (!(opacity >= 0 && opacity <= 1))
    throw new RangeError(`The option opacity is ${opacity}; it is a share from 0 to 1.`)
  if (mask !== undefined) checkCount('mask', mask.length, placed)
  return { mask: mask ?? null, opacity, dimmed: DIMMED }
}

/** Bicubic values may go a little beyond the levels that there are. */
const paintLevels: Painter = (values, at, colors, to) => {
  for (let c = 0; c < 3; c++) colors[to + c] = Math.min(255, Math.max(0, Math.round(values[at + c] ?? 0)))
}

/**
 * Draws, in steps, the colour of the group whose score is the largest, of equally large ones the first. Upsampled, the scores are, and not the colours.
 *
 * @param scores float32 [rows * columns, K], K of at most 15 or 16 where they are upsampled with or without a mask
 * @param groups has the colour of each of the K groups
 */
export function* groupSteps(
  photo: RgbImage,
  placed: Placed,
  { scores, groups }: { readonly scores: Float32Array; readonly groups: readonly Rgb[] },
  options: OverlayOptions = {},
): DrawSteps {
  const paint = groupPainter(groups)
  const { upsample: way } = options
  if (way !== undefined)
    return yield* drawPixels(photo, placed, { values: scores, paint, way, ...shownBy(options, placed) })
  return yield* patchColorSteps(photo, placed, paintedGrid(scores, placed, paint), options)
}

function groupPainter(groups: readonly Rgb[]): Painter {
  return (values, at, colors, to) => colors.set(groups[largestAt(values, at, groups.length)] ?? [], to)
}

/** Says how a mask is drawn. */
export type MaskOptions = Pick<OverlayOptions, 'upsample'>

const MASK_OPTIONS = { upsample: true } satisfies OptionNames<MaskOptions>

/**
 * Shows the photo where a mask is 1, and dims it elsewhere.
 *
 * @param mask uint8 [rows * columns], 0 or 1
 * @throws RangeError for a mask of another grid, and for an unknown option
 */
export function drawMask(
  photo: RgbImage,
  placed: Placed,
  mask: Uint8Array,
  options: MaskOptions = {},
): RgbImage {
  return drawAll(maskSteps(photo, placed, mask, options))
}

/** Draws the same in steps. */
export function* maskSteps(
  photo: RgbImage,
  placed: Placed,
  mask: Uint8Array,
  options: MaskOptions = {},
): DrawSteps {
  checkOptionNames(options, MASK_OPTIONS)
  const { rows, columns } = placed.grid
  const nothing = { height: rows, width: columns, data: new Uint8Array(rows * columns * 3) }
  return yield* patchColorSteps(photo, placed, nothing, { ...options, mask, opacity: 0 })
}

/** Says how numbers become colours. */
export interface HeatOptions extends OverlayOptions {
  /** Names the map of numbers to colours; default `viridis`. */
  readonly map?: ColorMapName | undefined
  /** Says which numbers have the colours of both ends; default: the smallest and the largest of them. */
  readonly range?: readonly [low: number, high: number] | undefined
}

const HEAT_OPTIONS = { ...OVERLAY_OPTIONS, map: true, range: true } satisfies OptionNames<HeatOptions>

/**
 * Draws a number for each patch as a colour.
 *
 * @param values float32 [rows * columns], row by row
 * @throws RangeError where there are not as many numbers as patches, and for an unknown option
 */
export function drawHeat(
  photo: RgbImage,
  placed: Placed,
  values: Float32Array,
  options: HeatOptions = {},
): RgbImage {
  return drawAll(heatSteps(photo, placed, values, options))
}

/** Draws the same in steps. */
export function* heatSteps(
  photo: RgbImage,
  placed: Placed,
  values: Float32Array,
  options: HeatOptions = {},
): DrawSteps {
  checkOptionNames(options, HEAT_OPTIONS)
  const { map = 'viridis', range = rangeOf(values), ...overlay } = options
  checkCount('values', values.length, placed)
  const paint = heatPainter(map, range)
  const { upsample: way } = overlay
  // Numbers are upsampled, and not colours: what lies between two colours may be none of the map.
  if (way !== undefined)
    return yield* drawPixels(photo, placed, { values, paint, way, ...shownBy(overlay, placed) })
  return yield* patchColorSteps(photo, placed, paintedGrid(values, placed, paint), overlay)
}

function heatPainter(map: ColorMapName, [low, high]: readonly [number, number]): Painter {
  const table = colorTable(map)
  return (values, at, colors, to) => {
    const value = values[at] ?? 0
    colors.set(colorAt(table, high > low ? (value - low) / (high - low) : 0.5), to)
  }
}

/** Gives a pixel for each patch. */
function paintedGrid(values: Float32Array, { grid }: Placed, paint: Painter): RgbImage {
  const count = grid.rows * grid.columns
  const data = new Uint8Array(count * 3)
  for (let patch = 0; patch < count; patch++) paint(values, (patch * values.length) / count, data, patch * 3)
  return { height: grid.rows, width: grid.columns, data }
}

/** Gives the smallest and the largest number of all that are given; what is no number does not count. */
export function rangeOf(...lists: readonly Float32Array[]): readonly [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const values of lists)
    for (const value of values) {
      if (value < low) low = value
      if (value > high) high = value
    }
  return low <= high ? [low, high] : [0, 0]
}

function checkCount(what: string, count: number, { grid }: Placed): void {
  if (count === grid.rows * grid.columns) return
  throw new RangeError(
    `The ${what} are ${count} numbers, and there are ${grid.rows} x ${grid.columns} patches.`,
  )
}
