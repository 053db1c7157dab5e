import { setImmediate as settle } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Clock } from '../clock.js'
import type { PlainRecord } from '../plain-value.js'
import { type LeaseRequest, takeLease } from './lease.js'
import { MemoryStorage } from './memory-storage.js'
import { StorageError } from './storage-error.js'

/** Passes only when it is told to. */
class Time implements Clock {
  #now = 0
  readonly #waits = new Set<{ readonly due: number; readonly go: () => void }>()

  monotonic(): number {
    return this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waits.delete(wait)
        reject(signal?.reason)
      }
      const go = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const wait = { due: this.#now + ms, go }
      this.#waits.add(wait)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      for (let i = 0; i < 5; i++) await settle()
      const [next] = [...this.#waits].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)
      if (next === undefined) break
      this.#waits.delete(next)
      this.#now = next.due
      next.go()
    }
    this.#now = end
  }
}

/** Goes on while its holder sleeps, who wakes to end only. */
function asleep(time: Time): Clock {
  const sleep = (_ms: number, signal?: AbortSignal) =>
    new Promise<void>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
  return { monotonic: () => time.monotonic(), sleep }
}

class Held extends Error {}
class Lost extends Error {}

const shown = (holder: PlainRecord | null) => JSON.stringify(holder)
const asking = (name: string, clock: Clock, more: Partial<LeaseRequest> = {}): LeaseRequest => ({
  holder: { name },
  held: (holder) => new Held(shown(holder)),
  lost: (holder) => new Lost(shown(holder)),
  clock,
  ...more,
})
const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const saidIn = async (storage: MemoryStorage) => {
  const found = await storage.read('x')
  return found === null ? null : JSON.parse(new TextDecoder().decode(found.bytes))
}

/** Does as it is told with the next write: it fails before it takes effect, or does it and does not answer. */
class ShakyStorage extends MemoryStorage {
  next: 'fails' | 'is silent' | null = null

  override async write(...given: Parameters<MemoryStorage['write']>) {
    const fault = this.next
    if (fault === 'fails') throw new StorageError('unavailable', 'it does not answer')
    const written = await super.write(...given)
    this.next = null
    if (fault === 'is silent') throw new StorageError('unavailable', 'it did it, and does not answer')
    return written
  }
}

test('one of many who ask at once has it, and keeps it for as long as it lives', async () => {
  const [storage, time] = [new MemoryStorage(), new Time()]
  const asked = Promise.allSettled(['a', 'b', 'c'].map((name) => takeLease(storage, 'x', asking(name, time))))
  await time.pass(10_000)
  const all = await asked
  const won = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  expect(won).toHaveLength(1)
  for (const one of all) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(Held)
  await time.pass(600_000)
  await won[0]?.assertHeld()
  const waits: unknown[] = []
  const late = takeLease(
    storage,
    'x',
    asking('late', time, { onWait: (holder) => waits.push(holder) }),
  ).catch((error) => error)
  await time.pass(10_000)
  expect(await late).toBeInstanceOf(Held)
  expect(waits).toHaveLength(1)
  await won[0]?.[Symbol.asyncDispose]()
  expect(await saidIn(storage)).toMatchObject({ holder: null })
  await using _ = await takeLease(storage, 'x', asking('next', time))
})

test.each([
  ['a holder that is silent', { holder: { name: 'dead' }, beats: 7 }],
  ['something that is no lease', ['what?']],
])('%s loses it after a minute by the watch of who comes', async (_, said) => {
  const [storage, time] = [new MemoryStorage(), new Time()]
  await storage.write('x', text(said))
  const taken = takeLease(storage, 'x', asking('a', time))
  await time.pass(59_000)
  expect(await saidIn(storage)).toEqual(said)
  await time.pass(5000)
  await using lease = await taken
  await lease.assertHeld()
})

test('who can be looked at is judged by whether it runs', async () => {
  const [storage, time] = [new MemoryStorage(), new Time()]
  await storage.write('x', text({ holder: { name: 'other' }, beats: 7 }))
  const runs = takeLease(storage, 'x', asking('a', time, { livesOrNull: async () => true }))
  await expect(runs).rejects.toBeInstanceOf(Held)
  await using _ = await takeLease(storage, 'x', asking('a', time, { livesOrNull: async () => false }))
})

test('a holder that another has taken it from says who, and leaves it to that one', async () => {
  const [storage, time] = [new MemoryStorage(), new Time()]
  const lease = await takeLease(storage, 'x', asking('a', time))
  await storage.write('x', text({ holder: { name: 'b' }, beats: 0 }))
  await time.pass(5000)
  expect(lease.lost.reason).toMatchObject({ message: shown({ name: 'b' }) })
  await expect(lease.assertHeld()).rejects.toBeInstanceOf(Lost)
  await lease[Symbol.asyncDispose]()
  expect(await saidIn(storage)).toMatchObject({ holder: { name: 'b' } })
})

test('a holder that slept asks before it goes on', async () => {
  const [storage, time] = [new MemoryStorage(), new Time()]
  const lease = await takeLease(storage, 'x', asking('a', asleep(time)))
  await time.pass(50_000)
  await lease.assertHeld()
  await storage.remove('x')
  await lease.assertHeld()
  await time.pass(50_000)
  await expect(lease.assertHeld()).rejects.toBeInstanceOf(Lost)
})

test('a beat that took effect and was not answered costs nothing, and one that cannot be written is told in time', async () => {
  const [storage, time] = [new ShakyStorage(), new Time()]
  const lease = await takeLease(storage, 'x', asking('a', time))
  storage.next = 'is silent'
  await time.pass(12_000)
  await lease.assertHeld()
  expect(lease.lost.aborted).toBe(false)
  storage.next = 'fails'
  await time.pass(15_000)
  await lease.assertHeld()
  await time.pass(10_000)
  await expect(lease.assertHeld()).rejects.toMatchObject({ code: 'unavailable' })
  storage.next = null
  await lease[Symbol.asyncDispose]()
})

test('what could not be let go is free for this process at once', async () => {
  const [storage, time] = [new ShakyStorage(), new Time()]
  const livesOrNull = async () => true
  const lease = await takeLease(storage, 'x', asking('silent at its end', time, { livesOrNull }))
  storage.next = 'fails'
  await lease[Symbol.asyncDispose]()
  storage.next = null
  expect(await saidIn(storage)).toMatchObject({ holder: { name: 'silent at its end' } })
  await using _ = await takeLease(storage, 'x', asking('a', time, { livesOrNull }))
})

test('where nothing may be left, it is removed, but for what another may have by then', async () => {
  const [storage, time] = [new MemoryStorage(), new Time()]
  const lease = await takeLease(storage, 'x', asking('a', time, { leavesNothing: true }))
  await lease[Symbol.asyncDispose]()
  expect(await storage.look('x')).toBeNull()
  const slept = await takeLease(storage, 'x', asking('b', asleep(time), { leavesNothing: true }))
  await storage.write('x', text({ holder: { name: 'c' }, beats: 0 }))
  await time.pass(61_000)
  await slept[Symbol.asyncDispose]()
  expect(await saidIn(storage)).toMatchObject({ holder: { name: 'c' } })
})
