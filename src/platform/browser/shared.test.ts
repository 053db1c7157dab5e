/** What several users have together is made once, given back once, and made anew where it is lost. */
import { expect, test } from 'vitest'
import { Shared } from './shared.js'

function shared() {
  const made: { isLost: boolean; disposed: number; [Symbol.asyncDispose](): Promise<void> }[] = []
  const users = new Shared<(typeof made)[number]>()
  const make = async () => {
    const one = {
      isLost: false,
      disposed: 0,
      async [Symbol.asyncDispose]() {
        one.disposed++
      },
    }
    made.push(one)
    return one
  }
  return { made, take: () => users.take('key', make) }
}

test('made for the first of them, given back with the last', async () => {
  const { made, take } = shared()
  const [a, b] = await Promise.all([take(), take()])
  expect(made).toHaveLength(1)
  expect(a.value).toBe(b.value)
  await Promise.all([a.release(), a.release()])
  expect(made[0].disposed).toBe(0)
  await b.release()
  expect(made[0].disposed).toBe(1)
  await take()
  expect(made).toHaveLength(2)
})

test('what is lost is made anew, once for all who ask, while its first users still hold it', async () => {
  const { made, take } = shared()
  const first = await take()
  made[0].isLost = true
  const [a, b] = await Promise.all([take(), take()])
  expect(made).toHaveLength(2)
  expect(a.value).toBe(b.value)
  expect(a.value).not.toBe(first.value)
  // The lost one is given back by itself, and takes nothing of the new one along.
  await first.release()
  expect(made[0].disposed).toBe(1)
  expect(made[1].disposed).toBe(0)
  expect((await take()).value).toBe(a.value)
})
