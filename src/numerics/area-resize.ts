/** Resizes bytes of red, green and blue for being looked at: each new pixel is the mean of the area that it covers. */

type Size = readonly [height: number, width: number]

/** Gives uint8 [newHeight, newWidth, 3] of `data` [height, width, 3]. Where a side grows, the nearest pixels are repeated. */
export function areaResize(data: Uint8Array, [height, width]: Size, [newHeight, newWidth]: Size): Uint8Array {
  // Whole steps take most of a large photo by plain sums, which is several times as quick.
  const stepY = Math.max(1, Math.floor(height / newHeight))
  const stepX = Math.max(1, Math.floor(width / newWidth))
  const small: Size = [Math.floor(height / stepY), Math.floor(width / stepX)]
  const steps = stepY > 1 || stepX > 1 ? everyFew(data, width, small, stepY, stepX) : data
  const wide = resizeRows(steps, small, newWidth)
  return Uint8Array.from(resizeColumns(wide, [small[0], newWidth], newHeight), Math.round)
}

/** Gives the means of whole blocks; what is left over at the lower and the right edge is left out. */
function everyFew(
  data: Uint8Array,
  width: number,
  [rows, columns]: Size,
  stepY: number,
  stepX: number,
): Uint8Array {
  const out = new Uint8Array(rows * columns * 3)
  const sums = new Uint32Array(columns * 3)
  for (let row = 0; row < rows; row++) {
    sums.fill(0)
    for (let y = row * stepY; y < (row + 1) * stepY; y++) {
      let at = y * width * 3
      for (let to = 0; to < sums.length; to += 3) {
        let red = 0
        let green = 0
        let blue = 0
        for (let x = 0; x < stepX; x++, at += 3) {
          red += data[at]
          green += data[at + 1]
          blue += data[at + 2]
        }
        sums[to] += red
        sums[to + 1] += green
        sums[to + 2] += blue
      }
    }
    for (let i = 0; i < sums.length; i++) out[row * sums.length + i] = Math.round(sums[i] / (stepY * stepX))
  }
  return out
}

/** Says of each new place which old ones it covers, and how much of each; the weights of one sum to 1. */
function taps(from: number, to: number): { first: number; weights: number[] }[] {
  const scale = from / to
  return Array.from({ length: to }, (_, index) => {
    if (scale <= 1) return { first: Math.min(from - 1, Math.floor((index + 0.5) * scale)), weights: [1] }
    const [start, end] = [index * scale, (index + 1) * scale]
    const first = Math.floor(start)
    const last = Math.min(from - 1, Math.ceil(end) - 1)
    const covered = Array.from(
      { length: last - first + 1 },
      (_, tap) => Math.min(end, first + tap + 1) - Math.max(start, first + tap),
    )
    const sum = covered.reduce((total, part) => total + part, 0)
    return { first, weights: covered.map((part) => part / sum) }
  })
}

function resizeRows(data: Uint8Array, [rows, from]: Size, to: number): Float32Array {
  const out = new Float32Array(rows * to * 3)
  const places = taps(from, to)
  for (let row = 0; row < rows; row++)
    for (let x = 0; x < to; x++) {
      const { first, weights } = places[x]
      for (let tap = 0; tap < weights.length; tap++)
        for (let channel = 0; channel < 3; channel++)
          out[(row * to + x) * 3 + channel] += weights[tap] * data[(row * from + first + tap) * 3 + channel]
    }
  return out
}

function resizeColumns(data: Float32Array, [from, columns]: Size, to: number): Float32Array {
  const stride = columns * 3
  const out = new Float32Array(to * stride)
  for (const [row, { first, weights }] of taps(from, to).entries())
    for (let tap = 0; tap < weights.length; tap++)
      for (let i = 0; i < stride; i++)
        out[row * stride + i] += weights[tap] * data[(first + tap) * stride + i]
  return out
}
