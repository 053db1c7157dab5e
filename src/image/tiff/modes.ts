/**
 * Lists the kinds of pixels in a TIFF that Pillow 13 opens (TiffImagePlugin's OPEN_INFO), and what its `convert('RGB')` makes of each. What is not
 * here, it does not open either, and it is refused here too.
 */

/** Says how the samples of a pixel become its colour. */
export type TiffColours =
  /** Levels of 1, 2, 4 or 8 bits are spread over 0 to 255. */
  | 'grey'
  | 'inverted-grey'
  /** Numbers of any kind are cut at 0 and 255. */
  | 'clipped-grey'
  | 'palette'
  /** Of 16 bits the upper byte is taken. */
  | 'rgb'
  /** Colours were multiplied by alpha, the fourth sample, and are divided by it. */
  | 'premultiplied-rgb'
  | 'cmyk'
  | 'ycbcr'

export interface TiffPixels {
  readonly photometric: number
  /** 1 counts from zero, 2 is signed, 3 is floating point. */
  readonly sampleFormat: number
  /** 2 has the bits of each byte the other way round. */
  readonly fillOrder: number
  readonly bits: readonly number[]
  readonly extraSamples: readonly number[]
  readonly littleEndian: boolean
}

interface Mode {
  readonly photometric: readonly number[]
  readonly sampleFormat: readonly number[]
  readonly fillOrder: readonly number[]
  readonly bits: readonly number[]
  readonly extraSamples: readonly (readonly number[])[]
  readonly onlyLittleEndian?: boolean
  readonly colours: TiffColours
}

const PLAIN = { sampleFormat: [1], fillOrder: [1], extraSamples: [[]] } as const
const WHITE_IS_ZERO = 0
const BLACK_IS_ZERO = 1
const RGB = 2
const PALETTE = 3
const CMYK = 5
const YCBCR = 6

const eights = (count: number): readonly number[] => Array.from({ length: count }, () => 8)
const sixteens = (count: number): readonly number[] => Array.from({ length: count }, () => 16)

const MODES: readonly Mode[] = [
  ...[1, 2, 4, 8].flatMap((bits): readonly Mode[] => [
    { ...PLAIN, photometric: [WHITE_IS_ZERO], fillOrder: [1, 2], bits: [bits], colours: 'inverted-grey' },
    { ...PLAIN, photometric: [BLACK_IS_ZERO], fillOrder: [1, 2], bits: [bits], colours: 'grey' },
    { ...PLAIN, photometric: [PALETTE], fillOrder: [1, 2], bits: [bits], colours: 'palette' },
  ]),
  // Signed bytes are read as if they had no sign.
  { ...PLAIN, photometric: [BLACK_IS_ZERO], sampleFormat: [2], bits: [8], colours: 'grey' },
  { ...PLAIN, photometric: [YCBCR], bits: [8], colours: 'grey' },
  {
    ...PLAIN,
    photometric: [BLACK_IS_ZERO],
    bits: [8, 8],
    extraSamples: [[0], [2]],
    colours: 'grey',
  },
  { ...PLAIN, photometric: [PALETTE], bits: [8, 8], extraSamples: [[0], [2]], colours: 'palette' },
  { ...PLAIN, photometric: [BLACK_IS_ZERO], bits: [12], onlyLittleEndian: true, colours: 'clipped-grey' },
  // Where white is zero, numbers of more than 8 bits are not turned round.
  { ...PLAIN, photometric: [WHITE_IS_ZERO], bits: [16], onlyLittleEndian: true, colours: 'clipped-grey' },
  { ...PLAIN, photometric: [BLACK_IS_ZERO], bits: [16], colours: 'clipped-grey' },
  {
    ...PLAIN,
    photometric: [BLACK_IS_ZERO],
    fillOrder: [2],
    bits: [16],
    onlyLittleEndian: true,
    colours: 'clipped-grey',
  },
  { ...PLAIN, photometric: [BLACK_IS_ZERO], sampleFormat: [2], bits: [16], colours: 'clipped-grey' },
  { ...PLAIN, photometric: [BLACK_IS_ZERO], bits: [32], onlyLittleEndian: true, colours: 'clipped-grey' },
  { ...PLAIN, photometric: [BLACK_IS_ZERO], sampleFormat: [2], bits: [32], colours: 'clipped-grey' },
  {
    ...PLAIN,
    photometric: [WHITE_IS_ZERO, BLACK_IS_ZERO],
    sampleFormat: [3],
    bits: [32],
    colours: 'clipped-grey',
  },
  { ...PLAIN, photometric: [RGB], fillOrder: [1, 2], bits: eights(3), colours: 'rgb' },
  // Alpha may be announced or not, and Corel Draw writes 999 for it.
  { ...PLAIN, photometric: [RGB], bits: eights(4), extraSamples: [[], [0], [2], [999]], colours: 'rgb' },
  {
    ...PLAIN,
    photometric: [RGB],
    bits: eights(5),
    extraSamples: [
      [0, 0],
      [2, 0],
    ],
    colours: 'rgb',
  },
  {
    ...PLAIN,
    photometric: [RGB],
    bits: eights(6),
    extraSamples: [
      [0, 0, 0],
      [2, 0, 0],
    ],
    colours: 'rgb',
  },
  ...[[1], [1, 0], [1, 0, 0]].map(
    (extra): Mode => ({
      ...PLAIN,
      photometric: [RGB],
      bits: eights(3 + extra.length),
      extraSamples: [extra],
      colours: 'premultiplied-rgb',
    }),
  ),
  { ...PLAIN, photometric: [RGB], bits: sixteens(3), colours: 'rgb' },
  { ...PLAIN, photometric: [RGB], bits: sixteens(4), extraSamples: [[], [0], [2]], colours: 'rgb' },
  { ...PLAIN, photometric: [RGB], bits: sixteens(4), extraSamples: [[1]], colours: 'premultiplied-rgb' },
  { ...PLAIN, photometric: [CMYK], bits: eights(4), colours: 'cmyk' },
  { ...PLAIN, photometric: [CMYK], bits: eights(5), extraSamples: [[0]], colours: 'cmyk' },
  { ...PLAIN, photometric: [CMYK], bits: eights(6), extraSamples: [[0, 0]], colours: 'cmyk' },
  { ...PLAIN, photometric: [CMYK], bits: sixteens(4), colours: 'cmyk' },
  { ...PLAIN, photometric: [YCBCR], bits: eights(3), colours: 'ycbcr' },
]

/** Gives null for a kind that Pillow does not open, or does not convert to RGB. */
export function tiffColoursOrNull(pixels: TiffPixels): TiffColours | null {
  const mode = MODES.find(
    ({ photometric, sampleFormat, fillOrder, bits, extraSamples, onlyLittleEndian = false }) =>
      photometric.includes(pixels.photometric) &&
      sampleFormat.includes(pixels.sampleFormat) &&
      fillOrder.includes(pixels.fillOrder) &&
      isEqual(bits, pixels.bits) &&
      extraSamples.some((extra) => isEqual(extra, pixels.extraSamples)) &&
      (pixels.littleEndian || !onlyLittleEndian),
  )
  return mode?.colours ?? null
}

function isEqual(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i])
}

/** Says what a sample beside the colours is: alpha by which they were multiplied, alpha, and what Corel Draw writes for it. */
const ALPHA_KINDS = [1, 2, 999]

/** Gives the place of alpha among the samples of a pixel, where Pillow takes one for it. */
export function alphaSampleOrNull({
  photometric,
  bits,
  extraSamples,
}: Pick<TiffPixels, 'photometric' | 'bits' | 'extraSamples'>): number | null {
  const [kind] = extraSamples
  // Four samples of RGB are taken for three and alpha where nothing is said of the fourth.
  const isUntold = photometric === RGB && bits.length === 4 && kind === undefined
  if (!isUntold && (kind === undefined || !ALPHA_KINDS.includes(kind))) return null
  return isUntold ? 3 : bits.length - extraSamples.length
}
