/**
 * Proves that two photos are the same picture: places of the one that are found again in the other, or the whole frames in one of the eight ways, give a first map; it is settled on
 * the pixels; the one is laid over the other, and they are compared block by block. Bursts and lookalikes do not pass, since every block that shows anything must agree.
 *
 * The thresholds were chosen on planted copies and on frames of films a quarter of a second apart (bench/duplicates), on other seeds than those that measure them. In copies without a
 * mark no block correlates less than 0.8 but where brightness was cut off; between frames in which anything moves, some block does by less than 0.5.
 */
import { resamplePillow } from '../kernels/resample-pillow.js'
import { type Alignment, alignPixels, layOver } from './align-pixels.js'
import { type Agreement, compareLaidOver } from './compare-laid-over.js'
import { findKeypoints, type Keypoints, mirrorKeypoints } from './keypoints.js'
import { mapOfPlaces } from './match-keypoints.js'
import { composeMaps, invertMap, mapPoints, type PlaneMap } from './plane-map.js'
import { averageSquares, type GreyPixels, greyOf, type RgbPixels, reducePixels } from './reduce-pixels.js'
import { blur } from './scale-space.js'

/** Is what is kept of a photo while it is compared: about 0.8 MB, and 1 MB more with its middle. */
export interface ReducedPicture {
  /** Counts the rows of the photo itself. */
  readonly height: number
  /** Counts its columns. */
  readonly width: number
  /** Is the photo with a longer side of at most 512 pixels. */
  readonly reduced: RgbPixels
  /** Are places of it. */
  readonly keypoints: Keypoints
  /** Are what `middlesOf` gives, which shows how fine the photo is; null where only the reduced photo was read. */
  readonly middles: readonly GreyPixels[] | null
}

/** Says how one picture lies in another. */
export interface PictureProof {
  /** Takes pixels of the first photo to pixels of the second; a pixel's middle is at its number plus a half. */
  readonly map: PlaneMap
  /** Is the share of the first photo that the second shows, 0 to 1. */
  readonly shareOfFirst: number
  /** Is the share of the second photo that the first shows. */
  readonly shareOfSecond: number
  /** Is what the first's brightness is multiplied by to be the second's. */
  readonly gain: number
  /** Is what is added then, in grey levels. */
  readonly offset: number
  /** Says how far they agree where they lie on each other. */
  readonly agreement: Agreement
  /** Is the correlation of their colours, -1 to 1; null where one of them has none. */
  readonly colour: number | null
  /** Says which of them has no colours while the other has. */
  readonly grey: 'first' | 'second' | null
  /** Says which is the other in a frame of one colour, as a screenshot is, or a photo that was made square. */
  readonly framed: 'first' | 'second' | null
  /** Says which has at least half as many pixels again along a side as the other and yet shows no more: it was enlarged. */
  readonly enlarged: 'first' | 'second' | null
}

/** Is the longer side of the picture that is compared, and of that in which places are found. */
export const REDUCED_LONGEST = 512
const PLACES_LONGEST = 320
const MOST_PLACES = 400
/** Bounds the longer side of what lies on each other when it is compared. */
const COMPARED_LONGEST = 384
/** Takes off what compression leaves of single pixels. */
const SOFTENED = 0.8
/** Places settle a map within a few pixels, whole frames only roughly: so coarse does the settling on pixels begin. */
const COARSEST = { places: 80, frames: 32 }
const MOST_SCALE = 8
/** So many places do not agree on a wrong map. */
const SURE = 25

/** Are what a proof needs: so many blocks that show something, of which none may correlate less, and so many must agree. */
const FEWEST_BLOCKS = 12
const LOWEST = 0.7
const AGREEING = 0.98
/** Is how much of one of the two the other must show: frames of a camera that moves each show something that the other does not. */
const WHOLE = 0.99
/**
 * Is what a mark may cover at most, and how many blocks must agree all the same; beside it none may correlate less than without a mark. How much of what is changed it explains and
 * half of the lowest correlation beside it made 1.25 and more for planted marks, and 1.13 at most for what moved in films.
 */
const MARKED = { changed: 0.25, agreeing: 0.5, explained: 1.2 }
/** Is the least correlation of colours: less means that something was given other colours. */
const LEAST_COLOUR = 0.5
/**
 * Are the longer side from which on pictures that are still small are looked at, and what of their blocks must agree for larger ones to be worth the work, where so many show something.
 * Of planted copies all agreed, and of those with a mark 0.37 and more; of photos that have nothing to do with each other 0.05 at most.
 */
const GLANCE = { side: 80, blocks: 8, agreeing: 0.2 }
/**
 * Says what is a frame: so much of a picture lies beside the other, of which so much is of one colour within so many levels. Where it does not show the other smaller than that is, it may as
 * well be a photo of a thing on a plain ground, of which the other was cut: it must then be plainer still, and have signs on it, as the words of a viewer are.
 */
const FRAME = { rest: 0.03, plain: 0.9, levels: 4, smaller: 0.98, plainer: 0.97, signs: 0.0005, sign: 48 }
/** Is the standard deviation of chroma, in levels, below which a picture is grey. */
const GREY = 1.5
const COLOURED = 4

/** Prepares upright pixels for comparing. */
export function reducePicture(image: RgbPixels): ReducedPicture {
  return { ...pictureOf(image, image), middles: middlesOf(image) }
}

/** Prepares upright pixels that were reduced while they were read, of a photo of this size: what must be known of its finest details is then asked for. */
export function pictureOf(
  image: RgbPixels,
  { height, width }: Pick<RgbPixels, 'height' | 'width'>,
): ReducedPicture {
  const reduced = reducePixels(image, REDUCED_LONGEST)
  const small = reducePixels(reduced, PLACES_LONGEST)
  const { count, places, descriptors } = findKeypoints(greyOf(small), MOST_PLACES)
  const scale = reduced.width / small.width
  for (let i = 0; i < count; i++) {
    places[4 * i] = (places[4 * i] + 0.5) * scale - 0.5
    places[4 * i + 1] = (places[4 * i + 1] + 0.5) * scale - 0.5
    places[4 * i + 2] *= scale
  }
  return { height, width, reduced, keypoints: { count, places, descriptors }, middles: null }
}

/**
 * Gives the middle of a photo, grey, at most 512 pixels a side: first in its own pixels, then in pixels twice as large, and so on until they are few. So details of any size are seen
 * in many places.
 */
export function middlesOf(image: RgbPixels): readonly GreyPixels[] {
  const middles: GreyPixels[] = []
  for (
    let step = 1;
    middles.length === 0 || Math.min(image.height, image.width) >= FEWEST_DETAILED * step;
    step *= 2
  )
    middles.push(greyOf(averageSquares(middleOf(image, REDUCED_LONGEST * step), step)))
  return middles
}

function middleOf({ height, width, data }: RgbPixels, side: number): RgbPixels {
  const [rows, columns] = [Math.min(height, side), Math.min(width, side)]
  const [top, left] = [(height - rows) >> 1, (width - columns) >> 1]
  const out = new Uint8Array(rows * columns * 3)
  for (let y = 0; y < rows; y++) {
    const from = ((top + y) * width + left) * 3
    out.set(data.subarray(from, from + columns * 3), y * columns * 3)
  }
  return { height: rows, width: columns, data: out }
}

/** Gives how the one lies in the other where they are proven to be the same picture, and null where they are not. */
export function proveSame(first: ReducedPicture, second: ReducedPicture): PictureProof | null {
  for (const start of startsOf(first, second)) {
    const laid = layPicture(first, second, start)
    if (laid === null) continue
    const finer = finerOf(laid)
    const middles = finer === 'first' ? first.middles : finer === 'second' ? second.middles : null
    return middles === null ? laid : judgeEnlarged(laid, middles)
  }
  return null
}

/** Tells whether pictures that lie on each other like this are the same. */
function isProof({ agreement, shareOfFirst, shareOfSecond, colour }: PictureProof): boolean {
  const { textured, agreeing, lowest, changed, mark } = agreement
  if (textured < FEWEST_BLOCKS || Math.max(shareOfFirst, shareOfSecond) < WHOLE) return false
  if (colour !== null && colour < LEAST_COLOUR) return false
  if (lowest >= LOWEST && agreeing >= AGREEING) return true
  if (mark === null || changed > MARKED.changed || agreeing < MARKED.agreeing) return false
  return mark.lowestBeside >= LOWEST && mark.explained + mark.lowestBeside / 2 >= MARKED.explained
}

interface Start {
  readonly map: PlaneMap
  readonly coarsest: number
}

/** Gives maps to begin with, the likeliest first, between pixels of the reduced pictures. Where many places agree on one, no other is tried. */
function* startsOf(first: ReducedPicture, second: ReducedPicture): Generator<Start> {
  const straight = mapOfPlaces(first.keypoints, second.keypoints)
  if (straight !== null && straight.count >= SURE) {
    yield { map: straight.map, coarsest: COARSEST.places }
    return
  }
  const { width } = second.reduced
  const mirrored = mapOfPlaces(first.keypoints, mirrorKeypoints(second.keypoints, width))
  const back = Float64Array.of(-1, 0, width - 1, 0, 1, 0, 0, 0, 1)
  const found = [straight, mirrored === null ? null : { ...mirrored, map: composeMaps(back, mirrored.map) }]
    .filter((one) => one !== null)
    .sort((a, b) => b.count - a.count)
  for (const { map } of found) yield { map, coarsest: COARSEST.places }
  if ((found[0]?.count ?? 0) < SURE)
    yield { map: frameToFrame(first.reduced, second.reduced), coarsest: COARSEST.frames }
}

function frameToFrame(first: RgbPixels, second: RgbPixels): PlaneMap {
  return scaling(second.width / first.width, second.height / first.height)
}

/** Takes pixels to those of a picture that is so much larger. */
function scaling(x: number, y = x): PlaneMap {
  return Float64Array.of(x, 0, (x - 1) / 2, 0, y, (y - 1) / 2, 0, 0, 1)
}

/** Settles a map and compares; gives null where none settles, or the pictures are not the same. */
function layPicture(first: ReducedPicture, second: ReducedPicture, start: Start): PictureProof | null {
  const scale = scaleOf(start.map)
  const overlap = overlapSide(first.reduced, second.reduced, start.map)
  if (!(scale > 1 / MOST_SCALE && scale < MOST_SCALE) || overlap === null) return null
  // Both are brought to the resolution of the coarser one.
  const reduction = Math.min(1, scale, COMPARED_LONGEST / overlap)
  const [a, b] = [scaledBy(first.reduced, reduction), scaledBy(second.reduced, reduction / scale)]
  const intoA = scaling(a.width / first.reduced.width, a.height / first.reduced.height)
  const intoB = scaling(b.width / second.reduced.width, b.height / second.reduced.height)
  const outOfA = invertMap(intoA)
  if (outOfA === null) return null
  const [p, q] = [blur(greyOf(a), SOFTENED), blur(greyOf(b), SOFTENED)]
  const settled = alignPixels(p, q, composeMaps(intoB, composeMaps(start.map, outOfA)), {
    coarsest: start.coarsest,
    isWorth,
  })
  if (settled === null) return null
  const { map, gain, offset } = settled
  const agreement = compareLaidOver(p, layOver(p, q, map), gain, offset)
  const covered = coveredPixels(a, b, map)
  const colours = compareColours(a, b, map)
  const whole = composeMaps(
    Float64Array.of(second.width / b.width, 0, 0, 0, second.height / b.height, 0, 0, 0, 1),
    composeMaps(
      Float64Array.of(1, 0, 0.5, 0, 1, 0.5, 0, 0, 1),
      composeMaps(
        map,
        Float64Array.of(a.width / first.width, 0, -0.5, 0, a.height / first.height, -0.5, 0, 0, 1),
      ),
    ),
  )
  const laid: PictureProof = {
    map: whole,
    shareOfFirst: Math.min(1, covered / (a.width * a.height)),
    shareOfSecond: Math.min(1, (covered * scaleOf(map) ** 2) / (b.width * b.height)),
    gain,
    offset,
    agreement,
    ...colours,
    framed: null,
    enlarged: null,
  }
  return isProof(laid) ? { ...laid, framed: framedOf(a, b, map, scaleOf(whole)) } : null
}

/** Tells whether pictures may turn out the same that lie on each other small. */
function isWorth(first: GreyPixels, second: GreyPixels, { map, gain, offset }: Alignment): boolean {
  if (Math.max(first.height, first.width) < GLANCE.side) return true
  const { textured, agreeing } = compareLaidOver(first, layOver(first, second, map), gain, offset)
  return textured < GLANCE.blocks || agreeing >= GLANCE.agreeing
}

function scaleOf(map: PlaneMap): number {
  return Math.sqrt(Math.abs(map[0] * map[4] - map[1] * map[3]))
}

function scaledBy(image: RgbPixels, by: number): RgbPixels {
  if (by >= 0.999) return image
  const [height, width] = [
    Math.max(1, Math.round(image.height * by)),
    Math.max(1, Math.round(image.width * by)),
  ]
  const data = resamplePillow(image.data, [image.height, image.width], [height, width], {
    filter: 'bilinear',
  })
  return { height, width, data }
}

/** Gives the longer side of the part of the first that the second shows, in its pixels; null where there is hardly any. */
function overlapSide(first: RgbPixels, second: RgbPixels, map: PlaneMap): number | null {
  const back = invertMap(map)
  if (back === null) return null
  const [right, bottom] = [second.width - 1, second.height - 1]
  const corners = mapPoints(back, Float64Array.of(0, 0, right, 0, 0, bottom, right, bottom))
  const along = (axis: number, length: number) => {
    const places = [corners[axis], corners[2 + axis], corners[4 + axis], corners[6 + axis]]
    return Math.min(length, Math.max(...places)) - Math.max(0, Math.min(...places))
  }
  const [width, height] = [along(0, first.width), along(1, first.height)]
  return width > 8 && height > 8 ? Math.max(width, height) : null
}

function coveredPixels(first: RgbPixels, second: RgbPixels, map: PlaneMap): number {
  let count = 0
  for (let y = 0; y < first.height; y++)
    for (let x = 0; x < first.width; x++) {
      const u = map[0] * x + map[1] * y + map[2]
      const v = map[3] * x + map[4] * y + map[5]
      // Half a pixel belongs to the frame, and a quarter is what settling may be off.
      if (u >= -0.75 && v >= -0.75 && u <= second.width - 0.25 && v <= second.height - 0.25) count++
    }
  return count
}

function framedOf(first: RgbPixels, second: RgbPixels, map: PlaneMap, scale: number): PictureProof['framed'] {
  const back = invertMap(map)
  if (back !== null && isFrame(second, first, back, scale)) return 'second'
  return isFrame(first, second, map, 1 / scale) ? 'first' : null
}

/** Tells whether a picture is another in a frame. `into` takes its pixels to those of the other, which it shows so many times as large. */
function isFrame(picture: RgbPixels, other: RgbPixels, into: PlaneMap, scale: number): boolean {
  const rest: number[] = []
  for (let y = 0; y < picture.height; y++)
    for (let x = 0; x < picture.width; x++) {
      const u = into[0] * x + into[1] * y + into[2]
      const v = into[3] * x + into[4] * y + into[5]
      // At the border the two mix.
      if (u < -3 || v < -3 || u > other.width + 2 || v > other.height + 2) rest.push(y * picture.width + x)
    }
  if (rest.length < FRAME.rest * picture.height * picture.width) return false
  const ground = [0, 1, 2].map((channel) => commonest(picture, rest, channel))
  let [plain, signs] = [0, 0]
  for (const at of rest) {
    const off = Math.max(...ground.map((level, channel) => Math.abs(picture.data[3 * at + channel] - level)))
    if (off <= FRAME.levels) plain++
    else if (off > FRAME.sign) signs++
  }
  if (scale < FRAME.smaller) return plain >= FRAME.plain * rest.length
  return plain >= FRAME.plainer * rest.length && signs >= FRAME.signs * rest.length
}

function commonest({ data }: RgbPixels, pixels: readonly number[], channel: number): number {
  const counts = new Uint32Array(256)
  for (const at of pixels) counts[data[3 * at + channel]]++
  return counts.indexOf(Math.max(...counts))
}

/** Compares the two chroma channels, where both pictures have them. */
function compareColours(
  first: RgbPixels,
  second: RgbPixels,
  map: PlaneMap,
): Pick<PictureProof, 'colour' | 'grey'> {
  const sums = [new Float64Array(6), new Float64Array(6)]
  for (let y = 0; y < first.height; y += 2)
    for (let x = 0; x < first.width; x += 2) {
      const u = Math.round(map[0] * x + map[1] * y + map[2])
      const v = Math.round(map[3] * x + map[4] * y + map[5])
      if (u < 0 || v < 0 || u >= second.width || v >= second.height) continue
      const [p, q] = [chromaAt(first, y * first.width + x), chromaAt(second, v * second.width + u)]
      for (let i = 0; i < 2; i++) {
        const sum = sums[i]
        sum[0]++
        sum[1] += p[i]
        sum[2] += q[i]
        sum[3] += p[i] * p[i]
        sum[4] += q[i] * q[i]
        sum[5] += p[i] * q[i]
      }
    }
  let [a, b, both] = [0, 0, 0]
  for (const [n, p, q, pp, qq, pq] of sums) {
    if (n === 0) return { colour: null, grey: null }
    a += pp / n - (p / n) ** 2
    b += qq / n - (q / n) ** 2
    both += pq / n - (p * q) / n / n
  }
  const [deviation, other] = [Math.sqrt(Math.max(0, a)), Math.sqrt(Math.max(0, b))]
  const grey =
    deviation < GREY && other > COLOURED ? 'first' : other < GREY && deviation > COLOURED ? 'second' : null
  const hasColours = deviation > COLOURED && other > COLOURED
  return { colour: hasColours ? both / (deviation * other) : null, grey }
}

function chromaAt({ data }: RgbPixels, pixel: number): readonly [number, number] {
  const [r, g, b] = [data[3 * pixel], data[3 * pixel + 1], data[3 * pixel + 2]]
  const luma = 0.299 * r + 0.587 * g + 0.114 * b
  return [0.564 * (b - luma), 0.713 * (r - luma)]
}

/** Is how many times larger a picture must be for its finest details to be looked for. */
const LARGER = 1.5
/**
 * Is what `beyond` is of `within` at least, times the square of the step, if a picture was not enlarged. Of 13 photos it was 1.13 and more at 1.6 to 3 times and 2.2 and more at 4 to 8,
 * and of a soft one 0.96 at 1.6; of sharp ones that were enlarged 0.15 to 1.0, and at 1.6 and twice up to 1.7.
 */
const LEAST_DETAIL = 0.9
/**
 * From `step` on, less than `beyond` (grey levels squared) and less than what is within is what rounding and compression leave of an enlarged picture, however soft it was: that had 0.2
 * to 0.9 at qualities from 50 on, and photos 17 and more.
 */
const NOTHING = { step: 3, beyond: 1.5 }
/** From twice this on, the finer photo is first reduced, so that a pixel of the other is this to twice as many of it: details that begin where the other's end tell most. */
const LEAST_STEP = 3
/** Is the shorter side, in pixels, below which a picture is too small to show how fine it is. */
const FEWEST_DETAILED = 64

/** Says which photo has so many more pixels of the same thing that it may have been enlarged; null where neither has. */
export function finerOf({ map }: Pick<PictureProof, 'map'>): 'first' | 'second' | null {
  const scale = scaleOf(map)
  return scale >= LARGER ? 'second' : scale <= 1 / LARGER ? 'first' : null
}

/** Gives the proof with what the middle of the finer photo (`middlesOf`) tells: whether that one was enlarged. */
export function judgeEnlarged(proof: PictureProof, middles: readonly GreyPixels[]): PictureProof {
  const finer = finerOf(proof)
  if (finer === null) return { ...proof, enlarged: null }
  const scale = scaleOf(proof.map)
  const factor = finer === 'second' ? scale : 1 / scale
  const level = Math.min(middles.length - 1, Math.max(0, Math.floor(Math.log2(factor / LEAST_STEP))))
  const step = factor / 2 ** level
  const { beyond, within } = detailOf(middles[level], step)
  const hasNothing = step >= NOTHING.step && beyond < Math.min(NOTHING.beyond, within)
  const isEnlarged = hasNothing || beyond < (LEAST_DETAIL / step ** 2) * within
  return { ...proof, enlarged: isEnlarged ? finer : null }
}

/**
 * Says how much a picture shows that is gone once it is reduced by `step`, and how much the next such step takes. In photos both are alike in size; a picture that was enlarged by that
 * step has nothing to lose in the first.
 */
function detailOf(picture: GreyPixels, step: number): { readonly beyond: number; readonly within: number } {
  const coarse = thereAndBack(picture, step)
  const coarser = thereAndBack(picture, step * step)
  return { beyond: squaredDifference(picture, coarse), within: squaredDifference(coarse, coarser) }
}

function thereAndBack({ height, width, data }: GreyPixels, factor: number): GreyPixels {
  const bytes = Uint8Array.from(data, (value) => Math.round(value))
  const small: [number, number] = [
    Math.max(1, Math.round(height / factor)),
    Math.max(1, Math.round(width / factor)),
  ]
  const options = { filter: 'lanczos', channels: 1 } as const
  const reduced = resamplePillow(bytes, [height, width], small, options)
  return { height, width, data: Float32Array.from(resamplePillow(reduced, small, [height, width], options)) }
}

function squaredDifference(a: GreyPixels, b: GreyPixels): number {
  let sum = 0
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i] - b.data[i]) ** 2
  return sum / a.data.length
}
