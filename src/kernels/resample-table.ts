/**
 * Resamples float tables as `torch.nn.functional.interpolate` does, for position tables and for float images. Its bicubic exists in two kernels that
 * give different numbers, also when enlarging, and so does its bilinear:
 *
 * - `plain` is Keys' cubic with a = -0.75 and four taps; indices are clamped at the border.
 * - `antialias` has a = -0.5 and a support widened by the scale; taps are cut off at the border and renormalised.
 *
 * All are separable: taps are found per axis, then applied along the width first and the height second.
 */

export interface Taps {
  /** Lists the input indices of each output index; they may repeat at a clamped border. */
  readonly indices: readonly (readonly number[])[]
  /** Lists the weight of each of these inputs. */
  readonly weights: readonly (readonly number[])[]
}

/** @param step counts input cells per output cell; it is `inputSize / outputSize` unless a library says otherwise */
export function plainTaps(inputSize: number, outputSize: number, step = inputSize / outputSize): Taps {
  return plainTapsAt(
    Float64Array.from({ length: outputSize }, (_, i) => (i + 0.5) * step - 0.5),
    inputSize,
  )
}

/** Gives the same taps for places that are given: 0 is the middle of the first input cell, 1 that of the second. */
export function plainTapsAt(places: Float64Array, inputSize: number): Taps {
  const indices: number[][] = []
  const weights: number[][] = []
  for (const place of places) {
    const first = Math.min(Math.floor(place), inputSize - 1)
    const t = Math.min(Math.max(place - first, 0), 1)
    indices.push([-1, 0, 1, 2].map((tap) => Math.min(Math.max(first + tap, 0), inputSize - 1)))
    weights.push([1 + t, t, 1 - t, 2 - t].map((distance) => cubic(distance, -0.75)))
  }
  return { indices, weights }
}

/**
 * Gives bilinear taps. With `corners` the first and last places of both sizes lie on each other (`align_corners`), else their edges do.
 *
 * @param factor output cells per input cell, where it was given and the output's size follows from it
 */
export function bilinearTaps(inputSize: number, outputSize: number, corners = false, factor?: number): Taps {
  const last = inputSize - 1
  const places = corners ? cornerPlaces(inputSize, outputSize) : null
  const taps = Array.from({ length: outputSize }, (_, i) => {
    const cell = factor === undefined ? ((i + 0.5) * inputSize) / outputSize : (i + 0.5) / factor
    const source = places?.[i] ?? Math.max(cell - 0.5, 0)
    const first = Math.min(Math.floor(source), last)
    return { first, second: Math.min(first + 1, last), t: Math.min(source - first, 1) }
  })
  return {
    indices: taps.map(({ first, second }) => [first, second]),
    weights: taps.map(({ t }) => [1 - t, t]),
  }
}

/** Says how a side is resized, as `torch.nn.functional.interpolate` is told it. */
export interface Interpolation {
  readonly mode: 'bilinear' | 'bicubic'
  /** Says that the first and last places of both sizes lie on each other (`align_corners`), and not their edges. */
  readonly corners: boolean
}

/**
 * Gives the taps of a side that is resized to a size, or by a factor, of which the new size is the whole part of the product. PyTorch takes the factor itself for
 * the distance of places, unless corners lie on each other.
 */
export function interpolationTaps(
  inputSize: number,
  to: { readonly size: number } | { readonly factor: number },
  { mode, corners }: Interpolation,
): Taps {
  const factor = 'factor' in to ? to.factor : undefined
  const outputSize = 'size' in to ? to.size : Math.floor(inputSize * to.factor)
  if (mode === 'bilinear') return bilinearTaps(inputSize, outputSize, corners, factor)
  if (corners) return cornerTaps(inputSize, outputSize)
  return plainTaps(inputSize, outputSize, factor === undefined ? undefined : 1 / factor)
}

/** Gives the taps of plain bicubic where the first and last places of both sizes lie on each other (`align_corners`). */
function cornerTaps(inputSize: number, outputSize: number): Taps {
  return plainTapsAt(cornerPlaces(inputSize, outputSize), inputSize)
}

function cornerPlaces(inputSize: number, outputSize: number): Float64Array {
  return Float64Array.from({ length: outputSize }, (_, i) =>
    outputSize > 1 ? (i * (inputSize - 1)) / (outputSize - 1) : 0,
  )
}

/** Gives the taps of antialiased bicubic. */
export function antialiasTaps(inputSize: number, outputSize: number): Taps {
  return widenedTaps(inputSize, outputSize, 2, (distance) => cubic(distance, -0.5))
}

/** Gives the taps of antialiased bilinear: a triangle as wide as the scale. */
export function triangleTaps(inputSize: number, outputSize: number): Taps {
  return widenedTaps(inputSize, outputSize, 1, (distance) => Math.max(1 - Math.abs(distance), 0))
}

/**
 * Gives the taps of a table of relative positions, whose middle stays where it is: its places lie at 0, 1, 1 + q, 1 + q + q² and so on to both sides, with q
 * such that the outermost ones reach as far as the new size does, and what lies between two places is interpolated linearly (BEiT; timm
 * layers/pos_embed_rel.py).
 */
export function progressionTaps(inputSize: number, outputSize: number): Taps {
  const places = progression(Math.floor(inputSize / 2), Math.floor(outputSize / 2))
  const last = places.length - 1
  const taps = Array.from({ length: outputSize }, (_, i) => {
    const x = i - Math.floor(outputSize / 2)
    const found = places.findIndex((place) => place >= x)
    const right = found < 0 ? last : found
    const left = Math.max(right - 1, 0)
    const length = places[right] - places[left]
    const t = length > 0 ? Math.min(Math.max((x - places[left]) / length, 0), 1) : 0
    return { left, right, t }
  })
  return {
    indices: taps.map(({ left, right }) => [left, right]),
    weights: taps.map(({ t }) => [1 - t, t]),
  }
}

/** The factor is found by halving, and its last guess is taken, as they do. */
function progression(count: number, reach: number): readonly number[] {
  let [left, right, q] = [1.01, 1.5, 1.01]
  while (right - left > 1e-6) {
    q = (left + right) / 2
    if ((1 - q ** count) / (1 - q) > reach) right = q
    else left = q
  }
  const half: number[] = []
  let place = 1
  for (let i = 0; i < count; i++) {
    half.push(Math.fround(place))
    place += q ** (i + 1)
  }
  return [...half.map((one) => -one).toReversed(), 0, ...half]
}

function widenedTaps(
  inputSize: number,
  outputSize: number,
  support: number,
  kernel: (distance: number) => number,
): Taps {
  const scale = inputSize / outputSize
  const widening = Math.max(scale, 1)
  const indices: number[][] = []
  const weights: number[][] = []
  for (let i = 0; i < outputSize; i++) {
    const centre = scale * (i + 0.5)
    const from = Math.max(Math.trunc(centre - support * widening + 0.5), 0)
    const to = Math.min(Math.trunc(centre + support * widening + 0.5), inputSize)
    const taps = Array.from({ length: to - from }, (_, j) => from + j)
    const raw = taps.map((j) => kernel((j - centre + 0.5) / widening))
    const sum = raw.reduce((total, weight) => total + weight, 0)
    indices.push(taps)
    weights.push(raw.map((weight) => weight / sum))
  }
  return { indices, weights }
}

/** Writes taps as a table [outputs, 2 * taps], in a row the indices, then their weights; each row has as many as the longest, with weights of 0. */
export function tableOfTaps(
  { indices, weights }: Taps,
  count = mostTaps({ indices, weights }),
): Float32Array {
  const table = new Float32Array(indices.length * 2 * count)
  for (const [i, row] of indices.entries()) {
    table.set(row, i * 2 * count)
    table.set(weights[i], i * 2 * count + count)
  }
  return table
}

/** Counts the inputs that an output is made of, at most. */
export function mostTaps({ indices }: Taps): number {
  return Math.max(...indices.map((row) => row.length))
}

/** Reads back what `tableOfTaps` wrote. */
export function tapsOfTable(table: Float32Array, count: number): Taps {
  const outputs = Array.from({ length: table.length / (2 * count) }, (_, i) => 2 * count * i)
  return {
    indices: outputs.map((from) => Array.from(table.subarray(from, from + count))),
    weights: outputs.map((from) => Array.from(table.subarray(from + count, from + 2 * count))),
  }
}

/** Computes the cubic convolution kernel of Keys (1981). */
function cubic(distance: number, a: number): number {
  const x = Math.abs(distance)
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
  return 0
}

/** Applies the taps of both axes to a table [height, width, channels]; sums run in float64 and are rounded once, at the end. */
export function resampleTable(
  table: Float32Array,
  [height, width]: readonly [height: number, width: number],
  vertical: Taps,
  horizontal: Taps,
): Float32Array {
  const channels = table.length / (height * width)
  const newHeight = vertical.indices.length
  const newWidth = horizontal.indices.length
  const wide = new Float64Array(height * newWidth * channels)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < newWidth; x++) {
      const to = (y * newWidth + x) * channels
      horizontal.indices[x].forEach((tap, i) => {
        const weight = horizontal.weights[x][i]
        const from = (y * width + tap) * channels
        for (let c = 0; c < channels; c++) wide[to + c] += weight * table[from + c]
      })
    }
  }
  const out = new Float64Array(newHeight * newWidth * channels)
  const row = newWidth * channels
  for (let y = 0; y < newHeight; y++) {
    vertical.indices[y].forEach((tap, i) => {
      const weight = vertical.weights[y][i]
      for (let j = 0; j < row; j++) out[y * row + j] += weight * wide[tap * row + j]
    })
  }
  return Float32Array.from(out)
}

/**
 * Does the same for the levels of an image, uint8 [height, width, 3], and rounds none of them. The height goes first: a photo's rows are then added up whole,
 * and few are left for the width.
 */
export function resampleLevels(
  levels: Uint8Array,
  [, width]: readonly [height: number, width: number],
  vertical: Taps,
  horizontal: Taps,
): Float32Array {
  const row = width * 3
  const newWidth = horizontal.indices.length
  const out = new Float32Array(vertical.indices.length * newWidth * 3)
  const sums = new Float64Array(row)
  for (const [y, taps] of vertical.indices.entries()) {
    sums.fill(0)
    for (const [i, tap] of taps.entries()) addRow(sums, levels, tap * row, vertical.weights[y][i])
    for (const [x, columns] of horizontal.indices.entries()) {
      const weights = horizontal.weights[x]
      let [red, green, blue] = [0, 0, 0]
      for (let i = 0; i < columns.length; i++) {
        const from = columns[i] * 3
        red += weights[i] * sums[from]
        green += weights[i] * sums[from + 1]
        blue += weights[i] * sums[from + 2]
      }
      out.set([red, green, blue], (y * newWidth + x) * 3)
    }
  }
  return out
}

function addRow(sums: Float64Array, levels: Uint8Array, from: number, weight: number): void {
  for (let j = 0; j < sums.length; j++) sums[j] += weight * levels[from + j]
}
