/** Pixels from elsewhere belong to whoever gave them, who may change them or give them away while they are being resized. */
import { expect, test } from 'vitest'
import { pillowPasses, resample } from '../../kernels/resample-pillow.js'
import { decodeImage } from './decode-image.js'
import { createNativeResample, nativeAvailability } from './native/index.js'

test.skipIf(!nativeAvailability().available)(
  'pixels that are transferred away and written over during a resize are resized as they were given',
  async () => {
    const size = [1500, 1500] as const
    const given = { height: size[0], width: size[1], data: new Uint8Array(size[0] * size[1] * 3).fill(200) }
    const passes = pillowPasses(size, [224, 224], 'pillow-13')
    const expected = resample(given.data, size, passes)
    const { data } = await decodeImage(given)
    const native = createNativeResample()
    // Node has four threads for this by default: what stands behind others has surely not been read when its pixels go.
    const others = Array.from({ length: 12 }, () => native(new Uint8Array(data.length), size, passes))
    const resizing = native(data, size, passes)
    const { buffer } = given.data
    new Uint8Array(structuredClone(buffer, { transfer: [buffer] })).fill(0)
    expect(given.data).toHaveLength(0)
    expect(Buffer.compare(await resizing, expected)).toBe(0)
    await Promise.all(others)
  },
)
