/**
 * Convolves a picture with square kernels, zeros around it, as `torch.nn.functional.conv2d` does with one group:
 *
 *     out[place, n] = sum over (y, x, c) of picture[pixel under (y, x), c] * weight[n, (y, x, c)] + bias[n]
 *
 * Sums run in float64.
 */
import { placesOf } from './patchify.js'

/** Says how a kernel passes over a picture; down and across alike. */
export interface KernelPlaces {
  readonly height: number
  readonly width: number
  /** Is the kernel's side. */
  readonly kernel: number
  readonly stride: number
  /** Counts the zeros on each side of the picture. */
  readonly padding: number
}

/** Calls with each place of the kernel, each pixel of the picture under it, and the pixel's place within the kernel. */
function forPixelsOfPlaces(
  { height, width, kernel, stride, padding }: KernelPlaces,
  visit: (place: number, pixel: number, within: number) => void,
): void {
  const down = placesOf(height + 2 * padding, kernel, stride)
  const across = placesOf(width + 2 * padding, kernel, stride)
  for (let place = 0; place < down * across; place++) {
    const top = Math.floor(place / across) * stride - padding
    const left = (place % across) * stride - padding
    for (let within = 0; within < kernel * kernel; within++) {
      const y = top + Math.floor(within / kernel)
      const x = left + (within % kernel)
      if (y >= 0 && y < height && x >= 0 && x < width) visit(place, y * width + x, within)
    }
  }
}

export function conv2d(
  x: Float32Array, // [height * width, C]
  weight: Float32Array, // [N, kernel * kernel * C]
  bias: Float32Array | null, // [N]
  places: KernelPlaces,
  out: Float32Array, // [places, N]
): void {
  const channels = x.length / (places.height * places.width)
  const depth = places.kernel ** 2 * channels
  const columns = weight.length / depth
  const sums = new Float64Array(out.length)
  if (bias !== null) for (let i = 0; i < sums.length; i++) sums[i] = bias[i % columns]
  forPixelsOfPlaces(places, (place, pixel, within) => {
    for (let n = 0; n < columns; n++) {
      const from = n * depth + within * channels
      let sum = 0
      for (let c = 0; c < channels; c++) sum += x[pixel * channels + c] * weight[from + c]
      sums[place * columns + n] += sum
    }
  })
  out.set(sums)
}

/**
 * Turns a convolution round, as `torch.nn.functional.conv_transpose2d` does: each row of `x` is a place of the kernel in the picture that is made.
 *
 *     out[pixel, n] = sum over the places whose kernel has the pixel at (y, x), and over c, of in[place, c] * weight[(y, x, n), c] + bias[n]
 */
export function transposedConv2d(
  x: Float32Array, // [places, C]
  weight: Float32Array, // [kernel * kernel * N, C]
  bias: Float32Array | null, // [N]
  places: KernelPlaces,
  out: Float32Array, // [height * width, N]
): void {
  const columns = out.length / (places.height * places.width)
  const channels = weight.length / (places.kernel ** 2 * columns)
  const sums = new Float64Array(out.length)
  if (bias !== null) for (let i = 0; i < sums.length; i++) sums[i] = bias[i % columns]
  forPixelsOfPlaces(places, (place, pixel, within) => {
    for (let n = 0; n < columns; n++) {
      const from = (within * columns + n) * channels
      let sum = 0
      for (let c = 0; c < channels; c++) sum += x[place * channels + c] * weight[from + c]
      sums[pixel * columns + n] += sum
    }
  })
  out.set(sums)
}
