import { describe, expect, test } from 'vitest'
import { findScenes } from './find-scenes.js'

/** Gives frames on the unit circle at these angles, in degrees. */
function framesAt(...degrees: readonly number[]): Float32Array {
  return Float32Array.from(
    degrees.flatMap((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]),
  )
}

const runs = (embeddings: Float32Array, threshold?: number) =>
  findScenes(embeddings, 2, threshold).map(({ first, last }) => [first, last])

describe('scenes', () => {
  test('one frame, and frames that stay the same, are one scene', () => {
    expect(findScenes(framesAt(10), 2)).toEqual([{ first: 0, last: 0, key: 0, distance: null }])
    expect(runs(framesAt(5, 5, 5, 5))).toEqual([[0, 3]])
  })

  test('a distance that stands out is a cut, where both sides are quiet', () => {
    // 1 - cos 35 degrees is 0.18, 1 - cos 2 degrees 0.0006.
    expect(runs(framesAt(0, 2, 4, 39, 41, 43))).toEqual([
      [0, 2],
      [3, 5],
    ])
    const [, second] = findScenes(framesAt(0, 2, 4, 39, 41, 43), 2)
    expect(second?.distance).toBeCloseTo(1 - Math.cos((35 * Math.PI) / 180), 6)
  })

  test('a camera that moves on and on cuts nothing, and what is wholly different always does', () => {
    expect(runs(framesAt(0, 30, 60, 90, 120, 150))).toEqual([[0, 5]])
    expect(runs(framesAt(0, 90, 180, 270))).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ])
  })

  test('two scenes that take turns are no flashes', () => {
    expect(runs(framesAt(0, 90, 1, 91, 2))).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ])
  })

  test('a light that strobes on every second frame cuts nothing, and what lies between its flashes is cut as without it', () => {
    expect(findScenes(framesAt(0, 90, 1, 90, 2, 90, 1, 90), 2)).toMatchObject([{ first: 0, last: 7, key: 2 }])
    expect(findScenes(framesAt(0, 90, 1, 90, 200, 90, 201, 90), 2)).toMatchObject([
      { first: 0, last: 3 },
      { first: 4, last: 7, distance: expect.closeTo(1 - Math.cos((199 * Math.PI) / 180), 5) },
    ])
    expect(runs(framesAt(0, 90, 1, 90, 2, 90, 1, 90), 0.5)).toHaveLength(8)
  })

  test('a flash cuts nothing, and a fade is one cut', () => {
    expect(runs(framesAt(0, 1, 90, 2, 3, 4))).toEqual([[0, 5]])
    // At its edges a film has no frame to compare with.
    expect(runs(framesAt(90, 1, 2, 3))).toEqual([
      [0, 0],
      [1, 3],
    ])
    expect(runs(framesAt(0, 1, 2, 32, 72, 73, 74))).toEqual([
      [0, 3],
      [4, 6],
    ])
    expect(runs(framesAt(0, 1, 90, 2, 3, 4), 0.5)).toEqual([
      [0, 1],
      [2, 2],
      [3, 5],
    ])
  })

  test('a threshold that is given decides alone', () => {
    expect(runs(framesAt(0, 30, 60, 61), 0.1)).toEqual([
      [0, 0],
      [1, 1],
      [2, 3],
    ])
    expect(runs(framesAt(0, 90, 180), 1.5)).toEqual([[0, 2]])
  })

  test('the key frame is nearest to the mean of its scene, whatever the lengths', () => {
    const frames = framesAt(0, 10, 20)
    for (const index of [0, 1]) frames[index] = (frames[index] ?? 0) * 100
    expect(findScenes(frames, 2)).toMatchObject([{ key: 1 }])
  })

  test('no frames, and numbers that are no rows, are refused', () => {
    expect(() => findScenes(new Float32Array(), 2)).toThrow(RangeError)
    expect(() => findScenes(new Float32Array(3), 2)).toThrow(RangeError)
  })
})
