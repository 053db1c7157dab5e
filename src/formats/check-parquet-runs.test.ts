/** Runs that hold what their page says are let through, however they are written, and others are refused before anybody goes through them. */
import { expect, test } from 'vitest'
import { checkParquetRuns, type PageRuns } from './check-parquet-runs.js'

const PLAIN = 0
const DICTIONARY = 8
const flat = { values: 10, maxRepetition: 0, maxDefinition: 1, isBoolean: false, second: null }
const page = (encoding: number, ...bytes: readonly number[]): PageRuns => ({
  ...flat,
  encoding,
  bytes: Uint8Array.from(bytes),
})
/** Is the header of a run of 2^30 values. */
const ENDLESS = [0x80, 0x80, 0x80, 0x80, 0x08]

test('runs of one value, packed groups with bits to spare, and both after each other are let through', () => {
  checkParquetRuns(page(PLAIN, 2, 0, 0, 0, 20, 1))
  checkParquetRuns(page(PLAIN, 3, 0, 0, 0, 5, 0xff, 0x03))
  checkParquetRuns(page(PLAIN, 4, 0, 0, 0, 4, 0, 3, 0xff))
})

test('indices are counted without the nulls, and what stands behind them is nobody’s', () => {
  // Two of ten are there, told by packed levels; two indices of three bits follow, and then nothing that is a run.
  checkParquetRuns(page(DICTIONARY, 3, 0, 0, 0, 5, 0b00100001, 0, 3, 4, 2, ...ENDLESS))
  expect(() => checkParquetRuns(page(DICTIONARY, 2, 0, 0, 0, 20, 1, 3, ...ENDLESS, 2))).toThrow(
    'a run of a page has 1073741824 values, where 10 are left',
  )
})

test('a run that never ends and one that ends too soon are refused, in both versions of a page', () => {
  expect(() => checkParquetRuns(page(PLAIN, 6, 0, 0, 0, ...ENDLESS, 1))).toThrow(/1073741824 values/)
  expect(() => checkParquetRuns(page(PLAIN, 2, 0, 0, 0, 18, 1))).toThrow(/end before its values do/)
  const levels = Uint8Array.of(...ENDLESS, 1)
  const second = { levels, repetitionBytes: 0, nulls: 0 }
  expect(() => checkParquetRuns({ ...page(PLAIN), second })).toThrow(/1073741824 values/)
  const nulls = { levels: Uint8Array.of(20, 1), repetitionBytes: 0, nulls: 11 }
  expect(() => checkParquetRuns({ ...page(PLAIN), second: nulls })).toThrow(/more are null/)
})
