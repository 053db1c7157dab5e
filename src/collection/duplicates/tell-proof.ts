/** Says in words how one copy of a picture came from another, as far as its proof shows it, and what follows for which of them is kept. */
import type { PictureProof } from '../../numerics/same-picture.js'
import { type Beyond, isHeldBy, tellBeyond } from './beyond.js'
import type { DuplicatePair } from './duplicate-group.js'

/** Are changes that are too small to be told, or only the rounding of a size. */
const SCALE_TOLD = 0.02
const STRETCH_TOLD = 0.02
const DEGREES_TOLD = 0.7
const LEVELS_TOLD = 8
const SHARE_TOLD = 0.985
/** Is how many more pixels of the same thing count as more detail. */
const FINER = 1.05

/** Says what the second is, beside the first: `the same picture, cropped to 83 %, grey`. Shares are of the area. */
export function tellProof(proof: PictureProof): string {
  const { shareOfFirst, shareOfSecond, agreement, grey, framed, enlarged } = proof
  const { mirrored, turn, degrees, scale, stretch } = movementOf(proof)
  const parts: string[] = []
  if (mirrored) parts.push('mirrored')
  if (turn !== 0) parts.push(`turned by ${turn}°`)
  if (Math.abs(degrees) > DEGREES_TOLD) parts.push(`turned by ${degrees.toFixed(1)}°`)
  if (framed === 'first') parts.push('without the frame around it')
  else if (shareOfFirst < SHARE_TOLD) parts.push(`cropped to ${percent(shareOfFirst)}`)
  if (framed === 'second') parts.push(`in a plain frame, of which it fills ${percent(shareOfSecond)}`)
  else if (shareOfSecond < SHARE_TOLD)
    parts.push(`within a larger frame, of which it fills ${percent(shareOfSecond)}`)
  if (enlarged === 'second') parts.push(`enlarged to ${scale.toFixed(2)} times the size`)
  else if (enlarged === 'first')
    parts.push(`at ${scale.toFixed(2)} times the size, before the other was enlarged`)
  else if (Math.abs(scale - 1) > SCALE_TOLD) parts.push(`at ${scale.toFixed(2)} times the size`)
  if (Math.abs(stretch - 1) > STRETCH_TOLD) parts.push(`stretched by ${percent(Math.abs(stretch - 1))}`)
  if (grey === 'second') parts.push('grey')
  if (grey === 'first') parts.push('in colour')
  const brighter = (proof.gain - 1) * 128 + proof.offset
  if (Math.abs(brighter) > LEVELS_TOLD) parts.push(brighter > 0 ? 'brighter' : 'darker')
  const marked = markedOf(proof)
  if (marked === 'second') parts.push(`with a mark over ${percent(agreement.changed)}`)
  if (marked === 'first') parts.push('without the mark')
  return ['the same picture', ...(parts.length === 0 ? ['compressed otherwise'] : parts)].join(', ')
}

/** Gives the proof as it is seen from the second picture. */
export function invertProof(proof: PictureProof): PictureProof {
  const [a, b, c, d, e, f] = proof.map
  const area = value(a) * value(e) - value(b) * value(d)
  const [p, q, r, s] = [value(e) / area, -value(b) / area, -value(d) / area, value(a) / area]
  const map = Float64Array.of(p, q, -p * value(c) - q * value(f), r, s, -r * value(c) - s * value(f), 0, 0, 1)
  const { mark } = proof.agreement
  return {
    ...proof,
    map,
    shareOfFirst: proof.shareOfSecond,
    shareOfSecond: proof.shareOfFirst,
    gain: 1 / proof.gain,
    offset: -proof.offset / proof.gain,
    grey: other(proof.grey),
    framed: other(proof.framed),
    enlarged: other(proof.enlarged),
    agreement: {
      ...proof.agreement,
      mark: mark === null ? null : { ...mark, on: mark.on === 'first' ? 'second' : 'first' },
    },
  }
}

/** Gives what a proof says of a pair of copies. */
export function provenPair(
  first: number,
  second: number,
  similarity: number,
  proof: PictureProof,
  beyond: { readonly first: Beyond | null; readonly second: Beyond | null } = { first: null, second: null },
): DuplicatePair {
  const flaws = { first: flawsOf(proof, 'first'), second: flawsOf(proof, 'second') }
  const made =
    flaws.first.length > 0 === flaws.second.length > 0 ? null : flaws.first.length > 0 ? 'first' : 'second'
  return {
    first,
    second,
    kind: 'same-picture',
    similarity,
    words: {
      first: tellProof(invertProof(proof)) + tellBeyond(beyond.first, beyond.second),
      second: tellProof(proof) + tellBeyond(beyond.second, beyond.first),
    },
    made,
    covers: {
      first: isHeldBy(beyond.second, beyond.first) && coversSecond(proof),
      second: isHeldBy(beyond.first, beyond.second) && coversSecond(invertProof(proof)),
    },
    proof,
  }
}

/** Lists what shows that a copy was made of the other, and not the other of it. */
function flawsOf(proof: PictureProof, which: 'first' | 'second'): readonly string[] {
  const [own, others] =
    which === 'first' ? [proof.shareOfSecond, proof.shareOfFirst] : [proof.shareOfFirst, proof.shareOfSecond]
  return [
    // It shows only a part of the other, and nothing that the other does not. A frame is no part of a picture.
    ...(own < SHARE_TOLD && others >= SHARE_TOLD && proof.framed !== other(which) ? ['cropped'] : []),
    ...(proof.framed === which ? ['framed'] : []),
    ...(proof.enlarged === which ? ['enlarged'] : []),
    ...(proof.grey === which ? ['grey'] : []),
    ...(markedOf(proof) === which ? ['marked'] : []),
  ]
}

/** Tells whether the first shows all that the second does, in no less detail. */
function coversSecond(proof: PictureProof): boolean {
  const { scale } = movementOf(proof)
  const hasAll = proof.shareOfSecond >= SHARE_TOLD || proof.framed === 'second'
  const isWhole = hasAll && proof.framed !== 'first' && proof.grey !== 'first' && markedOf(proof) !== 'first'
  return isWhole && (scale <= FINER || proof.enlarged === 'second') && proof.enlarged !== 'first'
}

/** Is told only where something differs that a change of brightness does not explain. */
function markedOf({ agreement: { mark, lowest } }: PictureProof): 'first' | 'second' | null {
  return mark !== null && lowest < MARK_SHOWS ? mark.on : null
}

const MARK_SHOWS = 0.5

function movementOf({ map }: PictureProof) {
  const [a, b, , d, e] = Array.from(map)
  const mirrored = value(a) * value(e) - value(b) * value(d) < 0
  // A mirrored copy is mirrored left for right first, then turned.
  const [x, y] = mirrored ? [-value(a), -value(d)] : [value(a), value(d)]
  const angle = (Math.atan2(y, x) * 180) / Math.PI
  const turn = Math.round(angle / 90) * 90
  const [across, down] = [Math.hypot(x, y), Math.hypot(value(b), value(e))]
  return {
    mirrored,
    turn: (turn + 360) % 360,
    degrees: angle - turn,
    scale: Math.sqrt(across * down),
    stretch: across / down,
  }
}

function other(which: 'first' | 'second' | null): 'first' | 'second' | null {
  return which === null ? null : which === 'first' ? 'second' : 'first'
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`
}

function value(one: number | undefined): number {
  if (one === undefined) throw new RangeError('A map has nine numbers.')
  return one
}
