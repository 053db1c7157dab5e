import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rowHash, sourceRow, sourceRows } from '../../test/jobs/made-job.js'
import { MemoryStorage } from '../storage/memory-storage.js'
import { RowSum } from '../work/row-sum.js'
import { type PlannedRow, PlanReader, readPlanOrNull, writePlan } from './plan.js'
import type { SourceRow } from './row.js'
import { UniqueRows } from './unique-rows.js'

test('a plan gives back the rows that it was made of, part by part', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 70 }),
      async (count, rowsPerPart) => {
        const storage = new MemoryStorage()
        const written = await writePlan(sourceRows(count), storage, { round: 0, rowsPerPart, hash: rowHash })
        const plan = await readPlanOrNull(storage, 0, rowHash)
        expect(plan).toEqual(written)
        const reader = new PlanReader(storage, written, rowHash)
        const found: SourceRow[] = []
        for (let part = 0; part < written.parts; part++) found.push(...(await reader.rows(part)))
        expect(found).toEqual(Array.from({ length: count }, (_, at) => sourceRow(at + 1)))
      },
    ),
    { numRuns: 30 },
  )
})

test('a plan is written once, and one that was changed is refused', async () => {
  const storage = new MemoryStorage()
  const settings = { round: 0, rowsPerPart: 4, hash: rowHash }
  const plan = await writePlan(sourceRows(9), storage, settings)
  await expect(writePlan(sourceRows(9), storage, settings)).rejects.toMatchObject({ code: 'exists' })
  const read = await storage.read('plan/0/plan.json')
  const text = new TextDecoder().decode(read?.bytes)
  await storage.write('plan/0/plan.json', new TextEncoder().encode(text.replace('"rows": 9', '"rows": 8')))
  await expect(readPlanOrNull(storage, 0, rowHash)).rejects.toMatchObject({ code: 'damaged' })
  const segment = `plan/0/${plan.id}-00000000.rows`
  const rows = await storage.read(segment)
  const other = new TextDecoder().decode(rows?.bytes).replace('"line 2"', '"line 3"')
  await storage.write(segment, new TextEncoder().encode(other))
  await expect(new PlanReader(storage, plan, rowHash).rows(0)).rejects.toMatchObject({ code: 'damaged' })
})

test('rows of one image are planned once where that is asked for, and counted', async () => {
  const storage = new MemoryStorage()
  const rows = async function* () {
    for (const line of [1, 2, 1, 3, 2]) yield { ...sourceRow(line), id: `${line}-${Math.random()}` }
  }
  const plan = await writePlan(rows(), storage, { round: 0, rowsPerPart: 2, hash: rowHash, unique: true })
  expect(plan).toMatchObject({ rows: 3, repeated: 2, parts: 2 })
})

test('a source without rows, and one row that is too long, are refused', async () => {
  const settings = { round: 0, rowsPerPart: 4, hash: rowHash }
  await expect(writePlan(sourceRows(0), new MemoryStorage(), settings)).rejects.toMatchObject({
    code: 'empty',
  })
  const long = async function* () {
    yield { ...sourceRow(1), place: { address: `data:${'A'.repeat(2 ** 20)}` } }
  }
  await expect(writePlan(long(), new MemoryStorage(), settings)).rejects.toMatchObject({ code: 'too-many' })
})

test('rows keep whatever letters they have, and all that is known of their place', async () => {
  const rows: PlannedRow[] = [
    'plain',
    'a "quoted" \\ one',
    'two\nlines\u0000\u2028',
    'Fläche 日 😀',
    'half \ud83d',
  ].map((text) => ({
    id: text,
    name: `${text}.jpg`,
    place: { address: `s3://b/${text}`, version: text, offset: 5, length: 7 },
  }))
  rows.push({ id: 'of', name: 's3://b/same', place: { address: 's3://b/same' }, of: [3, 4] })
  const storage = new MemoryStorage()
  const blocks = (async function* () {
    yield rows
  })()
  const plan = await writePlan(blocks, storage, { round: 1, rowsPerPart: 10, hash: rowHash })
  expect(await new PlanReader(storage, plan, rowHash).rows(0)).toEqual(rows)
})

test('sums of rows are those of the whole numbers that their hashes are', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 50 }), fc.nat(50), (ids, at) => {
      const sum = new RowSum()
      const [one, other] = [new RowSum(), new RowSum()]
      let wanted = 0n
      for (const [i, id] of ids.entries()) {
        sum.add(rowHash(id))
        const half = i < at ? one : other
        half.add(rowHash(id))
        wanted += BigInt(`0x${Buffer.from(rowHash(id)).toString('hex', 0, 16)}`)
      }
      one.addSum(other.toString())
      const digits = (wanted % 2n ** 128n).toString(16).padStart(32, '0')
      return sum.toString() === digits && one.toString() === digits
    }),
  )
})

test('as many different rows are remembered as are allowed, and one more is refused', () => {
  const unique = new UniqueRows(100_000)
  const countNew = () => {
    let count = 0
    for (let row = 0; row < 100_000; row++) if (unique.add(rowHash(String(row)))) count++
    return count
  }
  expect(countNew()).toBe(100_000)
  expect(countNew()).toBe(0)
  expect(() => unique.add(rowHash('another'))).toThrow('more than 100000 different rows')
})
