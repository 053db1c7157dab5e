/**
 * Cuts an image into square patches and lays each out as one row, in the order (channel, y, x) of a convolution's kernel.
 * A remainder at the right or the bottom that does not fill a patch is dropped, as a strided convolution does.
 */
export interface PatchLayout {
  /** `planes` means [channels, height, width], and `rows` means [height * width, channels]. */
  readonly layout: 'planes' | 'rows'
  readonly channels: number
  readonly height: number
  readonly width: number
  readonly patch: number
}

export function patchify(
  x: Float32Array,
  { layout, channels, height, width, patch }: PatchLayout,
  out: Float32Array, // [rows * columns, channels * patch * patch]
): void {
  const rows = Math.floor(height / patch)
  const columns = Math.floor(width / patch)
  const [channelStep, pixelStep] = layout === 'planes' ? [height * width, 1] : [1, channels]
  let at = 0
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let c = 0; c < channels; c++) {
        for (let y = row * patch; y < (row + 1) * patch; y++) {
          const from = c * channelStep + (y * width + column * patch) * pixelStep
          for (let i = 0; i < patch; i++) out[at++] = x[from + i * pixelStep]
        }
      }
    }
  }
}
