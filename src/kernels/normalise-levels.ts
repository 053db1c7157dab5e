/** Says how levels become numbers: as a factor of its own, or in one of two ways from 0 to 1. */
export type Rescale = 'multiply' | 'divide' | number

/**
 * Rescales and normalises the levels of an image as torchvision and Hugging Face do.
 *
 *     out[c, i] = (level[i, c] / 255 - mean[c]) / std[c]
 *
 * Every operation rounds to float32. `multiply` takes the float32 nearest to 1 / 255 as a factor, as Birder does; half of the levels then
 * differ from `divide` in the last bit. A number is a factor in place of 1 / 255, as a preprocessor_config.json may give one.
 *
 * @param data uint8 [pixels, 3], or float32 for levels that a resize has not rounded
 * @returns float32 [3, pixels]
 */
export function normaliseLevels(
  data: Uint8Array | Float32Array,
  rescale: Rescale,
  { mean, std }: { readonly mean: readonly number[]; readonly std: readonly number[] },
): Float32Array {
  if (data instanceof Float32Array) return normaliseUnrounded(data, rescale, { mean, std })
  const [red, green, blue] = [0, 1, 2].map((c) => normalisedLevels(rescale, mean[c], std[c]))
  const plane = data.length / 3
  const out = new Float32Array(data.length)
  for (let i = 0, from = 0; i < plane; i++, from += 3) {
    out[i] = red[data[from]]
    out[plane + i] = green[data[from + 1]]
    out[2 * plane + i] = blue[data[from + 2]]
  }
  return out
}

function normaliseUnrounded(
  data: Float32Array,
  rescale: Rescale,
  { mean, std }: { readonly mean: readonly number[]; readonly std: readonly number[] },
): Float32Array {
  const plane = data.length / 3
  const out = new Float32Array(data.length)
  for (let i = 0; i < data.length; i++) {
    const c = i % 3
    out[c * plane + (i - c) / 3] = normalised(data[i], rescale, mean[c], std[c])
  }
  return out
}

function normalised(level: number, rescale: Rescale, mean: number, std: number): number {
  const factor = typeof rescale === 'number' ? rescale : Math.fround(1 / 255)
  const unit = rescale === 'divide' ? level / 255 : level * factor
  return Math.fround(Math.fround(unit) - Math.fround(mean)) / Math.fround(std)
}

/** There are only 256 levels, so each is computed once. */
function normalisedLevels(rescale: Rescale, mean: number, std: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, level) => normalised(level, rescale, mean, std))
}
