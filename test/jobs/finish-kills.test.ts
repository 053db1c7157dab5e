/** Kills what makes collections of a job; the built command does the work. */
import { expect, test } from 'vitest'
import { killFinish } from '../support/kill-finish.mjs'
import { LONG } from '../support/long.js'

test('kills of job finish at random moments lose and double no row, and leave folders of their usual size', async () => {
  const wanted = LONG ? 40 : 3
  const { kills, problems, ratio } = await killFinish({ kills: wanted, rows: 600 })
  expect(problems).toEqual([])
  expect(kills).toBeGreaterThanOrEqual(wanted)
  expect(ratio).toBeLessThan(1.5)
}, 600_000)
