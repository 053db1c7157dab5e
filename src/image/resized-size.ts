/** Says how large an image becomes before the crop: each library rounds in its own way, and is followed to the pixel. */
import type { Resize, Scaling } from './resize.js'
import { roundHalfToEven } from './round-half-to-even.js'

type Size = readonly [height: number, width: number]
type Multiples = Extract<Resize, { readonly kind: 'multiples' }>

interface Sides {
  readonly height: number
  readonly width: number
}

/** Gives the sides in pixels that an image is resized to. */
export function resizedSize({ height, width }: Sides, resize: Resize): Size {
  switch (resize.kind) {
    case 'squash':
      return resize.size
    case 'short-side': {
      const { side } = resize
      return width <= height
        ? [Math.trunc((side * height) / width), side]
        : [side, Math.trunc((side * width) / height)]
    }
    case 'cover': {
      const [h, w] = resize.size
      return width * h >= height * w
        ? [h, Math.max(w, Math.trunc((h * width) / height))]
        : [Math.max(h, Math.trunc((w * height) / width)), w]
    }
    case 'keep-ratio': {
      const ratios = [height / resize.size[0], width / resize.size[1]]
      const ratio = resize.edge === 'longest' ? Math.max(...ratios) : Math.min(...ratios)
      // A strip may round to nothing, which no library can resize to either.
      return [Math.max(1, roundHalfToEven(height / ratio)), Math.max(1, roundHalfToEven(width / ratio))]
    }
    case 'none':
      return [height, width]
    case 'multiples':
      return sidesOfMultiples([height, width], resize)
    case 'patches':
      return resize.rounding === 'up'
        ? largestOfPatches([height, width], resize.patchSize, resize.maxPatches)
        : nearestPatches([height, width], resize.patchSize, resize.maxPatches)
    case 'scaled':
      return scaledPatches([height, width], resize.by, resize.patchSize)
  }
}

/** Changes both sides by the ratio that changes them less where the aspect ratio is kept, as transformers' DPT does, and takes each to the nearest multiple, half to even. */
function sidesOfMultiples([height, width]: Size, { size, multiple, keepRatio }: Multiples): Size {
  if (size === null) return [height, width]
  const [down, across] = [size[0] / height, size[1] / width]
  const one = Math.abs(1 - across) < Math.abs(1 - down) ? across : down
  const [scaleY, scaleX] = keepRatio ? [one, one] : [down, across]
  // A side may round to nothing, which no library can resize to either.
  const sideOf = (length: number) => Math.max(1, roundHalfToEven(length / multiple)) * multiple
  return [sideOf(scaleY * height), sideOf(scaleX * width)]
}

function scaledPatches([height, width]: Size, by: Scaling, patchSize: number): Size {
  const edge = 'edge' in by && by.edge === 'longest' ? Math.max(height, width) : Math.min(height, width)
  const ratio = 'factor' in by ? by.factor : by.side / edge
  const sideOf = (length: number) => Math.max(1, Math.round((length * ratio) / patchSize)) * patchSize
  return [sideOf(height), sideOf(width)]
}

function nearestPatches([height, width]: Size, patchSize: number, maxPatches: number): Size {
  const shrink = Math.min(1, Math.sqrt((maxPatches * patchSize ** 2) / (height * width)))
  const patchesAlong = (side: number) => Math.max(1, Math.round((side * shrink) / patchSize))
  let rows = patchesAlong(height)
  let columns = patchesAlong(width)
  // Rounding up may overshoot the bound, and a very long strip keeps one row: the longer side gives way.
  while (rows * columns > maxPatches && rows * columns > 1) {
    if (rows >= columns) rows = Math.max(1, Math.min(rows - 1, Math.floor(maxPatches / columns)))
    else columns = Math.max(1, Math.min(columns - 1, Math.floor(maxPatches / rows)))
  }
  return [rows * patchSize, columns * patchSize]
}

/** Searches the scale by halves between the same bounds and as far as transformers does (get_image_size_for_max_num_patches), so that it ends at the same size. */
function largestOfPatches(size: Size, patchSize: number, maxPatches: number): Size {
  const at = (scale: number) =>
    size.map((side) => Math.max(patchSize, Math.ceil((side * scale) / patchSize) * patchSize))
  const patches = (scale: number) => at(scale).reduce((product, side) => product * (side / patchSize), 1)
  const precision = 1e-5
  let [low, high] = [precision / 10, 100]
  while (high - low >= precision) {
    const middle = (low + high) / 2
    if (patches(middle) <= maxPatches) low = middle
    else high = middle
  }
  const [height = patchSize, width = patchSize] = at(low)
  return [height, width]
}
