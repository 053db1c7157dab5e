/**
 * Pillow's filters for resizing: the weight of an input at a distance from an output's centre, in inputs when growing and in outputs when
 * shrinking, and how far they reach (Pillow's libImaging/Resample.c). `nearest` is none of them: it takes one input as it is.
 */
export const FILTERS = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'] as const
/** Names a filter of a resize. */
export type Filter = (typeof FILTERS)[number]

export interface FilterKernel {
  readonly support: number
  readonly weight: (distance: number) => number
}

export const FILTER_KERNELS: Readonly<Record<Exclude<Filter, 'nearest'>, FilterKernel>> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, weight: hamming },
  bicubic: { support: 2, weight: cubic },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
}

function hamming(distance: number): number {
  const x = Math.abs(distance)
  if (x === 0) return 1
  return x >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI))
}

/** Is Keys' cubic with a = -0.5, in the very form in which the libraries write it: another would round differently. */
function cubic(distance: number): number {
  const a = -0.5
  const x = Math.abs(distance)
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a
  return 0
}

function sinc(distance: number): number {
  const x = distance * Math.PI
  return x === 0 ? 1 : Math.sin(x) / x
}
