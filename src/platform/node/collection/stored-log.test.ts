import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PlainRecord } from '../../../plain-value.js'
import { MemoryStorage } from '../../../storage/memory-storage.js'
import { StoredLog } from './stored-log.js'

/** Stops as a kill does: of the calls that change something only so many take effect. */
class KilledStorage extends MemoryStorage {
  left = Number.POSITIVE_INFINITY

  override async write(...args: Parameters<MemoryStorage['write']>) {
    if (this.left-- <= 0) throw new Error('killed')
    return await super.write(...args)
  }

  override async remove(key: string) {
    if (this.left-- <= 0) throw new Error('killed')
    await super.remove(key)
  }
}

const entry = fc.record({ id: fc.string({ maxLength: 4 }), n: fc.nat() })
const change = fc.record({
  kind: fc.constantFrom('append', 'append', 'append', 'replace'),
  entries: fc.array(entry, { maxLength: 3 }),
  /** A process does some changes, and the next begins with what is there. */
  isNew: fc.boolean(),
  calls: fc.option(fc.nat({ max: 3 })),
})

test('whatever is appended and replaced is there, and what a kill cuts off is there whole or not at all', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
      const storage = new KilledStorage()
      let log = new StoredLog(storage, 'changes')
      let expected: readonly PlainRecord[] = []
      for (const { kind, entries, isNew, calls } of changes) {
        if (isNew) log = new StoredLog(storage, 'changes')
        const after = kind === 'append' ? [...expected, ...entries] : entries
        storage.left = calls ?? Number.POSITIVE_INFINITY
        const done = kind === 'append' ? log.append(entries) : log.replace(entries)
        const isKilled = await done.then(
          () => false,
          () => true,
        )
        storage.left = Number.POSITIVE_INFINITY
        if (!isKilled) expected = after
        else {
          log = new StoredLog(storage, 'changes')
          const found = await log.read()
          expect([expected, after]).toContainEqual(found)
          expected = found
        }
        expect(await new StoredLog(storage, 'changes').read()).toEqual(expected)
      }
    }),
    { numRuns: 200 },
  )
})

test('many small appends become one object now and then, and an old log of a folder is gone on with', async () => {
  const storage = new MemoryStorage()
  await storage.write('changes.jsonl', new TextEncoder().encode('{"id":"a"}\n\n{"id":"b"}\n{"cut of'))
  const log = new StoredLog(storage, 'changes')
  for (let n = 0; n < 150; n++) await log.append([{ n }])
  const found = await new StoredLog(storage, 'changes').read()
  expect(found).toEqual([{ id: 'a' }, { id: 'b' }, ...Array.from({ length: 150 }, (_, n) => ({ n }))])
  let objects = 0
  for await (const _ of storage.list()) objects++
  expect(objects).toBeLessThan(66)
})

test('a second writer is found out, and nothing of it is written', async () => {
  const storage = new MemoryStorage()
  const [one, other] = [new StoredLog(storage, 'changes'), new StoredLog(storage, 'changes')]
  await one.append([{ n: 1 }])
  await other.append([{ n: 2 }])
  await expect(one.append([{ n: 3 }])).rejects.toMatchObject({ code: 'changed' })
  expect(await new StoredLog(storage, 'changes').read()).toEqual([{ n: 1 }, { n: 2 }])
})
