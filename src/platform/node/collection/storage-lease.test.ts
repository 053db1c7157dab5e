import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { MemoryStorage } from '../../../storage/memory-storage.js'
import { heldOnStorage, takeReadLease, takeWriteLock } from './storage-lease.js'

const times = { beatMs: 20, deadMs: 200 }
const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
/** Cannot be looked at from here. */
const elsewhere = (token: string) => ({
  pid: 1,
  host: `not-${hostname()}`,
  place: null,
  started: null,
  token,
})
const gone = { pid: 2 ** 22 + 1, host: hostname(), place: null, started: null, token: 'gone' }

/** Shows life as a process elsewhere does, whose clock is an hour off: nothing here reads it. */
async function beat(storage: MemoryStorage, key: string, until: AbortSignal) {
  for (let beats = 0; !until.aborted; beats++) {
    await storage.write(key, text({ holder: elsewhere('alive'), beats, table: 'photos', version: 3 }))
    await sleep(times.beatMs)
  }
}

test('a writer elsewhere that shows itself keeps the right to write, and one that does not has lost it', async () => {
  const storage = new MemoryStorage()
  const ended = new AbortController()
  const beating = beat(storage, 'writer.json', ended.signal)
  const waits: string[] = []
  const asked = takeWriteLock(storage, { onWait: (message) => waits.push(message) }, times)
  await expect(asked).rejects.toMatchObject({ code: 'locked' })
  expect(waits[0]).toMatch(/waiting to see whether it lives/)
  ended.abort()
  await beating
  const begun = performance.now()
  await using lock = await takeWriteLock(storage, {}, times)
  expect(performance.now() - begun).toBeGreaterThanOrEqual(times.deadMs)
  await lock.assertHeld()
})

test('a process of this machine is judged by whether it runs', async () => {
  const storage = new MemoryStorage()
  await storage.write('writer.json', text({ holder: gone, beats: 3 }))
  const begun = performance.now()
  await using _lock = await takeWriteLock(storage, {}, times)
  await expect(takeWriteLock(storage, {}, times)).rejects.toMatchObject({ code: 'locked' })
  expect(performance.now() - begun).toBeLessThan(times.deadMs)
})

test('who was thought dead finds that another has it, and writes nothing more', async () => {
  const storage = new MemoryStorage()
  const lock = await takeWriteLock(storage, {}, { beatMs: 10_000, deadMs: 60 })
  await storage.write('writer.json', text({ holder: elsewhere('other'), beats: 0 }))
  await sleep(30)
  await expect(lock.assertHeld()).rejects.toMatchObject({
    code: 'locked',
    message: expect.stringContaining('not-'),
  })
  await lock[Symbol.asyncDispose]()
  const kept = await storage.read('writer.json')
  expect(new TextDecoder().decode(kept?.bytes)).toContain('other')
})

test('what readers hold is known as long as they show themselves, and what dead ones held goes', async () => {
  const storage = new MemoryStorage()
  const lease = await takeReadLease(storage, times)
  await lease?.hold({ table: 'photos', version: 7 })
  const ended = new AbortController()
  const beating = beat(storage, 'leases/far.json', ended.signal)
  await storage.write(
    'leases/dead.json',
    text({ holder: elsewhere('dead'), beats: 9, table: 'photos', version: 1 }),
  )
  await storage.write('leases/gone.json', text({ holder: gone, beats: 9, table: 'photos', version: 2 }))
  const versions = async (sure: boolean) =>
    (await heldOnStorage(storage, sure, times)).map(({ version }) => version).sort()
  expect(await versions(false)).toEqual([1, 3, 7])
  expect(await versions(true)).toEqual([3, 7])
  ended.abort()
  await beating
  await lease?.[Symbol.asyncDispose]()
  expect(await versions(true)).toEqual([])
})
