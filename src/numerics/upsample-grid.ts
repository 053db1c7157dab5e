/** Makes values of pixels from values of a grid, a row of pixels at a time: all of a photo's at once would take many times the photo's own memory. */
import { plainTapsAt } from '../kernels/resample-table.js'

/** (rows, columns), or (height, width). */
export type GridSize = readonly [rows: number, columns: number]

/** Holds values of the places of a grid. */
export interface GridTable {
  /** float32 [rows * columns, C]. */
  readonly values: Float32Array
  readonly size: GridSize
}

/** Says where pixels lie on a grid: 0 is the middle of the first place, 1 that of the second. Both axes go up evenly. */
export interface PixelAxes {
  /** float64 [height]. */
  readonly down: Float64Array
  /** float64 [width]. */
  readonly across: Float64Array
}

/** Gives the values of a row of pixels, float64 [width, C], which the next call writes over. */
export type PixelRows = (y: number) => Float64Array

/** Places pixels that a grid covers evenly, from edge to edge. */
export function evenAxes([rows, columns]: GridSize, [height, width]: GridSize): PixelAxes {
  const axis = (places: number, pixels: number) =>
    Float64Array.from({ length: pixels }, (_, pixel) => (pixel + 0.5) * (places / pixels) - 0.5)
  return { down: axis(rows, height), across: axis(columns, width) }
}

/** Upsamples by Keys' cubic, as `torch.nn.functional.interpolate(mode='bicubic')` does. */
export function bicubicRows({ values, size: [rows, columns] }: GridTable, axes: PixelAxes): PixelRows {
  const channels = values.length / (rows * columns)
  const horizontal = plainTapsAt(axes.across, columns)
  const vertical = plainTapsAt(axes.down, rows)
  const length = axes.across.length * channels
  const wide = new Float64Array(rows * length)
  for (let row = 0; row < rows; row++) {
    for (const [x, taps] of horizontal.indices.entries()) {
      const to = row * length + x * channels
      for (const [i, tap] of taps.entries()) {
        const from = (row * columns + tap) * channels
        for (let c = 0; c < channels; c++) wide[to + c] += horizontal.weights[x][i] * values[from + c]
      }
    }
  }
  const out = new Float64Array(length)
  return (y) => {
    out.fill(0)
    for (const [i, tap] of vertical.indices[y].entries()) {
      const weight = vertical.weights[y][i]
      for (let j = 0; j < length; j++) out[j] += weight * wide[tap * length + j]
    }
    return out
  }
}

/** Say how alike places and colours must be: as Kopf et al. have it, in places of the grid and in colours from 0 to 1. */
const PLACE_DEVIATION = 0.5
const COLOUR_DEVIATION = 0.1
/** Is the exponent of a difference of one level, of 255. */
const PER_SQUARE = -1 / (2 * (COLOUR_DEVIATION * 255) ** 2)
/** [511] Weighs a channel by how many levels two colours differ in it, from -255 on: with whole levels no pixel needs an exponential of its own. */
const ALIKE = Float64Array.from({ length: 511 }, (_, at) => Math.exp((at - 255) ** 2 * PER_SQUARE))
/** Looks at 5 x 5 places around each pixel. */
const REACH = 2
const REACHED = 2 * REACH + 2

/**
 * Upsamples so that edges of a photo become edges of the values: a pixel takes from near places whose colour is like its own (Kopf, Cohen, Lischinski and
 * Uyttendaele, Joint bilateral upsampling, 2007). The colour of a place is the mean of the pixels that are nearest to it, in whole levels.
 *
 * @param guide uint8 [height, width, 3], the pixels themselves
 */
export function jointBilateralRows(
  { values, size: [rows, columns] }: GridTable,
  axes: PixelAxes,
  guide: Uint8Array,
): PixelRows {
  const channels = values.length / (rows * columns)
  const colours = placeColours(guide, axes, [rows, columns])
  const across = placeWeights(axes.across, columns)
  const down = placeWeights(axes.down, rows)
  const width = axes.across.length
  const out = new Float64Array(width * channels)
  return (y) => {
    out.fill(0)
    for (let x = 0; x < width; x++) {
      const pixel = 3 * (y * width + x)
      const red = guide[pixel] + 255
      const green = guide[pixel + 1] + 255
      const blue = guide[pixel + 2] + 255
      const to = x * channels
      let total = 0
      for (let i = down.first[y]; i < down.end[y]; i++) {
        const rowWeight = down.weights[y * REACHED + i - down.first[y]]
        for (let j = across.first[x]; j < across.end[x]; j++) {
          const place = i * columns + j
          const weight =
            rowWeight *
            across.weights[x * REACHED + j - across.first[x]] *
            ALIKE[red - colours[3 * place]] *
            ALIKE[green - colours[3 * place + 1]] *
            ALIKE[blue - colours[3 * place + 2]]
          total += weight
          for (let c = 0; c < channels; c++) out[to + c] += weight * values[place * channels + c]
        }
      }
      for (let c = 0; c < channels; c++) out[to + c] /= total
    }
    return out
  }
}

interface PlaceWeights {
  /** [pixels] Is the first place that a pixel looks at. */
  readonly first: Int32Array
  /** [pixels] Is the place after the last one. */
  readonly end: Int32Array
  /** [pixels, REACHED] */
  readonly weights: Float64Array
}

/**
 * Weighs the places around each pixel of one axis by how far their middles are. The smallest weight of all stays far above the least number. A pixel beyond the
 * outermost middles, as of patches that overlap, is taken for one that lies there.
 */
function placeWeights(axis: Float64Array, places: number): PlaceWeights {
  const first = new Int32Array(axis.length)
  const end = new Int32Array(axis.length)
  const weights = new Float64Array(axis.length * REACHED)
  for (const [pixel, place] of axis.entries()) {
    const at = Math.min(places - 0.5, Math.max(-0.5, place))
    first[pixel] = Math.max(0, Math.ceil(at - REACH))
    end[pixel] = Math.min(places, Math.floor(at + REACH) + 1)
    for (let near = first[pixel]; near < end[pixel]; near++)
      weights[pixel * REACHED + near - first[pixel]] = Math.exp(
        -((near - at) ** 2) / (2 * PLACE_DEVIATION ** 2),
      )
  }
  return { first, end, weights }
}

/** Gives the mean colour of the pixels that are nearest to each place, in whole levels; where there are none, that of the pixel nearest to its middle. */
function placeColours(guide: Uint8Array, { down, across }: PixelAxes, [rows, columns]: GridSize): Int32Array {
  const colours = new Int32Array(rows * columns * 3)
  for (let row = 0; row < rows; row++) {
    const [top, bottom] = nearestPixels(row, down, rows)
    for (let column = 0; column < columns; column++) {
      const [left, right] = nearestPixels(column, across, columns)
      const to = 3 * (row * columns + column)
      for (let y = top; y < bottom; y++)
        for (let x = left; x < right; x++)
          for (let c = 0; c < 3; c++) colours[to + c] += guide[3 * (y * across.length + x) + c]
      const count = (bottom - top) * (right - left)
      for (let c = 0; c < 3; c++) colours[to + c] = Math.round(colours[to + c] / count)
    }
  }
  return colours
}

function nearestPixels(
  place: number,
  axis: Float64Array,
  places: number,
): readonly [from: number, end: number] {
  const last = axis.length - 1
  const step = last > 0 ? (axis[last] - axis[0]) / last : 1
  const pixelAt = (at: number) => (at - axis[0]) / step
  const within = (pixel: number) => Math.min(last + 1, Math.max(0, pixel))
  const from = place === 0 ? 0 : within(Math.ceil(pixelAt(place - 0.5)))
  const end = place === places - 1 ? last + 1 : within(Math.ceil(pixelAt(place + 0.5)))
  if (end > from) return [from, end]
  const nearest = Math.min(last, Math.max(0, Math.round(pixelAt(place))))
  return [nearest, nearest + 1]
}
