/** Compares with what `argmax` of PyTorch makes of ids: test/kernels/make-expected.py. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { rowOfId } from './take-row.js'

const { ids, id, largest, first } = JSON.parse(
  readFileSync(new URL('../../test/kernels/expected.json', import.meta.url), 'utf8'),
).takeRow as Readonly<Record<'largest' | 'first', readonly number[]>> & {
  readonly ids: readonly (readonly number[])[]
  readonly id: number
}

test('the first of the largest ids, and the first that has a given one or else the first of all', () => {
  const rows = ids.map((row) => Float32Array.from(row))
  expect(rows.map((row) => rowOfId(row, 'largest'))).toEqual(largest)
  expect(rows.map((row) => rowOfId(row, id))).toEqual(first)
})
