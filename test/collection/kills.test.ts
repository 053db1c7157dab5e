/** Kills what writes to a collection; the built code does the work. */
import { expect, test } from 'vitest'
import { killCollection } from '../support/kill-collection.mjs'

test('kills at random moments lose and double no row and no label, and leave no more than half as much again on the disk', async () => {
  const { rows, labels, ratio, runs, ...report } = await killCollection({ kills: 6, photos: 60 })
  expect(report).toEqual({ kills: 6, problems: [] })
  expect(rows).toBeGreaterThan(60)
  expect(labels).toBeGreaterThan(0)
}, 120_000)
