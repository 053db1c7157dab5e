/** Lays what is known of patches over the photo that they were seen in. What the recipe cropped away is dimmed. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import type { RgbImage } from '../../image/image.js'
import { overlayCells } from '../../numerics/mix-pixels.js'
import type { Placed } from '../patches-at.js'
import { copyOf } from './canvas.js'
import { type ColorMapName, colorAt, colorTable } from './color-maps.js'
import { pixelPlaces } from './placement.js'

/** Says how colours lie over a photo. */
export interface OverlayOptions {
  /** uint8 [rows * columns], 0 or 1: where it is 0 the photo shows through, dimmed. Default: all of them are 1. */
  readonly mask?: Uint8Array | undefined
  /** Is the share of the colours where they lie; the rest is the photo. Default 1. */
  readonly opacity?: number | undefined
}

const OVERLAY_OPTIONS = { mask: true, opacity: true } satisfies OptionNames<OverlayOptions>

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
  checkOptionNames(options, OVERLAY_OPTIONS)
  const { mask, opacity = 1 } = options
  if (!(opacity >= 0 && opacity <= 1))
    throw new RangeError(`The option opacity is ${opacity}; it is a share from 0 to 1.`)
  const { grid } = placed
  if (colors.height !== grid.rows || colors.width !== grid.columns) {
    throw new RangeError(
      `The colours are for ${colors.height} x ${colors.width} patches, and there are ${grid.rows} x ${grid.columns}.`,
    )
  }
  checkCount('mask', mask?.length ?? grid.rows * grid.columns, placed)
  const drawn = copyOf(photo)
  overlayCells(drawn.data, {
    ...pixelPlaces(photo, placed),
    gridColumns: grid.columns,
    colors: colors.data,
    mask: mask ?? null,
    opacity,
    dimmed: DIMMED,
  })
  return drawn
}

/**
 * Shows the photo where a mask is 1, and dims it elsewhere.
 *
 * @param mask uint8 [rows * columns], 0 or 1
 * @throws RangeError for a mask of another grid
 */
export function drawMask(photo: RgbImage, placed: Placed, mask: Uint8Array): RgbImage {
  const { rows, columns } = placed.grid
  const nothing = { height: rows, width: columns, data: new Uint8Array(rows * columns * 3) }
  return drawPatchColors(photo, placed, nothing, { mask, opacity: 0 })
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
  checkOptionNames(options, HEAT_OPTIONS)
  const { map = 'viridis', range = rangeOf(values), ...overlay } = options
  checkCount('values', values.length, placed)
  return drawPatchColors(photo, placed, heatColors(values, placed, { map, range }), overlay)
}

function heatColors(
  values: Float32Array,
  { grid }: Placed,
  { map, range: [low, high] }: { readonly map: ColorMapName; readonly range: readonly [number, number] },
): RgbImage {
  const table = colorTable(map)
  const data = new Uint8Array(values.length * 3)
  for (const [index, value] of values.entries())
    data.set(colorAt(table, high > low ? (value - low) / (high - low) : 0.5), index * 3)
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
