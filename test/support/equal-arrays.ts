/**
 * Lets typed arrays of the same bits be equal at once: vitest compares them element by element, ten microseconds each, which took longer than what
 * was tested. Where bits differ, vitest goes on as before and shows where.
 */
import { expect } from 'vitest'

expect.addEqualityTesters([(a: unknown, b: unknown) => (haveSameBits(a, b) ? true : undefined)])

function haveSameBits(a: unknown, b: unknown): boolean {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b)) return false
  if (a.constructor !== b.constructor || a.byteLength !== b.byteLength) return false
  const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    Buffer.from(buffer, byteOffset, byteLength)
  return bytesOf(a).equals(bytesOf(b))
}
