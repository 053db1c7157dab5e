/** Making a job reads its source once, and not at all where the job is there. */
import { expect, test } from 'vitest'
import { IDENTITY, makeJob, rowHash, sourceRows, WIDTH } from '../../test/jobs/made-job.js'
import { MemoryStorage } from '../storage/memory-storage.js'
import { planJob, type RowSource } from './create-job.js'
import { JOB_KEY, planKey } from './keys.js'

function planOf(storage: MemoryStorage, source: RowSource) {
  return planJob({
    source,
    storage,
    identity: IDENTITY,
    width: WIDTH,
    model: { source: 'made up', options: {} },
    settings: { dtype: 'float16', rowsPerPart: 10, maxFailed: 0.01, unique: false },
    queue: null,
    hash: rowHash,
    tryConditionalWrites: async () => {},
  })
}

test('a second job in the same place is refused without a look at the source', async () => {
  const storage = new MemoryStorage()
  await makeJob(storage, 25)
  const unread: RowSource = {
    label: 'made up',
    base: '/photos',
    rows: () => {
      throw new Error('the source was read')
    },
  }
  await expect(planOf(storage, unread)).rejects.toMatchObject({ code: 'exists' })
})

test('a job whose making was interrupted goes on with its own source', async () => {
  const storage = new MemoryStorage()
  const { job } = await makeJob(storage, 25)
  await storage.remove(planKey(0))
  let begun = 0
  const rows = () => {
    begun++
    return sourceRows(25)
  }
  const source = { label: 'made up', base: '/photos', rows }
  const again = await planOf(storage, source)
  expect([again.job.id, again.plan.rows, begun]).toEqual([job.id, 25, 1])
  expect(await storage.read(JOB_KEY)).not.toBe(null)
})
