/**
 * Cuts an image into square patches, which may overlap, and lays each out as one row, in the order (channel, y, x) of a convolution's kernel.
 * A remainder at the right or the bottom that does not fill a patch is dropped, as a strided convolution does.
 */
export interface PatchLayout {
  /** `planes` means [channels, height, width], and `rows` means [height * width, channels]. */
  readonly layout: 'planes' | 'rows'
  readonly channels: number
  readonly height: number
  readonly width: number
  readonly patch: number
  /** Says how many pixels lie from one patch's beginning to the next one's. */
  readonly stride: number
}

/** Counts the patches along a side of the image. */
export function placesOf(side: number, patch: number, stride: number): number {
  return side < patch ? 0 : 1 + Math.floor((side - patch) / stride)
}

export function patchify(
  x: Float32Array,
  { layout, channels, height, width, patch, stride }: PatchLayout,
  out: Float32Array, // [rows * columns, channels * patch * patch]
): void {
  const rows = placesOf(height, patch, stride)
  const columns = placesOf(width, patch, stride)
  const [channelStep, pixelStep] = layout === 'planes' ? [height * width, 1] : [1, channels]
  let at = 0
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let c = 0; c < channels; c++) {
        for (let y = row * stride; y < row * stride + patch; y++) {
          const from = c * channelStep + (y * width + column * stride) * pixelStep
          for (let i = 0; i < patch; i++) out[at++] = x[from + i * pixelStep]
        }
      }
    }
  }
}
