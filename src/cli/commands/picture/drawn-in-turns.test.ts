import { expect, test } from 'vitest'
import { heatSteps } from '../../../picture/draw/draw-patches.js'
import { drawAll } from '../../../picture/draw/draw-pixels.js'
import { drawnInTurns } from './drawn-in-turns.js'

const PHOTO = { height: 600, width: 800, data: new Uint8Array(600 * 800 * 3).map((_, i) => (i * 7) % 256) }
const PLACED = {
  grid: { rows: 6, columns: 8 },
  imageSize: [600, 800] as const,
  patchBox: (row: number, column: number) => ({
    top: row * 100,
    left: column * 100,
    bottom: row * 100 + 100,
    right: column * 100 + 100,
  }),
}

const heat = () =>
  heatSteps(
    PHOTO,
    PLACED,
    Float32Array.from({ length: 48 }, (_, i) => i),
    { upsample: 'joint-bilateral' },
  )

test('a picture that is drawn in turns is the one that is drawn at once', async () => {
  expect(await drawnInTurns(heat(), new AbortController().signal)).toEqual(drawAll(heat()))
})

test('whoever gives up is heard before it is whole', async () => {
  const stop = new AbortController()
  let rows = 0
  const slowly = (function* () {
    for (; rows < 1000; rows++) {
      const until = performance.now() + 5
      while (performance.now() < until);
      yield
    }
    return PHOTO
  })()
  setTimeout(() => stop.abort(new Error('enough')), 1)
  await expect(drawnInTurns(slowly, stop.signal)).rejects.toThrow('enough')
  expect(rows).toBeLessThan(100)
})
