import { expect, test } from 'vitest'
import { fileSize } from './file-size.js'

test('no file that has bytes is said to have none', () => {
  expect([0, 50, 48_120, 99_999, 100_000, 3_240_000, 12_345_678_900].map(fileSize)).toEqual([
    '0.0 kB',
    '0.1 kB',
    '48.1 kB',
    '100.0 kB',
    '0.1 MB',
    '3.2 MB',
    '12345.7 MB',
  ])
})
