import { expect, test } from 'vitest'
import { type RotaryRule, rotaryTable } from './rotary.js'

const rule: RotaryRule = {
  coordinates: { kind: 'whole', offset: 0, reference: 'own' },
  bands: { kind: 'temperature', temperature: 10000 },
  firstAxis: 'rows',
  spread: 'repeated',
  pairs: 'neighbours',
  registers: { temperature: 100 },
}
const shape = { grid: { rows: 2, columns: 3 }, headWidth: 8, heads: 1, registers: 4, classToken: true }
const special = (1 + shape.registers) * 2 * shape.headWidth

test.each<[string, RotaryRule['coordinates']]>([
  ['an offset', { kind: 'whole', offset: 2, reference: 'own' }],
  ['a reference grid', { kind: 'whole', offset: 0, reference: { rows: 7, columns: 5 } }],
])(
  '%s of patches turns them and leaves registers, which have a grid of their own, where they are',
  (_, coordinates) => {
    const plain = rotaryTable(rule, shape, null).values
    const moved = rotaryTable({ ...rule, coordinates }, shape, null).values
    expect(moved.subarray(0, special)).toEqual(plain.subarray(0, special))
    expect(moved.subarray(special)).not.toEqual(plain.subarray(special))
  },
)

test('of four registers the first is turned by nothing, and the last by both its places', () => {
  const { values } = rotaryTable(rule, shape, null)
  const row = (register: number) => values.subarray((1 + register) * 16, (2 + register) * 16)
  expect([...row(0)]).toEqual([...Array(8).fill(1), ...Array(8).fill(0)])
  // Bands are 1 and 100^(-1/2), for rows and then for columns.
  const angles = [1, 1, 0.1, 0.1, 1, 1, 0.1, 0.1]
  for (const [at, angle] of angles.entries()) {
    expect(row(3)[at]).toBeCloseTo(Math.cos(angle), 6)
    expect(row(3)[8 + at]).toBeCloseTo(Math.sin(angle), 6)
  }
})
