import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import type { DType } from './dtype.js'
import { float32Tensor, toFloat32 } from './tensor.js'

const widen = (dtype: DType, values: { readonly buffer: ArrayBufferLike; readonly length: number }) =>
  Array.from(toFloat32({ dtype, shape: [values.length], bytes: new Uint8Array(values.buffer) }))

test('half precision widens exactly: normal, subnormal, zero, infinite, NaN', () => {
  const bits = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x8000, 0x7bff, 0x7c00, 0xfc00, 0x7e00)
  const [one, minusTwo, tiny, minusZero, largest, inf, minusInf, nan] = widen('F16', bits)
  expect([one, minusTwo, tiny, largest, inf, minusInf]).toEqual([1, -2, 2 ** -24, 65504, Infinity, -Infinity])
  expect(Object.is(minusZero, -0)).toBe(true)
  expect(nan).toBeNaN()
})

test('bfloat16 is the upper half of a float32', () => {
  expect(widen('BF16', Uint16Array.of(0x3f80, 0xc000, 0x7f80))).toEqual([1, -2, Infinity])
})

test('integers and doubles become the nearest float32', () => {
  expect(widen('I8', Int8Array.of(-128, 127))).toEqual([-128, 127])
  expect(widen('U8', Uint8Array.of(0, 255))).toEqual([0, 255])
  expect(widen('I16', Int16Array.of(-32768))).toEqual([-32768])
  expect(widen('I32', Int32Array.of(-(2 ** 31)))).toEqual([-(2 ** 31)])
  expect(widen('I64', BigInt64Array.of(-5n, 2n ** 40n))).toEqual([-5, 2 ** 40])
  expect(widen('U64', BigUint64Array.of(2n ** 63n))).toEqual([2 ** 63])
  expect(widen('F64', Float64Array.of(0.1))).toEqual([Math.fround(0.1)])
})

test('float32 is a view where it can be and a copy where the bytes are not aligned', () => {
  const values = Float32Array.of(1, 2)
  expect(toFloat32(float32Tensor(values, [2])).buffer).toBe(values.buffer)
  const shifted = new Uint8Array(9)
  shifted.set(new Uint8Array(values.buffer), 1)
  expect(Array.from(toFloat32({ dtype: 'F32', shape: [2], bytes: shifted.subarray(1) }))).toEqual([1, 2])
})

test('a Node Buffer at an odd place is copied too, although its own slice would not', () => {
  const shifted = Buffer.alloc(9)
  shifted.writeFloatLE(1.5, 1)
  shifted.writeFloatLE(-2, 5)
  expect(Array.from(toFloat32({ dtype: 'F32', shape: [2], bytes: shifted.subarray(1) }))).toEqual([1.5, -2])
})

test('bytes that do not make the shape are refused with both counts', () => {
  expect(() => toFloat32({ dtype: 'F16', shape: [3], bytes: new Uint8Array(4) })).toThrow(
    /need 6 bytes, got 4/,
  )
})
