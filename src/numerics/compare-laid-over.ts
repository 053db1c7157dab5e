/**
 * Compares two pictures that lie on each other, block by block, so that what was changed all over (compression, brightness, colour) is told from what shows another moment. Where
 * blocks differ, it is asked whether something of one colour and one opacity was laid over one of the two, as a watermark is: then the details below show through, or it is strokes of that
 * one colour.
 */
import type { GreyPixels } from './reduce-pixels.js'

/** Says how far two pictures that lie on each other agree. */
export interface Agreement {
  /** Counts the blocks in which at least one picture shows something. */
  readonly textured: number
  /** Is the share of textured blocks whose correlation is at least 0.8. */
  readonly agreeing: number
  /** Is the lowest correlation of a textured block, from -1 to 1. */
  readonly lowest: number
  /** Is the share of pixels whose brightness differs by more than compression changes it. */
  readonly changed: number
  /** Says what was laid over one of them; null where nothing is changed, or no such thing explains it. */
  readonly mark: Mark | null
}

/** Is something of one colour that was laid over a picture. */
export interface Mark {
  /** Says over which. */
  readonly on: 'first' | 'second'
  /** Is the share of the changed pixels (without the edges of what is changed) that it explains. */
  readonly explained: number
  /** Is the lowest correlation of the blocks without changed pixels. */
  readonly lowestBeside: number
}

/** Is the side of a block in pixels. */
const BLOCK = 12
/** Pixels so near to an edge of either picture are left out: there they mix with what is around. */
const MARGIN = 4
/** Is the standard deviation in grey levels above which a block shows something that compression keeps. */
const TEXTURE = 6
/** Is the correlation from which on a block agrees. */
const AGREES = 0.8
/** Beyond these levels a camera, or whoever brightened a photo, has cut off what was there. */
const DARKEST = 6
const BRIGHTEST = 249
/** Is the share of pixels beyond them at which a block tells nothing. */
const MOST_CLIPPED = 0.2
/** Is by how many grey levels a pixel must differ to count as changed. */
const CHANGED = 14
/** Is the part of its change by which a pixel may lie beside what a mark makes of it, and so many grey levels in any case. */
const EXPLAINED_PART = 0.35
const EXPLAINED_LEVELS = 8
/** Is what a mark leaves, at most, of what is below it: else it is no mark but a change of brightness. */
const MOST_LEFT = 0.92
const FEWEST_PIXELS = 12
/**
 * Are the correlations of steps between neighbouring pixels from which on what is below shows through: of anything, and of strokes. Of planted marks it was 0.01 (nothing shows) to 0.87;
 * of other things in their place 0.24 at most, and of those made of strokes 0.18.
 */
const LEAST_THROUGH = 0.3
const LEAST_THROUGH_STROKES = 0.2
/**
 * Is how many times larger the steps at its border are, at least, where the mark is: of one that can be seen through, and of strokes that hide what is below, or that explain so much (of
 * other things in their place they explained 0.73 at most). Details show through where something has moved a little as well; where steps are no larger, the mark must explain so much and
 * cover so much of the picture: what had moved was explained by 0.83 at most, or was 0.005 of it.
 */
const LEAST_STEPS = 1.4
const LEAST_STEPS_HIDING = 2.5
const EXPLAINED_STROKES = 0.8
const WITHOUT_STEPS = { explained: 0.86, share: 0.01 }
/** Is half of how thick a stroke may be, in pixels, and the share of what is changed that may lie deeper. */
const STROKE = 6
const MOST_THICK = 0.07

/** Compares `first` with `laid`, the second picture in the first's pixels (NaN where it has none), whose brightness is `gain` times the first's plus `offset`. */
export function compareLaidOver(
  first: GreyPixels,
  laid: GreyPixels,
  gain: number,
  offset: number,
): Agreement {
  const changed = changedPixels(first, laid, gain, offset)
  const [all, beside] = [[], []] as [number[], number[]]
  for (let top = MARGIN; top + BLOCK <= first.height - MARGIN; top += BLOCK)
    for (let left = MARGIN; left + BLOCK <= first.width - MARGIN; left += BLOCK) {
      const block = correlationOf(first, laid, changed.mask, top, left)
      if (block === null || Math.max(block.first * Math.abs(gain), block.second) < TEXTURE) continue
      all.push(block.correlation)
      if (!block.isChanged) beside.push(block.correlation)
    }
  const lowestBeside = beside.length === 0 ? -1 : Math.min(...beside)
  return {
    textured: all.length,
    agreeing: all.length === 0 ? 0 : all.filter((one) => one >= AGREES).length / all.length,
    lowest: all.length === 0 ? -1 : Math.min(...all),
    changed: changed.share,
    mark: markOf(first, laid, gain, offset, changed, lowestBeside),
  }
}

interface ChangedPixels {
  /** Is 1 where a pixel is changed. */
  readonly mask: Uint8Array
  /** Is their share of those that both pictures show. */
  readonly share: number
}

function changedPixels(first: GreyPixels, laid: GreyPixels, gain: number, offset: number): ChangedPixels {
  const mask = new Uint8Array(first.data.length)
  let [count, covered] = [0, 0]
  for (let i = 0; i < mask.length; i++) {
    if (Number.isNaN(laid.data[i])) continue
    covered++
    if (Math.abs(laid.data[i] - gain * first.data[i] - offset) <= CHANGED) continue
    mask[i] = 1
    count++
  }
  return { mask, share: covered === 0 ? 0 : count / covered }
}

/** Gives null for a block that one picture does not cover, or in which too much is cut off. */
function correlationOf(first: GreyPixels, laid: GreyPixels, changed: Uint8Array, top: number, left: number) {
  let [a, b, aa, bb, ab] = [0, 0, 0, 0, 0]
  let [clipped, differing] = [0, 0]
  for (let y = top; y < top + BLOCK; y++)
    for (let x = left; x < left + BLOCK; x++) {
      const at = y * first.width + x
      const [p, q] = [first.data[at], laid.data[at]]
      a += p
      b += q
      aa += p * p
      bb += q * q
      ab += p * q
      differing += changed[at]
      if (Math.min(p, q) < DARKEST || Math.max(p, q) > BRIGHTEST) clipped++
    }
  const count = BLOCK * BLOCK
  if (Number.isNaN(b) || (clipped > MOST_CLIPPED * count && isCut(a / count, b / count))) return null
  const [va, vb] = [Math.max(0, aa / count - (a / count) ** 2), Math.max(0, bb / count - (b / count) ** 2)]
  const covariance = ab / count - (a * b) / count / count
  return {
    first: Math.sqrt(va),
    second: Math.sqrt(vb),
    correlation: va > 0 && vb > 0 ? covariance / Math.sqrt(va * vb) : 0,
    isChanged: differing > 0,
  }
}

/** Tells that both are near one end: what is black in one and white in the other was not cut off but is another thing. */
function isCut(a: number, b: number): boolean {
  return (a < 80 && b < 80) || (a > 175 && b > 175)
}

/** Asks whether a mark explains what is changed. */
function markOf(
  first: GreyPixels,
  laid: GreyPixels,
  gain: number,
  offset: number,
  changed: ChangedPixels,
  lowestBeside: number,
): Mark | null {
  const inner = withoutEdges(changed.mask, first.width)
  if (inner.length < FEWEST_PIXELS) return null
  const [a, b] = [new Float64Array(inner.length), new Float64Array(inner.length)]
  for (const [i, at] of inner.entries()) {
    a[i] = gain * first.data[at] + offset
    b[i] = laid.data[at]
  }
  const [below, above] = [Math.abs(gain) * edgesOf(first, changed.mask), edgesOf(laid, changed.mask)]
  const steps = Math.max(below, above) / Math.max(1, Math.min(below, above))
  const isStep = steps >= LEAST_STEPS
  // The steps say on which the mark is; where they do not, it is where it explains more.
  const onSecond = isStep && below > above ? 0 : explainedBy(a, b)
  const onFirst = isStep && below < above ? 0 : explainedBy(b, a)
  const explained = Math.max(onSecond, onFirst)
  const through = throughOf(first, laid, gain, inner)
  const isClear =
    through >= LEAST_THROUGH_STROKES || steps >= LEAST_STEPS_HIDING || explained >= EXPLAINED_STROKES
  const isMark =
    through >= LEAST_THROUGH
      ? isStep || (explained >= WITHOUT_STEPS.explained && changed.share >= WITHOUT_STEPS.share)
      : // What hides all below it is a mark only if it is made of strokes, with steps on both their sides: something large is a thing, and where an edge has moved the step is on one side.
        isStep && isClear && isThin(changed.mask, first.width)
  return explained === 0 || !isMark
    ? null
    : { on: onSecond >= onFirst ? 'second' : 'first', explained, lowestBeside }
}

/** Gives the correlation of the steps between pixels to the left and right, and above and below: brightness alone is alike in many things, their details are not. */
function throughOf(first: GreyPixels, laid: GreyPixels, gain: number, inner: readonly number[]): number {
  let [aa, bb, ab] = [0, 0, 0]
  for (const at of inner)
    for (const next of [1, first.width]) {
      const a = gain * (first.data[at + next] - first.data[at - next])
      const b = laid.data[at + next] - laid.data[at - next]
      aa += a * a
      bb += b * b
      ab += a * b
    }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0
}

/** Sums up the steps of brightness along the border of what is changed: whichever picture the mark is on has them. */
function edgesOf({ width, data }: GreyPixels, changed: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < changed.length - width; at++)
    for (const next of [at + 1, at + width]) {
      const step = Math.abs(data[next] - data[at])
      if (changed[at] !== changed[next] && !Number.isNaN(step)) sum += step
    }
  return sum
}

/** Tells that what is changed is made of strokes: hardly any of it is so far from its border as half a thick stroke is. */
function isThin(changed: Uint8Array, width: number): boolean {
  let inside = changed
  for (let round = 0; round < STROKE; round++) {
    const next = new Uint8Array(inside.length)
    for (const at of withoutEdges(inside, width)) next[at] = 1
    inside = next
  }
  return countOf(inside) <= MOST_THICK * countOf(changed)
}

function countOf(mask: Uint8Array): number {
  let count = 0
  for (const one of mask) count += one
  return count
}

/** Leaves only pixels whose eight neighbours are changed as well: at its edge a mark is thinner. */
function withoutEdges(changed: Uint8Array, width: number): readonly number[] {
  const inner: number[] = []
  for (let at = width + 1; at < changed.length - width - 1; at++) {
    let sum = 0
    for (let row = -width; row <= width; row += width)
      sum += changed[at + row - 1] + changed[at + row] + changed[at + row + 1]
    if (sum === 9) inner.push(at)
  }
  return inner
}

/** Fits `after` = left * `before` + colour, again and again without what lies beside it; gives the share that does not, and 0 where it is no mark. */
function explainedBy(before: Float64Array, after: Float64Array): number {
  const tolerance = before.map((value, i) =>
    Math.max(EXPLAINED_LEVELS, EXPLAINED_PART * Math.abs(after[i] - value)),
  )
  let inside = Array.from(before, (_, i) => i)
  let left = 0
  for (let round = 0; round < 6; round++) {
    if (inside.length < FEWEST_PIXELS) return 0
    let [x, y, xx, xy] = [0, 0, 0, 0]
    for (const i of inside) {
      x += before[i]
      y += after[i]
      xx += before[i] * before[i]
      xy += before[i] * after[i]
    }
    const count = inside.length
    const variance = xx - (x * x) / count
    left = variance > 1 ? (xy - (x * y) / count) / variance : 0
    const colour = (y - left * x) / count
    inside = Array.from(before, (_, i) => i).filter(
      (i) => Math.abs(after[i] - left * before[i] - colour) <= tolerance[i],
    )
  }
  return left > -0.1 && left <= MOST_LEFT ? inside.length / before.length : 0
}
