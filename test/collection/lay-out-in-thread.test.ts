import { expect, test } from 'vitest'
import { neighbourGraph } from '../../src/numerics/neighbour-graph.js'
import { layOutMap, startMap } from '../../src/numerics/umap.js'
import { layOutInThread } from '../../src/platform/node/collection/lay-out-in-thread.js'
import { madeRows } from '../support/made-rows.js'

const { rows } = madeRows(300, 8, 4)
const job = { graph: await neighbourGraph([rows], 8, 14), points: await startMap([rows], 8) }

test('a thread gives the very numbers that this one gives, and tells how far it is', async () => {
  const told: number[] = []
  const found = await layOutInThread(job, { onProgress: (done) => told.push(done) })
  expect(found).toEqual(await layOutMap(job))
  expect(told.at(-1)).toBe(1)
})

test('a signal ends the thread at once, and what is wrong with a job is told as it is here', async () => {
  const control = new AbortController()
  const reason = new Error('enough')
  const started = layOutInThread(job, { signal: control.signal, onProgress: () => control.abort(reason) })
  await expect(started).rejects.toBe(reason)
  await expect(layOutInThread(job, { signal: control.signal })).rejects.toBe(reason)
  const wrong = { ...job, points: job.points.subarray(2) }
  await expect(layOutInThread(wrong)).rejects.toThrow(/none of 299 rows/)
})
