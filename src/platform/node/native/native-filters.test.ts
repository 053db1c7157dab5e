/** Every filter of Pillow's is a table of weights, which the addon applies as the portable code does. */
import { expect, test } from 'vitest'
import { FILTERS } from '../../../kernels/resample-filter.js'
import { pillowPasses, resample } from '../../../kernels/resample-pillow.js'
import { createNativeResample, nativeAvailability } from './index.js'

const SIZES = [
  [
    [37, 53],
    [16, 16],
  ],
  [
    [37, 53],
    [64, 41],
  ],
  [
    [61, 29],
    [61, 30],
  ],
  [
    [300, 7],
    [11, 19],
  ],
] as const

test.skipIf(!nativeAvailability().available).each(FILTERS)(
  '%s gives the same bytes on vector units',
  async (filter) => {
    const native = createNativeResample()
    for (const [size, newSize] of SIZES) {
      const image = Uint8Array.from(
        { length: size[0] * size[1] * 3 },
        (_, i) => (i * 37 + ((i * i) % 251)) % 256,
      )
      const passes = pillowPasses(size, newSize, 'pillow-13', filter)
      expect(await native(image, size, passes)).toEqual(resample(image, size, passes))
    }
  },
)
