import fc from 'fast-check'
import { expect, test } from 'vitest'
import { largestPart } from './largest-part.js'

test('the largest part hangs together by sides and not by corners, and has a box around it', () => {
  const rows = ['110001', '010010', '000011', '000001']
  const mask = Uint8Array.from(rows.join(''), Number)
  const found = largestPart(mask, 6)
  expect(found?.box).toEqual({ top: 1, left: 4, bottom: 4, right: 6 })
  expect([...(found?.mask ?? [])].join('').match(/.{6}/g)).toEqual(['000000', '000010', '000011', '000001'])
  expect(largestPart(new Uint8Array(6), 3)).toBeNull()
})

test('what is left when the largest part is taken away has no larger one, and all parts together are the mask', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 1), { minLength: 12, maxLength: 12 }), (values) => {
      const left = Uint8Array.from(values)
      let before = Number.POSITIVE_INFINITY
      for (let part = largestPart(left, 4); part !== null; part = largestPart(left, 4)) {
        const size = part.mask.reduce((sum, one) => sum + one, 0)
        expect(size).toBeLessThanOrEqual(before)
        before = size
        for (const [patch, one] of part.mask.entries()) if (one === 1) left[patch] = (left[patch] ?? 0) - 1
      }
      expect(left.every((one) => one === 0)).toBe(true)
    }),
  )
})
