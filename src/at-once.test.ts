import { setImmediate as settle } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { atOnce } from './at-once.js'

test('what came of each is given in their order, whichever ends first, and no more are under way than may be', async () => {
  let [underWay, most] = [0, 0]
  const found = await atOnce([5, 0, 3, 1, 2, 4], 3, async (turns) => {
    most = Math.max(most, ++underWay)
    for (let i = 0; i < turns; i++) await settle()
    underWay--
    return turns * 10
  })
  expect(found).toEqual([50, 0, 30, 10, 20, 40])
  expect(most).toBe(3)
  expect(await atOnce([], 3, async () => 1)).toEqual([])
})

test('after a failure none is taken any more, and it is told once those under way have ended', async () => {
  const [begun, ended]: [number[], number[]] = [[], []]
  const all = atOnce([0, 1, 2, 3, 4, 5], 2, async (item) => {
    begun.push(item)
    if (item === 1) throw new Error('made up')
    for (let i = 0; i < 5; i++) await settle()
    ended.push(item)
  })
  await expect(all).rejects.toThrow('made up')
  expect(begun).toEqual([0, 1])
  expect(ended).toEqual([0])
})
