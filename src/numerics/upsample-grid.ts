/** Makes values of pixels from values of a grid, whose places cover the pixels evenly. */
import { plainTaps, resampleTable } from '../kernels/resample-table.js'

/** (rows, columns), or (height, width). */
export type GridSize = readonly [rows: number, columns: number]

/** Upsamples values [rows * columns, C] to [height * width, C] by Keys' cubic, as `torch.nn.functional.interpolate(mode='bicubic')` does. */
export function upsampleBicubic(values: Float32Array, from: GridSize, to: GridSize): Float32Array {
  return resampleTable(values, from, plainTaps(from[0], to[0]), plainTaps(from[1], to[1]))
}

/** Says how alike places and colours must be: as Kopf et al. have it, in places of the grid and in colours from 0 to 1. */
const PLACE_DEVIATION = 0.5
const COLOUR_DEVIATION = 0.1
/** Looks at 5 x 5 places around each pixel. */
const REACH = 2

/**
 * Upsamples values [rows * columns, C] to [height * width, C], and lets edges of a photo be theirs: a pixel takes from near places whose colour is like
 * its own (Kopf, Cohen, Lischinski and Uyttendaele, Joint bilateral upsampling, 2007). The colour of a place is the mean of the pixels that it covers.
 *
 * @param guide uint8 [height, width, 3], the part of the photo that the grid covers
 */
export function upsampleJointBilateral(
  values: Float32Array,
  [rows, columns]: GridSize,
  guide: Uint8Array,
  [height, width]: GridSize,
): Float32Array {
  const channels = values.length / (rows * columns)
  const colours = placeColours(guide, [height, width], [rows, columns])
  const out = new Float32Array(height * width * channels)
  const sums = new Float64Array(channels)
  const across = placeWeights(columns, width)
  const down = placeWeights(rows, height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x
      sums.fill(0)
      let total = 0
      for (let i = down.first[y]; i < down.end[y]; i++) {
        for (let j = across.first[x]; j < across.end[x]; j++) {
          const place = i * columns + j
          let square = 0
          for (let c = 0; c < 3; c++) square += ((guide[3 * pixel + c] - colours[3 * place + c]) / 255) ** 2
          const weight =
            down.weights[y * (2 * REACH + 2) + i - down.first[y]] *
            across.weights[x * (2 * REACH + 2) + j - across.first[x]] *
            Math.exp(-square / (2 * COLOUR_DEVIATION ** 2))
          total += weight
          for (let c = 0; c < channels; c++) sums[c] += weight * values[place * channels + c]
        }
      }
      for (let c = 0; c < channels; c++) out[pixel * channels + c] = sums[c] / total
    }
  }
  return out
}

interface PlaceWeights {
  /** [pixels] Is the first place that a pixel looks at. */
  readonly first: Int32Array
  /** [pixels] Is the place after the last one. */
  readonly end: Int32Array
  /** [pixels, 2 * REACH + 2] */
  readonly weights: Float64Array
}

/** Weighs the places around each pixel of one axis by how far their middles are. The smallest weight of all stays far above the least number. */
function placeWeights(places: number, pixels: number): PlaceWeights {
  const first = new Int32Array(pixels)
  const end = new Int32Array(pixels)
  const weights = new Float64Array(pixels * (2 * REACH + 2))
  for (let pixel = 0; pixel < pixels; pixel++) {
    const at = ((pixel + 0.5) * places) / pixels - 0.5
    first[pixel] = Math.max(0, Math.ceil(at - REACH))
    end[pixel] = Math.min(places, Math.floor(at + REACH) + 1)
    for (let place = first[pixel]; place < end[pixel]; place++)
      weights[pixel * (2 * REACH + 2) + place - first[pixel]] = Math.exp(
        -((place - at) ** 2) / (2 * PLACE_DEVIATION ** 2),
      )
  }
  return { first, end, weights }
}

/** Gives the mean colour of the pixels whose middle lies in each place; where a place is smaller than a pixel, that of the pixel at its middle. */
function placeColours(guide: Uint8Array, [height, width]: GridSize, [rows, columns]: GridSize): Float64Array {
  const colours = new Float64Array(rows * columns * 3)
  for (let row = 0; row < rows; row++) {
    const [top, bottom] = span(row, rows, height)
    for (let column = 0; column < columns; column++) {
      const [left, right] = span(column, columns, width)
      const to = 3 * (row * columns + column)
      for (let y = top; y < bottom; y++)
        for (let x = left; x < right; x++)
          for (let c = 0; c < 3; c++) colours[to + c] += guide[3 * (y * width + x) + c]
      for (let c = 0; c < 3; c++) colours[to + c] /= (bottom - top) * (right - left)
    }
  }
  return colours
}

function span(place: number, places: number, pixels: number): readonly [number, number] {
  const from = Math.round((place * pixels) / places)
  const end = Math.round(((place + 1) * pixels) / places)
  if (end > from) return [from, end]
  const middle = Math.min(pixels - 1, Math.floor(((place + 0.5) * pixels) / places))
  return [middle, middle + 1]
}
