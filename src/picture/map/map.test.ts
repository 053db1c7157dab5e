import { expect, test } from 'vitest'
import { drawMap } from './draw-map.js'
import { escapedMarkup } from './escaped-markup.js'
import { mapSvg } from './map-svg.js'
import { type MapView, placesWithin } from './map-view.js'

const view: MapView = {
  points: Float32Array.of(0, 0, 10, 0, 10, 5),
  groups: Int32Array.of(0, 1, -1),
  groupNames: ['a<b', 'c'],
}

test('distances stay in proportion, and up is up', () => {
  expect([...placesWithin(view.points, 100, 100)]).toEqual([0, 75, 100, 75, 100, 25])
  expect([...placesWithin(Float32Array.of(3, 4), 10, 20)]).toEqual([10, 5])
})

test('a dot has the colour of its group, and one of no group is grey', () => {
  const { height, width, data } = drawMap(view, { side: 200 })
  expect([height, width]).toEqual([200, 520])
  const colors = new Set<string>()
  for (let y = 0; y < height; y++)
    for (let x = 0; x < 200; x++)
      colors.add([...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)].join())
  // Each is laid over the paper, 24 24 27, by 0.85.
  for (const [r, g, b] of [
    [230, 159, 0],
    [86, 180, 233],
    [136, 142, 152],
  ] as const) {
    const near = [...colors].map((color) => color.split(',').map(Number))
    const aim = [r, g, b].map((level, i) => 0.85 * level + 0.15 * (i === 2 ? 27 : 24))
    expect(near.some((color) => color.every((level, i) => Math.abs(level - (aim[i] ?? 0)) <= 1))).toBe(true)
  }
  expect(() => drawMap(view, { side: 3 })).toThrow(RangeError)
})

test('text of anybody stays text in SVG', () => {
  const svg = mapSvg(view, ['</title><script>', 'x\u0000"', "o'"])
  expect(svg).toContain('<title>&lt;/title&gt;&lt;script&gt;</title>')
  expect(svg).toContain('<title>x\ufffd&quot;</title>')
  expect(svg).toContain('a&lt;b 1')
  expect(svg.match(/<circle/g)).toHaveLength(3)
  expect(escapedMarkup(`&'`)).toBe('&amp;&#39;')
})
