/** Puts zeros around pixels that are normalised already, as transformers' DPT does, so that each side becomes a multiple of a number. */

interface Margin {
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
}

interface Planes {
  /** float32 [channels, height, width]. */
  readonly pixels: Float32Array
  readonly height: number
  readonly width: number
}

/** Gives the rows and columns that are missing to a multiple of the divisor; the odd one goes behind. */
export function paddingTo(divisor: number, { height, width }: Omit<Planes, 'pixels'>): Margin {
  const [down, across] = [height, width].map((side) => Math.ceil(side / divisor) * divisor - side) as [
    number,
    number,
  ]
  const [top, left] = [Math.floor(down / 2), Math.floor(across / 2)]
  return { top, bottom: down - top, left, right: across - left }
}

/** Gives the pixels themselves where there is no margin. */
export function padWithZeros({ pixels, ...size }: Planes, margin: Margin): Planes {
  const height = size.height + margin.top + margin.bottom
  const width = size.width + margin.left + margin.right
  if (height === size.height && width === size.width) return { pixels, ...size }
  const channels = pixels.length / (size.height * size.width)
  const out = new Float32Array(channels * height * width)
  for (let row = 0; row < channels * size.height; row++) {
    const [channel, y] = [Math.floor(row / size.height), row % size.height]
    const from = row * size.width
    out.set(
      pixels.subarray(from, from + size.width),
      (channel * height + y + margin.top) * width + margin.left,
    )
  }
  return { pixels: out, height, width }
}
