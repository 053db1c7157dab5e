/** Holds what Pillow 13.0.0 gives for each of its filters, as the beginnings of SHA-256 of the bytes. */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { FILTERS, type Filter } from './resample-filter.js'
import { resamplePillow } from './resample-pillow.js'

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

const PILLOW: readonly (readonly [Filter, readonly string[]])[] = [
  ['nearest', ['72e968ac62223ed9', '65044722e03913b0', '0ee26db3af1cb034', 'f691d59ab98b0cd9']],
  ['box', ['ca0f0b7a7988482b', '91813ffbedd10766', '0ee26db3af1cb034', 'fa991c3ec6b4caab']],
  ['bilinear', ['d93f6ccb0a7a6d9e', '1547aa08dca27711', '06eda2cc7d25adf1', '4aae58857bb21910']],
  ['hamming', ['f73fe4dcc036a4c6', 'c2f042eb802035a2', '69e2185f83aaf5ca', 'ed1d39d80fe611a2']],
  ['bicubic', ['19abbdeb18f0ad49', '2109481902b58a57', '5cc569113a19e651', '457e0d0fc59cab85']],
  ['lanczos', ['64b00b776d12925f', 'd9dbfe6bd9acdae8', 'ddf7fbc59333fe16', '18233a2626019e15']],
]

test('every filter is here', () => expect(PILLOW.map(([filter]) => filter)).toEqual(FILTERS))

test.each(PILLOW)('%s gives the bytes that Pillow gives', (filter, hashes) => {
  const found = SIZES.map(([size, newSize]) => {
    const image = Uint8Array.from(
      { length: size[0] * size[1] * 3 },
      (_, i) => (i * 37 + ((i * i) % 251)) % 256,
    )
    const bytes = resamplePillow(image, size, newSize, { filter })
    return createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  })
  expect(found).toEqual(hashes)
})
